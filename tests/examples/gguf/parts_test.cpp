// SPDX-License-Identifier: MIT
// Tests of room gguf: a model in several files is read as one, from whichever of them is given, and
// files that are no whole say what is wrong.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "../support/scratch_folder.hpp"
#include "gguf/reader.hpp"
#include "test_bytes.hpp"

using namespace tbx;
using gguf::value_type;
using testing::bytes_of;
using testing::gguf_bytes;
using testing::scratch_folder;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Equals;

namespace {

/// One part as llama-gguf-split writes it: u16, u16 and i32.
struct part {
    std::uint16_t number = 0, count = 1;
    std::int32_t tensors = 0;
    std::vector<std::string> names;  // of tensors of one float, the name's last character
    std::string model;               // general.name; empty: the key is absent

    [[nodiscard]] std::string bytes(std::size_t alignment = 32) const {
        gguf_bytes file(names.size(), (model.empty() ? 3u : 4u) + (alignment != 32));
        if (!model.empty()) file.entry("general.name", model);
        if (alignment != 32)
            file.entry("general.alignment", value_type::u32, static_cast<std::uint32_t>(alignment));
        file.entry("split.no", value_type::u16, number)
            .entry("split.count", value_type::u16, count)
            .entry("split.tensors.count", value_type::i32, tensors);
        for (std::size_t i = 0; i < names.size(); ++i) file.tensor(names[i], {1}, 0, i * alignment);
        for (const std::string& name : names)
            file.pad(alignment).number(static_cast<float>(name.back()));
        return file.pad(alignment).string();
    }
};

/// "m-00001-of-00003.gguf" and so on; `model` is in the first.
std::vector<part> three_parts() {
    return {{0, 3, 4, {"a", "b"}, "story"}, {1, 3, 4, {"c"}, ""}, {2, 3, 4, {"d"}, ""}};
}

std::string name_of(int number, int count = 3) {
    return "m-0000" + std::to_string(number) + "-of-0000" + std::to_string(count) + ".gguf";
}

void write(const scratch_folder& folder, const std::vector<part>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i)
        (void)folder.file(name_of(static_cast<int>(i) + 1, static_cast<int>(parts.size())),
                          parts[i].bytes());
}

float value_of(const gguf::reader& file, const char* tensor) {
    float value = 0;
    std::memcpy(&value, file.require_tensor(tensor).data.data(), sizeof value);
    return value;
}

}  // namespace

TEST_CASE("any part brings the whole model, which has no trace of parts") {
    const scratch_folder folder;
    write(folder, three_parts());
    const int given = GENERATE(1, 2, 3);
    const gguf::reader file(folder.path(name_of(given)));
    CHECK(file.parts().size() == 3);
    CHECK(file.name() == folder.path(name_of(1)));
    REQUIRE(file.tensors().size() == 4);
    for (const char* name : {"a", "b", "c", "d"}) CHECK(value_of(file, name) == float(*name));
    CHECK(file.get<std::string>("general.name") == "story");
    CHECK(file.entries().size() == 1);
    CHECK_FALSE(file.has("split.count"));
    CHECK_NOTHROW(file.require_whole());
    const gguf::reader moved = gguf::reader(folder.path(name_of(given)));
    CHECK(value_of(moved, "d") == 'd');
#if !defined(_WIN32)  // where nobody can cut short what is mapped
    std::filesystem::resize_file(folder.path(name_of(3)), 1);
    CHECK_THROWS_WITH(file.require_whole(), ContainsSubstring(name_of(3)));
#endif
}

TEST_CASE("a first part without tensors, parts of other alignment, and a whole of one part") {
    const scratch_folder folder;
    auto parts = three_parts();
    parts[0].names = {};
    parts[0].tensors = parts[1].tensors = parts[2].tensors = 2;
    write(folder, parts);
    (void)folder.file(name_of(2), parts[1].bytes(64));
    const gguf::reader file(folder.path(name_of(1)));
    CHECK(file.tensors().size() == 2);
    CHECK(value_of(file, "c") == 'c');
    const gguf::reader one(folder.file("any name", part{0, 1, 1, {"a"}, "story"}.bytes()));
    CHECK(value_of(one, "a") == 'a');
    CHECK_FALSE(one.has("split.count"));
}

TEST_CASE("a part that is missing is named, with how many there are") {
    const scratch_folder folder;
    write(folder, three_parts());
    const auto [lost, given] = GENERATE(table<int, int>({{2, 1}, {3, 1}, {1, 3}, {3, 2}}));
    std::filesystem::remove(folder.path(name_of(lost)));
    const std::string path = folder.path(name_of(given));
    CHECK_THROWS_WITH(gguf::reader(path),
                      Equals(path + ": is part " + std::to_string(given) +
                             " of 3 of a model; part " + std::to_string(lost) +
                             " of 3 is missing: " + folder.path(name_of(lost))));
}

TEST_CASE("parts that do not belong together are refused") {
    const scratch_folder folder;
    auto parts = three_parts();
    const auto message = [&] {
        write(folder, parts);
        try {
            (void)gguf::reader(folder.path(name_of(1)));
            return std::string();
        } catch (const error& e) {
            return std::string(e.what());
        }
    };
    CHECK(message().empty());
    parts[1].number = 2;
    CHECK_THAT(message(),
               ContainsSubstring(name_of(2) + ": is part 3 of 3 of a model, not part 2"));
    parts = three_parts();
    parts[2].count = 4;
    CHECK_THAT(message(),
               ContainsSubstring(name_of(3) + ": is part 3 of 4 of a model, not part 3"));
    parts = three_parts();
    parts[1].tensors = 5;
    CHECK_THAT(message(), ContainsSubstring("metadata key 'split.tensors.count' differs"));
    parts = three_parts();
    parts[2].model = "another";
    CHECK_THAT(message(), ContainsSubstring("metadata key 'general.name' differs"));
    parts[2].model = "story";
    CHECK(message().empty());
    parts = three_parts();
    for (part& p : parts) p.tensors = 7;
    CHECK_THAT(message(), ContainsSubstring("has 4 tensors in 3 parts and says that there are 7"));
    parts = three_parts();
    parts[2].names = {"a"};
    CHECK_THAT(message(), ContainsSubstring("has tensor 'a' twice"));
    parts = three_parts();
    parts[0].number = 3;
    CHECK_THAT(message(), ContainsSubstring("claims to be part 4 of 3"));
}

TEST_CASE("a part under a name that does not lead to the others") {
    const scratch_folder folder;
    const part first = three_parts()[0];
    const std::string path = folder.file("renamed.gguf", first.bytes());
    CHECK_THROWS_WITH(gguf::reader(path),
                      Equals(path + ": is part 1 of 3 of a model, and the others cannot be found, "
                                    "since its name does not end in '-00001-of-00003.gguf'"));
    const std::string bytes = first.bytes();
    CHECK_THROWS_WITH(gguf::reader("memory", bytes_of(bytes)),
                      Equals("memory: is part 1 of 3 of a model"));
}
