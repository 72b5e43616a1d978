// SPDX-License-Identifier: MIT
// Saved files and their read-only mappings: whole or absent, never half.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "sample.hpp"

using namespace trilobit;
using pack_test::sample;
namespace fs = std::filesystem;

namespace {

/// A folder of this test's own, gone afterwards.
struct folder {
    fs::path path;
    folder() {
        static int count = 0;
        path = fs::temp_directory_path() /
               ("trilobit-pack-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
        fs::create_directories(path);
    }
    ~folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    [[nodiscard]] std::string operator/(const char* name) const { return (path / name).string(); }
    [[nodiscard]] int files() const {
        return static_cast<int>(std::distance(fs::directory_iterator(path), {}));
    }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("a saved matrix is mapped as it was", "[pack]", layouts) {
    const folder in;
    const std::string file = in / "w.trilobit";
    const sample s = sample::of<TestType>(50, 70, scale_spec::group(32));
    const auto packed = pack<TestType>(s.view());
    REQUIRE(save(packed, file.c_str()).ok());
    CHECK(in.files() == 1);
    CHECK(fs::file_size(file) == packed.bytes().size());
    for (const verify depth : {verify::header, verify::everything}) {
        const mapped_matrix mapped(file.c_str(), depth);
        REQUIRE(mapped.status().ok());
        CHECK(pack_test::differences<TestType>(mapped.view(), s) == 0);
    }
}

TEST_CASE("saving again replaces, and maps of the old file stay whole", "[pack]") {
    const folder in;
    const std::string file = in / "w";
    const sample a(40, 40, {}, true, 1), b(16, 16, {}, true, 2);
    REQUIRE(save(pack<layout::ternary_2bit>(a.view()), file.c_str()).ok());
    const mapped_matrix old(file.c_str());
    const bool replaced = save(pack<layout::ternary_2bit>(b.view()), file.c_str()).ok();
    CHECK(in.files() == 1);
    CHECK(pack_test::differences<layout::ternary_2bit>(old.view(), a) == 0);
#if defined(_WIN32)
    if (!replaced) return;  // which it may refuse while the file is mapped
#endif
    REQUIRE(replaced);
    const mapped_matrix fresh(file.c_str());
    CHECK(pack_test::differences<layout::ternary_2bit>(fresh.view(), b) == 0);
}

TEST_CASE("a mapping moves", "[pack]") {
    const folder in;
    const std::string file = in / "w";
    const sample s(20, 20, {});
    REQUIRE(save(pack<layout::ternary_2bit>(s.view()), file.c_str()).ok());
    mapped_matrix first(file.c_str());
    mapped_matrix second(std::move(first));
    CHECK(first.view().tiles == nullptr);
    CHECK(std::string_view(first.status().text).find("moved") != std::string_view::npos);
    CHECK(pack_test::differences<layout::ternary_2bit>(second.view(), s) == 0);
    mapped_matrix third("");
    third = std::move(second);
    CHECK(pack_test::differences<layout::ternary_2bit>(third.view(), s) == 0);
    CHECK_FALSE(second.status().ok());
    CHECK(second.view().tiles == nullptr);
}

TEST_CASE("a mapping shows what is written to its file: nothing was copied", "[pack]") {
    const folder in;
    const std::string file = in / "w";
    const sample s(2100, 4200, {});
    REQUIRE(save(pack<layout::ternary_2bit>(s.view()), file.c_str()).ok());
    const mapped_matrix mapped(file.c_str());
    REQUIRE(mapped.status().ok());
    // A byte of the file is a byte of the matrix: nothing was copied.
    const auto at = static_cast<std::streamoff>(sizeof(detail::packed_header)) + 7;
    std::fstream in_place(file, std::ios::binary | std::ios::in | std::ios::out);
    in_place.seekp(at);
    in_place.put(static_cast<char>(std::to_integer<int>(mapped.view().tiles[7] ^ std::byte{0x55})));
    in_place.seekg(at);
    in_place.flush();
    const int written = in_place.get();
    CHECK(std::to_integer<int>(mapped.view().tiles[7]) == written);
}

TEST_CASE("saving where nothing can be written fails and leaves nothing", "[pack]") {
    const folder in;
    const auto packed = pack<layout::ternary_2bit>(sample(4, 4, {}).view());
    CHECK_FALSE(save(packed, (in / "missing/w").c_str()).ok());
    CHECK_FALSE(save(packed, std::string(5000, 'x').c_str()).ok());
    CHECK_FALSE(save(packed, "").ok());
    // The name is a folder that is not empty: the rename fails after the bytes were written.
    fs::create_directories(in.path / "taken" / "inside");
    CHECK_FALSE(save(packed, (in / "taken").c_str()).ok());
    CHECK(in.files() == 1);
    CHECK_FALSE(save(any_packed_matrix(), (in / "never").c_str()).ok());
    CHECK(in.files() == 1);
    if (fs::exists("/dev/full")) {
        // Every write fails there, and the link is ours to remove, not the device.
        fs::create_symlink("/dev/full", in.path / "w.part");
        CHECK_FALSE(save(packed, (in / "w").c_str()).ok());
        CHECK_FALSE(fs::exists(in.path / "w"));
    }
    std::error_code ignored;
    fs::remove(".part", ignored);
}

TEST_CASE("files that are no packed matrix are refused", "[pack]") {
    const folder in;
    CHECK(mapped_matrix((in / "missing").c_str()).status().code == errc::bad_format);
    CHECK(mapped_matrix(in.path.string().c_str()).status().code == errc::bad_format);
    const auto write = [&](std::size_t n) {
        std::ofstream(in / "f", std::ios::binary) << std::string(n, 'T');
        return mapped_matrix((in / "f").c_str()).status().code;
    };
    CHECK(write(0) == errc::bad_format);
    CHECK(write(63) == errc::bad_format);
    CHECK(write(64) == errc::bad_format);
    CHECK(write(100000) == errc::bad_format);
    const std::string file = in / "w";
    REQUIRE(save(pack<layout::ternary_2bit>(sample(40, 40, {}).view()), file.c_str()).ok());
    fs::resize_file(file, fs::file_size(file) - 1);
    const mapped_matrix truncated(file.c_str());
    CHECK(truncated.status().code == errc::bad_format);
    CHECK(truncated.view().tiles == nullptr);
}
