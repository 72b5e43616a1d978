// SPDX-License-Identifier: MIT
// Room tests/examples/train: the teacher and the model in the box, as far as they are at hand.
// Enters: real files. Leaves: a failure where they tell another story than they should.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <limits>

#include "gguf/reader.hpp"
#include "llama2c/convert.hpp"
#include "scratch.hpp"
#include "tokenizer/tokenizer.hpp"
#include "train/model_file.hpp"
#include "train/sampler.hpp"

using namespace tbx::train;
namespace fs = std::filesystem;

namespace {

std::string greedy_story(const std::string& path) {
    const loaded_model m = load_model(path);
    const tbx::gguf::reader file(path);
    const auto words = tbx::tokenizer::tokenizer::from_gguf(file);
    decoder model(m.config, m.parameters, 1);
    sample_options o;
    o.bos = words.vocab().bos;
    o.end = words.vocab().eos;
    o.temperature = 0;
    o.texts_at_once = 1;
    o.tokens = 1;  // one text, however long
    std::string story;
    sample(
        model, o, [&](const std::vector<int>& ids, bool) { story = words.decode(ids); },
        [](std::int64_t) { return true; });
    return story;
}

}  // namespace

TEST_CASE("the converted teacher tells the published story") {
    const fs::path data = TRILOBIT_EXTERNAL_DATA;
    if (!fs::exists(data / "stories260K.bin")) SKIP("no story model at hand");
    const scratch::folder folder;
    const std::string path = folder / "teacher.gguf";
    tbx::llama2c::convert((data / "stories260K.bin").string(), (data / "tok512.bin").string(),
                          path);
    CHECK_THAT(greedy_story(path),
               Catch::Matchers::StartsWith(
                   "Once upon a time, there was a little girl named Lily. She loved to play "
                   "outside in the park. One day, she saw a big, red ball. She wanted to play "
                   "with it, but it was too high.\nLily's mom said, "));
}

TEST_CASE("the model in the box is small, ternary and tells a story") {
    const fs::path path = fs::path(TRILOBIT_SOURCE_DIR) / "examples/models/stories-ternary.gguf";
    REQUIRE(fs::exists(path));
    CHECK(fs::file_size(path) <= 2'000'000);
    CHECK(load_model(path.string()).config.quantised);
    const std::string story = greedy_story(path.string());
    CHECK_THAT(story, Catch::Matchers::StartsWith("Once upon a time, there was a little girl named "
                                                  "Lily. She loved to play outside"));
    // Further on, near ties fall as the last bits of a build's sums let them.
    CHECK(story.size() > 300);
}
