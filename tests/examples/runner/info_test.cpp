// SPDX-License-Identifier: MIT
// Tests of `trilobit info`: the table of types, the memory that it foretells, and JSON.
#include <algorithm>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "gguf/reader.hpp"
#include "model/forward.hpp"
#include "model/state.hpp"
#include "model/weights.hpp"
#include "program.hpp"
#include "resident.hpp"
#include "runner/memory_use.hpp"
#include "tokenizer/tokenizer.hpp"

using namespace tbx;
using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string box_model = TRILOBIT_SOURCE_DIR "/examples/models/stories-ternary.gguf";

std::string made_dummy(const scratch_folder& folder, const char* shape, gguf::tensor_type type,
                       gguf::tensor_type tables = gguf::tensor_type::f16, bool tied = false) {
    const std::string path =
        folder.path(gguf::name_of(type) + shape + gguf::name_of(tables) + (tied ? "tied" : ""));
    model::config c = model::config_of_shape(shape);
    c.tied_head = tied;
    model::write_dummy(path, c, type, 1, {}, tables);
    return path;
}

/// What `f` returns in a child of this process, whose heap is as it was: 0 to 255.
template <class F>
int in_child(F f) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(f());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Of a model of 40 to 70 MB that has filled its context: what is resident, in hundredths of what
/// was foretold. 4 MiB are the program's own pages, and the ends of large pages.
int resident_part(gguf::tensor_type tables, bool tied, model::kept_as kept) {
    const scratch_folder folder;
    model::config shape = model::config_of_shape("tiny-llama");
    shape.dim = 2048;
    shape.ffn = 8192;
    shape.key_dim = shape.value_dim = shape.rope_dim = 128;
    shape.heads = shape.kv_heads = 16;
    shape.vocab = 8192;
    shape.tied_head = tied;
    (void)in_child([&] {
        model::write_dummy(folder.path("m"), shape, gguf::tensor_type::tq2_0, 1, {}, tables);
        return 0;
    });
    return in_child([&] {
        const std::size_t before = resident_now();
        const gguf::reader file(folder.path("m"));
        const auto words = tokenizer::tokenizer::from_gguf(file);
        model::compute cpu(1);
        const auto m = model::load_transformer(cpu, file, trilobit::layout_id::ternary_2bit, {});
        constexpr std::int64_t positions = 256, batch = 32;
        model::state s(m.config, positions, batch, kept);
        for (std::int64_t at = 0; at < positions; at += batch) {
            std::vector<model::token_id> tokens(batch);
            for (std::int64_t i = 0; i < batch; ++i)
                tokens[static_cast<std::size_t>(i)] = static_cast<model::token_id>(at + i);
            (void)model::forward(cpu, m, s, tokens, model::logits_of::last);
        }
        const auto use = runner::memory_of(file, m.config, trilobit::layout_id::ternary_2bit,
                                           positions, batch, kept);
        const auto taken = static_cast<std::int64_t>(resident_now() - before);
        const std::int64_t own =
            std::min<std::int64_t>(4 << 20, std::max<std::int64_t>(0, taken - use.all()));
        return static_cast<int>(100 * (taken - own) / use.all());
    });
}

}  // namespace

TEST_CASE("info groups tensors by type, and lists them where that is asked") {
    const outcome brief = run_program({"info", "-m", tiny_model()});
    CHECK(brief.status == 0);
    CHECK_THAT(brief.out, ContainsSubstring("TQ2_0") && ContainsSubstring("bits/weight") &&
                              ContainsSubstring("keys and values") &&
                              !ContainsSubstring("blk.1.ffn_down.weight"));
    CHECK_THAT(run_program({"info", "-m", tiny_model(), "--tensors"}).out,
               ContainsSubstring("blk.1.ffn_down.weight"));
    const outcome far = run_program({"info", "-m", tiny_model(), "-c", "100000"});
    CHECK(far.status == 1);
    CHECK(far.complained());
    CHECK_THAT(far.err, ContainsSubstring("--context: the model was trained for"));
}

