// SPDX-License-Identifier: MIT
// Enters: files, or folders of files. Leaves: each of them given to the fuzzed function: what any
// compiler can run of libFuzzer's findings. Status 2 where there was none.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int run(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
    // The name first: what aborts says nothing.
    (void)std::printf("%s, %zu bytes\n", path.filename().string().c_str(), bytes.size());
    (void)std::fflush(stdout);
    (void)LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    int count = 0;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) {
            count += run(argv[i]);
            continue;
        }
        for (const auto& file : std::filesystem::directory_iterator(argv[i])) count += run(file);
    }
    (void)std::printf("%d inputs\n", count);
    return count > 0 ? 0 : 2;
}
