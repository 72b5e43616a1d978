// SPDX-License-Identifier: MIT
// Tests of integrations/ggml. Enters: a plug-in and the number of a version. Leaves: exit status 0
// if the plug-in made a registry for a host of that version, 3 if it declined. It never computes.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "integrations/ggml/abi/types.hpp"

namespace {
tbx::ggml::registry cpu{};
}

extern "C" {
std::size_t ggml_backend_reg_count() { return 1; }
tbx::ggml::registry* ggml_backend_reg_get(std::size_t) { return &cpu; }
std::size_t ggml_tensor_overhead() { return sizeof(tbx::ggml::tensor) + 32; }
const char* ggml_op_name(int op) {
    const char* const names[] = {"NONE",    "RESHAPE",   "VIEW",      "PERMUTE",
                                 "MUL_MAT", "TRANSPOSE", "MUL_MAT_ID"};
    return op < 7 ? names[op] : "?";
}
const char* ggml_type_name(int) { return "?"; }
std::size_t ggml_nbytes(const void*) { return 0; }
int ggml_graph_n_nodes(void*) { return 0; }
void* ggml_graph_node(void*, int) { return nullptr; }
bool ggml_backend_buft_is_host(void*) { return false; }
void* ggml_backend_buffer_init() { return nullptr; }
void ggml_backend_tensor_set_2d() {}
}

int main(int count, char** arguments) {
    if (count != 3) return 2;
    cpu.version = std::atoi(arguments[2]);
    void* plugin = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == nullptr) {
        std::fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    auto* init = reinterpret_cast<tbx::ggml::registry* (*)()>(dlsym(plugin, "ggml_backend_init"));
    if (init == nullptr) return 2;
    const tbx::ggml::registry* made = init();
    if (made == nullptr) return 3;
    return made->version == cpu.version ? 0 : 2;
}
