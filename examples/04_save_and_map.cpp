// SPDX-License-Identifier: MIT
// Lesson 4. Enters: a packed matrix and a file name. Leaves: a file that is multiplied with where
// it lies, and the proof that a damaged one is refused.
//
// Packing reads every weight once, which takes seconds for a large model; mapping reads nothing.
// The packed bytes are the same on every machine, so a file made on a laptop serves a server.
#include <trilobit/trilobit.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

int main() {
    const std::int64_t rows = 512, cols = 1000;
    std::vector<float> weights(rows * cols), x(cols), y(rows), mapped_y(rows);
    std::minstd_rand bits(4);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& v : weights) v = uniform(bits);
    for (float& v : x) v = uniform(bits);

    namespace fs = std::filesystem;
    const std::string path = (fs::temp_directory_path() /
                              ("trilobit_" + std::to_string(std::random_device{}()) + ".tri"))
                                 .string();
    // 1.6 bits a weight, the densest of the ternary layouts; a scale for each 128 columns of a row.
    using layout = trilobit::layout::ternary_base3;
    const auto w = trilobit::pack<layout>({weights.data(), rows, cols},
                                          {.scale = trilobit::scale_spec::group(128)});
    if (const auto s = trilobit::save(w, path.c_str()); !s.ok()) return std::puts(s.text), 1;

    bool same = false;
    {
        // Read-only, shared with every process that maps it, checked against its checksum. A server
        // that trusts its own files says trilobit::verify::header and starts at once.
        const trilobit::mapped_matrix file(path.c_str());
        if (!file.status().ok()) return std::puts(file.status().text), 1;
        // Of this layout alone: kernel_table_of<native_arch> has those of every layout.
        trilobit::context context{trilobit::kernels_for<trilobit::native_arch, layout>::table};
        const auto s =
            trilobit::matmul(context, file, {x.data(), 1, cols}, {mapped_y.data(), 1, rows});
        if (!s.ok()) return std::puts(s.text), 1;
        if (!trilobit::matmul(w, {x.data(), 1, cols}, {y.data(), 1, rows}).ok()) return 1;
        same = y == mapped_y;
    }
    std::printf("%zu bytes, products %s\n", w.bytes().size(), same ? "equal" : "DIFFERENT");

    // One bit of one weight flips on its way through the world.
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(5000).put('?');
    const auto problem = trilobit::mapped_matrix(path.c_str()).status();
    std::printf("after damage: %s\n", problem.text);
    fs::remove(path);
    return same && !problem.ok() ? 0 : 1;
}
