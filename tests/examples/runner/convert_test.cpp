// SPDX-License-Identifier: MIT
// Tests of `trilobit convert` on GGUF files: ternary weights lose nothing whatever they were stored
// as, and metadata pass as they are.
#include <algorithm>
#include <filesystem>
#include <functional>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../gguf/test_bytes.hpp"
#include "gguf/quantize.hpp"
#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "program.hpp"

using namespace tbx;
using testing::outcome;
using testing::run_program;
using testing::scratch_folder;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string dummy_of(const scratch_folder& folder, const char* name, gguf::tensor_type type) {
    model::write_dummy(folder.path(name), model::config_of_shape("tiny"), type, 1, {});
    return folder.path(name);
}

void check_same_tensors(const std::string& path, const std::string& expected) {
    const gguf::reader found(path), wanted(expected);
    REQUIRE(found.tensors().size() == wanted.tensors().size());
    for (const gguf::tensor& t : wanted.tensors()) {
        const gguf::tensor& f = found.require_tensor(t.name);
        INFO(t.name);
        CHECK(f.type == t.type);
        CHECK(std::equal(f.data.begin(), f.data.end(), t.data.begin(), t.data.end()));
    }
}

/// One linear layer of two rows, w[row][column] = value(row, column).
std::string one_linear(const scratch_folder& folder, const std::function<float(int, int)>& value) {
    std::vector<float> values;
    for (int row = 0; row < 2; ++row)
        for (int col = 0; col < 256; ++col) values.push_back(value(row, col));
    gguf::writer out(folder.path("one.gguf"));
    out.add_tensor("blk.0.attn_q.weight", gguf::tensor_type::f32, {256, 2});
    out.append(std::as_bytes(std::span(values)));
    out.finish();
    return folder.path("one.gguf");
}

}  // namespace

TEST_CASE("convert: floats that are ternary become the file that they came from") {
    const scratch_folder folder;
    for (const auto& [name, type, floats] :
         {std::tuple{"TQ2_0", gguf::tensor_type::tq2_0, gguf::tensor_type::f16},
          {"TQ1_0", gguf::tensor_type::tq1_0, gguf::tensor_type::f16},
          {"I2_S", gguf::tensor_type::i2_s, gguf::tensor_type::f32}}) {
        const std::string expected = dummy_of(folder, "expected", type);
        const std::string source = dummy_of(folder, "source", floats);
        const outcome o =
            run_program({"convert", source, "--type", name, "-o", folder.path("converted")});
        INFO(name << ": " << o.err);
        REQUIRE(o.status == 0);
        check_same_tensors(folder.path("converted"), expected);
    }
}

TEST_CASE("convert: ternary to floats and back, and from one ternary type to another") {
    const scratch_folder folder;
    const std::string tq2 = dummy_of(folder, "tq2", gguf::tensor_type::tq2_0);
    const auto convert = [&](const std::string& from, const char* type) {
        const std::string to = from + "." + type;
        const outcome o = run_program({"convert", from, "--type", type, "-o", to});
        INFO(o.err);
        REQUIRE(o.status == 0);
        return to;
    };
    check_same_tensors(convert(convert(tq2, "F16"), "TQ2_0"), tq2);
    check_same_tensors(convert(convert(tq2, "I2_S"), "TQ2_0"), tq2);
    check_same_tensors(convert(convert(tq2, "TQ1_0"), "TQ2_0"), tq2);
    // What the header says of the layers' type follows them.
    CHECK(gguf::reader(tq2 + ".F16").get<int>("general.file_type") == 1);
    CHECK(gguf::reader(tq2 + ".TQ1_0").get<int>("general.file_type") == 36);
    CHECK(gguf::reader(tq2 + ".I2_S").get<int>("general.file_type") == 40);
}

