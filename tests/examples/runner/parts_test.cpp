// SPDX-License-Identifier: MIT
// Tests of the runner: a model in two files is one model to every command, and metadata that
// llama.cpp reads in its own way are read so.
#include <functional>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "program.hpp"

using namespace tbx;
using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Tensors [begin, end) of the model and the entries that `more` adds, in a file of their own.
std::string extract(const gguf::reader& from, const std::string& path, bool entries,
                    std::size_t begin, std::size_t end,
                    const std::function<void(gguf::writer&)>& more) {
    gguf::writer to(path);
    for (const gguf::entry& e : from.entries())
        if (entries) to.copy(e);
    more(to);
    const auto some = from.tensors().subspan(begin, end - begin);
    for (const gguf::tensor& t : some)
        to.add_tensor(t.name, t.type,
                      std::span(t.extent.data(), static_cast<std::size_t>(t.dimensions)));
    for (const gguf::tensor& t : some) to.append(t.data);
    to.finish();
    return path;
}

std::string write_part(const gguf::reader& from, const scratch_folder& folder, std::uint32_t number,
                       std::size_t begin, std::size_t end) {
    const std::string name = "m-0000" + std::to_string(number + 1) + "-of-00002.gguf";
    return extract(from, folder.path(name), number == 0, begin, end, [&](gguf::writer& to) {
        to.set("split.no", number);
        to.set("split.count", std::uint32_t{2});
        to.set("split.tensors.count", static_cast<std::int32_t>(from.tensors().size()));
    });
}

std::string logits(const std::string& path) {
    const outcome o = run_program({"logits", "-m", path, "--tokens", "1,400,300,20"});
    INFO(o.err);
    CHECK(o.status == 0);
    return o.out;
}

}  // namespace

TEST_CASE("every command sees a model in two parts whole") {
    const scratch_folder folder;
    const std::string& whole = tiny_model();
    const gguf::reader from(whole);
    const std::size_t all = from.tensors().size();
    const std::string first = write_part(from, folder, 0, 0, 7);
    const std::string second = write_part(from, folder, 1, 7, all);

    const std::string right = logits(whole);
    const bool same = logits(first) == right && logits(second) == right;
    CHECK(same);
    CHECK(run_program({"tokenize", "-m", second, "-p", "kalo"}).out ==
          run_program({"tokenize", "-m", whole, "-p", "kalo"}).out);
    const outcome info = run_program({"info", "-m", first, "--tensors"});
    CHECK_THAT(info.out, ContainsSubstring("in 2 parts") &&
                             ContainsSubstring(std::to_string(all) + " tensors") &&
                             ContainsSubstring("blk.1.ffn_down.weight") &&
                             !ContainsSubstring("split."));

    std::filesystem::remove(second);
    for (const auto& command : {std::vector<std::string>{"run", "-n", "1"}, {"info"}}) {
        auto arguments = command;
        arguments.insert(arguments.end(), {"-m", first});
        const outcome o = run_program(arguments);
        CHECK(o.status == 1);
        CHECK(o.complained());
        CHECK_THAT(o.err, ContainsSubstring("part 2 of 2 is missing: " + second));
    }
}

TEST_CASE("convert makes one file of two") {
    const scratch_folder folder;
    model::write_dummy(folder.path("f.gguf"), model::config_of_shape("tiny"),
                       gguf::tensor_type::f32, 1, {});
    const gguf::reader from(folder.path("f.gguf"));
    const std::string first = write_part(from, folder, 0, 0, 7);
    (void)write_part(from, folder, 1, 7, from.tensors().size());
    const outcome o =
        run_program({"convert", first, "--type", "F16", "-o", folder.path("whole.gguf")});
    INFO(o.err);
    REQUIRE(o.status == 0);
    REQUIRE(run_program({"convert", folder.path("f.gguf"), "--type", "F16", "-o",
                         folder.path("plain.gguf")})
                .status == 0);
    const bool same =
        content_of(folder.path("whole.gguf")) == content_of(folder.path("plain.gguf"));
    CHECK(same);
}

TEST_CASE("a RoPE factor without a type is linear, and per-layer numbers are one number") {
    const scratch_folder folder;
    const gguf::reader from(tiny_model());
    const auto with = [&](const char* name, const std::function<void(gguf::writer&)>& more) {
        return logits(extract(from, folder.path(name), true, 0, from.tensors().size(), more));
    };
    const std::string linear = with("linear.gguf", [](gguf::writer& to) {
        to.set("bitnet-b1.58.rope.scaling.factor", 4.0f);
        to.set("bitnet-b1.58.rope.scaling.type", "linear");
    });
    const std::string typeless = with("typeless.gguf", [](gguf::writer& to) {
        to.set("bitnet-b1.58.rope.scaling.factor", 4.0f);
    });
    const std::string old =
        with("old.gguf", [](gguf::writer& to) { to.set("bitnet-b1.58.rope.scale_linear", 4.0f); });
    const bool scaled = linear != logits(tiny_model()), same = typeless == linear;
    CHECK(scaled);
    CHECK(same);
    const bool as_old = old == linear;
    CHECK(as_old);
}
