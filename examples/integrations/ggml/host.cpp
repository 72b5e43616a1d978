// SPDX-License-Identifier: MIT
// Room integrations. Enters: the symbols of the process. Leaves: see host.hpp.
#include "integrations/ggml/host.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>

namespace tbx::ggml {

host the_host;

namespace {

/// Path of a loaded library whose file name starts so; empty where there is none.
std::string loaded(const char* prefix) {
    struct search {
        const char* prefix;
        std::string path;
    } wanted{prefix, {}};
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) -> int {
            auto* s = static_cast<search*>(data);
            const char* slash = std::strrchr(info->dlpi_name, '/');
            const char* file = slash == nullptr ? info->dlpi_name : slash + 1;
            if (std::strncmp(file, s->prefix, std::strlen(s->prefix)) != 0) return 0;
            s->path = info->dlpi_name;
            return 1;
        },
        &wanted);
    return wanted.path;
}

/// In the program, or in a library that was loaded out of the program's sight. It stays loaded
/// without our handle: it is the one that loads us.
void* symbol(const char* name) {
    if (void* found = dlsym(RTLD_DEFAULT, name)) return found;
    for (const char* library : {"libggml-base", "libggml.", "libggml-cpu", "libllama"}) {
        const std::string path = loaded(library);
        if (path.empty()) continue;
        void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
        if (handle == nullptr) continue;
        void* found = dlsym(handle, name);
        dlclose(handle);
        if (found != nullptr) return found;
    }
    return nullptr;
}

template <class F>
bool take(F*& to, const char* name) {
    to = reinterpret_cast<F*>(symbol(name));
    if (to == nullptr) complain("this ggml has no function ", name);
    return to != nullptr;
}

/// The team that runs the host's own operators, if that is OpenMP's: what its CPU back end is
/// linked with, not what else may be in the process.
void* openmp_of_cpu() {
    const std::string path = loaded("libggml-cpu");
    void* handle = path.empty() ? nullptr : dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (handle == nullptr) return nullptr;
    void* found = dlsym(handle, "GOMP_parallel");
    dlclose(handle);
    return found;
}

}  // namespace

void complain(const char* what, const char* why) noexcept {
    std::fprintf(stderr, "trilobit: %s%s\n", what, why);
}

bool host::only_looks(int op) const noexcept {
    return std::find(std::begin(views), std::end(views), op) != std::end(views);
}

bool host::find() {
    std::size_t (*registries)() = nullptr;
    registry* (*registry_at)(std::size_t) = nullptr;
    std::size_t (*tensor_overhead)() = nullptr;
    const char* (*op_name)(int) = nullptr;
    void* unused = nullptr;
    const auto present = [&](const char* name) {
        unused = symbol(name);
        if (unused == nullptr) complain("this ggml is older than the ones we know, without ", name);
        return unused != nullptr;
    };
    if (!take(registries, "ggml_backend_reg_count") || !take(registry_at, "ggml_backend_reg_get") ||
        !take(tensor_overhead, "ggml_tensor_overhead") || !take(op_name, "ggml_op_name") ||
        !take(type_name, "ggml_type_name") || !take(bytes, "ggml_nbytes") ||
        !take(node_count, "ggml_graph_n_nodes") || !take(node, "ggml_graph_node") ||
        !take(is_host_memory, "ggml_backend_buft_is_host") ||
        !take(make_buffer, "ggml_backend_buffer_init") ||
        // Its two functions of a buffer came without a new version.
        !present("ggml_backend_tensor_set_2d"))
        return false;
    if (registries() == 0) {
        complain("load ggml's own CPU back end first: it tells the version of the interface");
        return false;
    }
    version = registry_at(0)->version;
    if (version != 2 && version != 3 && version != 6) {
        complain("versions 2, 3 and 6 of ggml's back-end interface are known, and this is ",
                 std::to_string(version).c_str());
        return false;
    }
    // A tensor in a list of a context: 32 bytes of the list before it.
    if (tensor_overhead() != sizeof(tensor) + 32) {
        complain("the tensors of this ggml have another size");
        return false;
    }
    const char* const looking[] = {"NONE", "RESHAPE", "VIEW", "PERMUTE", "TRANSPOSE"};
    std::fill(std::begin(views), std::end(views), -1);
    // All of them are among the first of about a hundred.
    for (int op = 0; op < 64; ++op) {
        const char* name = op_name(op);
        if (std::strcmp(name, "MUL_MAT") == 0) mul_mat = op;
        if (std::strcmp(name, "MUL_MAT_ID") == 0) mul_mat_id = op;
        for (std::size_t i = 0; i < std::size(looking); ++i)
            if (std::strcmp(name, looking[i]) == 0) views[i] = op;
    }
    if (mul_mat < 0 || mul_mat_id < 0 ||
        std::find(std::begin(views), std::end(views), -1) != std::end(views)) {
        complain("this ggml has no operator MUL_MAT");
        return false;
    }
    openmp_parallel = reinterpret_cast<decltype(openmp_parallel)>(openmp_of_cpu());
    return true;
}

}  // namespace tbx::ggml
