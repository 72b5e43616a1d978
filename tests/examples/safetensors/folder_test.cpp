// SPDX-License-Identifier: MIT
// Tests of folders of safetensors: files and their index have to agree, and an index names files of
// its own folder alone.
#include "safetensors/folder.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../support/scratch_folder.hpp"
#include "safetensors/writer.hpp"
#include "support/error.hpp"

using namespace tbx;
using Catch::Matchers::ContainsSubstring;
using testing::scratch_folder;

namespace {

void write(const std::string& path, const std::vector<std::string>& names) {
    safetensors::writer w;
    const float value = 1;
    for (const std::string& name : names)
        w.add(name, safetensors::dtype::f32, {1}, std::as_bytes(std::span(&value, 1)));
    w.save(path);
}

std::string refusal(const scratch_folder& at) {
    try {
        const safetensors::folder read(at.path(""));
    } catch (const error& e) {
        return e.what();
    }
    return "nothing was refused";
}

}  // namespace

TEST_CASE("safetensors: a model of two files is one") {
    const scratch_folder at;
    CHECK_THAT(refusal(at), ContainsSubstring("has neither model.safetensors nor"));
    write(at.path("one.safetensors"), {"a", "b"});
    write(at.path("two.safetensors"), {"c"});
    const auto index = [&](const char* map) {
        (void)at.file("model.safetensors.index.json",
                      std::string(R"({"metadata":{"total_size":12},"weight_map":)") + map + "}");
    };
    index(R"({"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"})");
    const safetensors::folder read(at.path(""));
    CHECK(read.parts().size() == 2);
    CHECK((read.find("a") != nullptr && read.find("c") != nullptr && read.find("d") == nullptr));

    index(R"({"a":"one.safetensors","c":"two.safetensors"})");
    CHECK_THAT(refusal(at), ContainsSubstring("one.safetensors: has tensor 'b'"));
    index(R"({"a":"one.safetensors","b":"one.safetensors","d":"two.safetensors"})");
    CHECK_THAT(refusal(at), ContainsSubstring("two.safetensors: lacks tensor 'd'"));
    index(R"({"a":"one.safetensors","b":"one.safetensors","c":"three.safetensors"})");
    CHECK_THAT(refusal(at), ContainsSubstring("'three.safetensors', which is missing"));
    for (const char* where : {"../one.safetensors", "/etc/passwd", "sub/one.safetensors", "one.bin",
                              "..\\\\one.safetensors", ".safetensors", "c:x.safetensors"}) {
        index((std::string(R"({"a":")") + where + R"("})").c_str());
        CHECK_THAT(refusal(at), ContainsSubstring("names no file of this folder"));
    }
    for (const char* map : {"7", "null", "[]"}) {
        index(map);
        CHECK_THAT(refusal(at), ContainsSubstring("has no weight_map"));
    }
    index("{}");
    CHECK_THAT(refusal(at), ContainsSubstring("names no file"));
    index(R"({"a":"one.safetensors","a":"two.safetensors"})");
    CHECK_THAT(refusal(at), ContainsSubstring("'a' twice"));
}