TEST_CASE("convert: codes without meaning do not become floats") {
    const scratch_folder folder;
    std::string bytes = testing::content_of(testing::tiny_model());
    const gguf::reader file("tiny", testing::bytes_of(bytes));
    const auto data = file.require_tensor("blk.1.ffn_up.weight").data;
    const auto at = data.data() - testing::bytes_of(bytes).data();
    bytes[static_cast<std::size_t>(at)] = '\xff';
    const outcome o = run_program({"convert", folder.file("damaged.gguf", bytes), "--type", "F16",
                                   "-o", folder.path("never")});
    CHECK(o.status == 1);
    CHECK(o.complained());
    CHECK_THAT(o.err, ContainsSubstring("'blk.1.ffn_up.weight', row 0: holds a code"));
    CHECK_FALSE(std::filesystem::exists(folder.path("never")));
}

TEST_CASE("convert: what the type cannot hold is refused, naming file and tensor") {
    const scratch_folder folder;
    const auto refused = [&](const std::string& path, const char* type, const char* why) {
        const outcome o =
            run_program({"convert", path, "--type", type, "-o", folder.path("never")});
        INFO(o.err);
        CHECK(o.status == 1);
        CHECK(o.complained());
        CHECK_THAT(o.err,
                   ContainsSubstring("one.gguf: blk.0.attn_q.weight: ") && ContainsSubstring(why));
        CHECK_FALSE(std::filesystem::exists(folder.path("never")));
    };
    const std::string rows =
        one_linear(folder, [](int r, int c) { return float(c % 3 - 1) * (r == 0 ? 0.5f : 0.25f); });
    refused(rows, "I2_S", "several scales");
    CHECK(run_program({"convert", rows, "--type", "TQ2_0", "-o", folder.path("t")}).status == 0);
    const std::string halves =
        one_linear(folder, [](int, int c) { return float(c % 3 - 1) * (c < 128 ? 0.5f : 0.25f); });
    for (const char* type : {"TQ1_0", "TQ2_0", "I2_S"}) refused(halves, type, "several scales");
    const std::string large = one_linear(folder, [](int, int c) { return float(c) * 1000.0f; });
    refused(large, "F16", "too large for half precision");
    const std::string infinite = one_linear(folder, [](int, int c) { return 1e38f * float(c); });
    for (const char* type : {"F16", "BF16", "Q8_0", "TQ2_0", "I2_S"})
        refused(infinite, type, "a weight is NaN or infinite");
}

TEST_CASE("convert: metadata pass as they are, whatever their type") {
    using gguf::value_type;
    const scratch_folder folder;
    testing::gguf_bytes file(0, 9);
    file.entry<double>("f64", value_type::f64, 1e300)
        .entry<std::uint16_t>("u16", value_type::u16, 7)
        .entry<std::uint32_t>("general.file_type", value_type::u32, 1)
        .entry<std::uint32_t>("general.alignment", value_type::u32, 64);
    file.array("bools", value_type::boolean, 2).number<std::uint8_t>(1).number<std::uint8_t>(0);
    file.array("bytes", value_type::u8, 2).number<std::uint8_t>(1).number<std::uint8_t>(255);
    file.array("counts", value_type::u32, 1).number<std::uint32_t>(4000000000u);
    file.array("doubles", value_type::f64, 1).number(1e-300);
    file.array("nested", value_type::array, 1)
        .number(static_cast<std::uint32_t>(value_type::string))
        .number<std::uint64_t>(1)
        .text("deep");
    file.pad(64);
    const std::string from = folder.file("in.gguf", file.string()), to = folder.path("out.gguf");
    const outcome o = run_program({"convert", from, "--type", "TQ2_0", "-o", to});
    INFO(o.err);
    REQUIRE(o.status == 0);
    const gguf::reader in(from), out(to);
    for (const gguf::entry& e : in.entries()) {
        if (e.key.starts_with("general.")) continue;
        INFO(e.key);
        const gguf::entry* copy = out.find(e.key);
        REQUIRE(copy != nullptr);
        CHECK(copy->type == e.type);
        CHECK(copy->element == e.element);
        CHECK(copy->count == e.count);
        CHECK(std::equal(copy->bytes.begin(), copy->bytes.end(), e.bytes.begin(), e.bytes.end()));
    }
    CHECK(out.get<int>("general.file_type") == 37);
    CHECK(out.entries().size() == in.entries().size() - 1);  // without the alignment
}

