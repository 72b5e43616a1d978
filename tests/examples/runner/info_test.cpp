// SPDX-License-Identifier: MIT
// Tests of `trilobit info`: the table of types, the memory that it foretells, and JSON.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "gguf/reader.hpp"
#include "model/state.hpp"
#include "model/weights.hpp"
#include "program.hpp"
#include "runner/memory_use.hpp"

using namespace tbx;
using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string box_model = TRILOBIT_SOURCE_DIR "/examples/models/stories-ternary.gguf";

std::string made_dummy(const scratch_folder& folder, const char* shape, gguf::tensor_type type) {
    const std::string path = folder.path(gguf::name_of(type) + shape);
    model::write_dummy(path, model::config_of_shape(shape), type, 1, {});
    return path;
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
          made_dummy(folder, "tiny", gguf::tensor_type::i2_s)}) {
        CAPTURE(path);
        const gguf::reader file(path);
        model::compute cpu(1);
        const auto loaded =
            model::load_transformer(cpu, file, trilobit::layout_id::ternary_2bit, [](double) {});
        const model::config& c = loaded.config;
        const runner::memory_use use =
            runner::memory_of(file, c, trilobit::layout_id::ternary_2bit, 100, 32);
        std::int64_t packed = 0;
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
        const model::kv_cache cache(c, 128);  // 100 positions are four blocks
        CHECK(use.cache == 128 * cache.bytes_per_position(c.layers));
        CHECK(use.mapped > 0);
        CHECK(use.all() == use.mapped + use.packed + use.cache + use.scratch);
    }
}
