// SPDX-License-Identifier: MIT
// The passport of a model of up to 16 MiB, from the rooms of examples/ that need no other library,
// on one thread and on two: for machines that scripts/test emulates. Compiled without CMake, with
// one back end and its flags.
//   passport MODEL HASH [THREADS]
#if !defined(PASSPORT_ARCH)
#define PASSPORT_ARCH generic
#endif

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include <trilobit/dispatch/kernels.hpp>
#include <trilobit/dispatch/registry.hpp>

#include "gguf/reader.hpp"
#include "model/dense_table.hpp"
#include "model/passport.hpp"
#include "support/error.hpp"

namespace trilobit::inline TRILOBIT_ABI::dispatch {

// What trilobit_per_arch() writes, with the kernels of one layout.
template <>
constinit const kernel_table compiled<kernel_table, kernels_of, arch::PASSPORT_ARCH>::table =
    kernels_for<arch::PASSPORT_ARCH, layout::ternary_2bit>::table;
template <>
struct compiled_tables<kernel_table, kernels_of> {
    static constexpr const kernel_table* all[] = {
        &compiled<kernel_table, kernels_of, arch::PASSPORT_ARCH>::table};
};
template struct per_arch<kernel_table, kernels_of>;

using tbx::model::dense_kernels;
using tbx::model::dense_of;
template <>
constinit const dense_kernels compiled<dense_kernels, dense_of, arch::PASSPORT_ARCH>::table =
    dense_of<arch::PASSPORT_ARCH>::table;
template <>
struct compiled_tables<dense_kernels, dense_of> {
    static constexpr const dense_kernels* all[] = {
        &compiled<dense_kernels, dense_of, arch::PASSPORT_ARCH>::table};
};
template struct per_arch<dense_kernels, dense_of>;

}  // namespace trilobit::inline TRILOBIT_ABI::dispatch

#if defined(__wasm__)
// What examples/web/no_exceptions.cpp ends with.
#include "web/host.hpp"
void tbx::web::fail(std::string_view line) noexcept {
    (void)std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
    std::_Exit(1);
}
#endif

namespace {

using namespace tbx;

std::vector<std::byte> bytes_of(const char* path) {
    std::vector<std::byte> bytes(std::size_t{1} << 24);
    std::FILE* file = std::fopen(path, "rb");
    if (file == nullptr) throw error(path, "cannot be read");
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    (void)std::fclose(file);
    return bytes;
}

std::string passport_of(const gguf::reader& file, int threads, std::int64_t batch) {
    model::compute cpu(threads);
    const model::transformer m =
        model::load_transformer(cpu, file, trilobit::layout_id::ternary_2bit, {});
    model::state s(m.config, model::passport_positions, batch);
    return model::passport(cpu, m, s);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 3 && argc != 4) return 2;
    const std::vector<std::byte> bytes = bytes_of(argv[1]);
    const gguf::reader file(argv[1], bytes);
    const int most_threads = argc == 4 ? std::atoi(argv[3]) : 2;
    int wrong = 0;
    for (int threads = 1; threads <= most_threads; ++threads) {
        const std::string found = passport_of(file, threads, threads == 1 ? 256 : 7);
        if (found == argv[2]) continue;
        std::printf("%d threads: %s\n", threads, found.c_str());
        ++wrong;
    }
    return wrong;
} catch (const std::exception& e) {
    std::puts(e.what());
    return 1;
}
