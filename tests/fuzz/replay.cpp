// SPDX-License-Identifier: MIT
// Runs a fuzz target on each file of a folder, in order, with any compiler: the corpus as a test.
//   replay FOLDER
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** arguments) {
    if (count != 2) return 2;
    std::vector<std::filesystem::path> files;
    for (const auto& each : std::filesystem::directory_iterator(arguments[1]))
        files.push_back(each.path());
    std::sort(files.begin(), files.end());
    for (const auto& path : files) {
        (void)std::printf("%s\n", path.filename().c_str());
        (void)std::fflush(stdout);
        std::ifstream in(path, std::ios::binary);
        // No more memory than there are bytes: a sanitizer sees what is read beyond them.
        const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
        (void)LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
    return files.empty() ? 1 : 0;
}
