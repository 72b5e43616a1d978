// SPDX-License-Identifier: MIT
// Tests of the examples. Enters: nothing. Leaves: an empty folder that is removed again.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace tbx::testing {

class scratch_folder {
    std::filesystem::path folder;

public:
    scratch_folder() {
        const auto name = "trilobit-" + std::to_string(std::random_device{}());
        folder = std::filesystem::temp_directory_path() / name;
        if (!std::filesystem::create_directory(folder))
            throw std::runtime_error("no scratch folder");
    }
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    ~scratch_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }

    [[nodiscard]] std::string path(std::string_view name) const { return (folder / name).string(); }
    [[nodiscard]] std::string operator/(std::string_view name) const { return path(name); }
    [[nodiscard]] std::string file(std::string_view name, std::string_view content) const {
        std::ofstream(path(name), std::ios::binary) << content;
        return path(name);
    }
    [[nodiscard]] std::size_t entries() const {
        const std::filesystem::directory_iterator all(folder);
        return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }
};

}  // namespace tbx::testing