TEST_CASE("info as JSON has what the text has, and sums that are right") {
    const auto all = nlohmann::json::parse(
        run_program({"info", "-m", tiny_model(), "-c", "64", "--tensors", "--json"}).out);
    const gguf::reader file(tiny_model());
    CHECK(all.at("model").at("architecture") == "bitnet-b1.58");
    CHECK(all.at("tensors").size() == file.tensors().size());
    CHECK(all.at("metadata").size() == file.entries().size());
    std::uint64_t bytes = 0;
    for (const gguf::tensor& t : file.tensors()) bytes += t.data.size();
    CHECK(all.at("types").back().at("type") == "all");
    CHECK(all.at("types").back().at("bytes") == bytes);
    for (const auto& t : all.at("types"))
        if (t.at("type") == "TQ2_0") CHECK(t.at("bits_per_weight") == 2.0625);
    CHECK(all.at("memory").at("context") == 64);
    CHECK_FALSE(nlohmann::json::parse(run_program({"info", "-m", tiny_model(), "--json"}).out)
                    .contains("tensors"));
}

TEST_CASE("info foretells the memory that a loaded model takes") {
    const scratch_folder folder;
    for (const std::string& path :
         {box_model, tiny_model(), made_dummy(folder, "tiny-llama", gguf::tensor_type::q2_0),
          made_dummy(folder, "tiny-llama", gguf::tensor_type::q1_0),
          made_dummy(folder, "tiny", gguf::tensor_type::i2_s),
          made_dummy(folder, "tiny", gguf::tensor_type::tq2_0, gguf::tensor_type::q4_k),
          made_dummy(folder, "tiny", gguf::tensor_type::tq2_0, gguf::tensor_type::q1_0),
          made_dummy(folder, "tiny", gguf::tensor_type::tq2_0, gguf::tensor_type::q1_0, true)}) {
        CAPTURE(path);
        const gguf::reader file(path);
        model::compute cpu(1);
        const auto loaded =
            model::load_transformer(cpu, file, trilobit::layout_id::ternary_2bit, [](double) {});
        const model::config& c = loaded.config;
        const auto foretold = [&](model::kept_as kept) {
            return runner::memory_of(file, c, trilobit::layout_id::ternary_2bit, 100, 32, kept);
        };
        const runner::memory_use use = foretold(model::kept_as::f16);
        const bool packed_head = loaded.weights.head.packed() != nullptr;
        std::int64_t packed = packed_head ? loaded.weights.head.bytes() : 0;
        for (const model::layer_weights& l : loaded.weights.layers)
            gguf::each_tensor(
                c.widths(),
                [&](const auto&, const auto& t) {
                    if constexpr (std::is_same_v<std::decay_t<decltype(t)>, model::linear>)
                        packed += t.bytes();
                },
                l);
        // At most: equal scales are kept once, and dead neurons not at all.
        CHECK(use.packed >= packed);
        CHECK(static_cast<double>(use.packed) < 1.2 * static_cast<double>(packed));
        for (const auto kept : {model::kept_as::f16, model::kept_as::q8, model::kept_as::f32})
            CHECK(foretold(kept).cache == model::kv_cache(c, 100, kept).bytes());
        std::int64_t mapped = 0;
        for (const gguf::tensor& t : file.tensors())
            if (gguf::few_levels(t.type) == nullptr || t.name == "token_embd.weight")
                mapped += std::ssize(t.data);
        CHECK(use.mapped == mapped);
        CHECK(use.all() == use.mapped + use.packed + use.cache + use.scratch + use.words);
    }
}

TEST_CASE("what info foretells is what becomes resident, within a tenth") {
    if (resident_now() == 0) SKIP("this system does not tell");
    const auto [tables, tied, kept] = GENERATE(table<gguf::tensor_type, bool, model::kept_as>(
        {{gguf::tensor_type::tq2_0, false, model::kept_as::f32},
         {gguf::tensor_type::q4_k, true, model::kept_as::q8},
         {gguf::tensor_type::f16, true, model::kept_as::f16}}));
    CAPTURE(gguf::name_of(tables), tied);
    const int part = resident_part(tables, tied, kept);
    CHECK(part >= 90);
    CHECK(part <= 110);
}

TEST_CASE("info counts keys and values as they will be kept") {
    const auto bytes = [](const char* kind) {
        const outcome o = run_program({"info", "-m", tiny_model(), "--json", "--cache", kind});
        const auto memory = nlohmann::json::parse(o.out).at("memory");
        CHECK(memory.at("cache") == kind);
        return memory.at("cache_bytes").get<std::int64_t>();
    };
    CHECK(bytes("f32") == 2 * bytes("f16"));
    CHECK(bytes("q8") < bytes("f16"));
    CHECK_THAT(run_program({"info", "-m", tiny_model(), "--cache", "q8"}).out,
               ContainsSubstring("positions, as q8"));
}