TEST_CASE("convert: --pre names the pre-tokenizer and leaves the rest") {
    const scratch_folder folder;
    const std::vector<float> weights(256, 0.5f);
    for (const bool named : {false, true}) {
        gguf::writer out(folder.path("in.gguf"));
        out.set("tokenizer.ggml.model", "gpt2");
        if (named) out.set("tokenizer.ggml.pre", "nonesuch");
        out.add_tensor("blk.0.attn_q.weight", gguf::tensor_type::f32, {256});
        out.append(std::as_bytes(std::span(weights)));
        out.finish();
        const std::string to = folder.path("out.gguf");
        REQUIRE(
            run_program({"convert", folder.path("in.gguf"), "--pre", "qwen2", "-o", to}).status ==
            0);
        CHECK(gguf::reader(to).get<std::string>("tokenizer.ggml.pre") == "qwen2");
        CHECK(gguf::reader(to).entries().size() == 2);
        check_same_tensors(to, folder.path("in.gguf"));
    }
    const outcome unknown =
        run_program({"convert", folder.path("in.gguf"), "--pre", "nonesuch", "-o", "x"});
    CHECK(unknown.status == 2);
    CHECK(unknown.complained());
    CHECK_THAT(unknown.err, ContainsSubstring("llama-bpe"));
    const outcome other =
        run_program({"convert", testing::tiny_model(), "--pre", "qwen2", "-o", "x"});
    CHECK(other.status == 1);
    CHECK(other.complained());
    CHECK_FALSE(std::filesystem::exists("x"));
}

TEST_CASE("convert: embedding and head become what is asked, and nothing else changes") {
    const scratch_folder folder;
    const std::string source = dummy_of(folder, "source", gguf::tensor_type::tq2_0);
    const auto converted = [&](const std::vector<std::string>& how) {
        std::vector<std::string> all = {"convert", source, folder.path("out")};
        all.insert(all.end(), how.begin(), how.end());
        const outcome o = run_program(all);
        INFO(o.err);
        REQUIRE(o.status == 0);
        return o;
    };
    const gguf::reader was(source);
    for (const char* name : {"F32", "F16", "Q8_0", "Q6_K", "TQ2_0", "TQ1_0", "Q1_0", "I2_S"}) {
        INFO(name);
        const outcome o = converted({"--embedding", name, "--head", "Q8_0"});
        const gguf::reader is(folder.path("out"));
        CHECK(gguf::name_of(is.require_tensor("token_embd.weight").type) == name);
        CHECK(is.require_tensor("output.weight").type == gguf::tensor_type::q8_0);
        CHECK(is.tensors().size() == was.tensors().size() + 1);
        const auto& q = is.require_tensor("blk.0.attn_q.weight");
        CHECK(std::ranges::equal(q.data, was.require_tensor("blk.0.attn_q.weight").data));
        // What is lost is said; floats hold all halves.
        CHECK((o.out.find("token_embd.weight: rounded to") == o.out.npos) == (name[0] == 'F'));
        CHECK(run_program({"run", "-m", folder.path("out"), "-n", "3"}).status == 0);
    }
    // A tied head follows; one with a type of its own is parted, and its numbers are the same.
    converted({"--embedding", "F32"});
    const auto logits = [&](const std::string& path) {
        return run_program({"logits", "-m", path, "--tokens", "1,300,20"}).out;
    };
    CHECK(gguf::reader(folder.path("out")).find_tensor("output.weight") == nullptr);
    const bool tied = logits(folder.path("out")) == logits(source);
    CHECK(tied);
    converted({"--head", "F16"});
    const bool parted = logits(folder.path("out")) == logits(source);
    CHECK(parted);
    // With images beside.
    converted({"--to", "packed", "--head", "TQ2_0"});
    CHECK(run_program({"run", "-m", folder.path("out"), "-n", "3"}).status == 0);
    for (const char* none : {"packed", "Q4_K", "x"}) {
        const outcome o =
            run_program({"convert", source, folder.path("never"), "--embedding", none});
        CHECK((o.status == 2 && o.complained()));
    }
}
