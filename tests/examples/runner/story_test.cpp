// SPDX-License-Identifier: MIT
// Real trained models, asked: one tells the text that its author published, the one in the box the
// same with each head and by the lesson.
#include <filesystem>

#include <catch2/catch_test_macros.hpp>

#include "program.hpp"

#define main lesson_main
#include "08_transformer.cpp"
#undef main

using namespace tbx::testing;

TEST_CASE("stories260K tells its published story") {
    const std::string folder_of_data = TRILOBIT_EXTERNAL_DATA;
    if (!std::filesystem::exists(folder_of_data + "/stories260K.bin"))
        SKIP("stories260K.bin is not there");
    const scratch_folder folder;
    const outcome made = run_program({"convert", folder_of_data + "/stories260K.bin", "--tokenizer",
                                      folder_of_data + "/tok512.bin", "-o", folder.path("s.gguf")});
    INFO(made.err);
    REQUIRE(made.status == 0);
    const std::string story =
        "Once upon a time, there was a little girl named Lily. She loved to play outside in the "
        "park. "
        "One day, she saw a big, red ball. She wanted to play with it, but it was too high.\n"
        "Lily's mom said,";
    const outcome from_nothing = run_program({"run", "-m", folder.path("s.gguf"), "-n", "200"});
    CHECK(from_nothing.out.starts_with(story));
    const outcome prompted =
        run_program({"run", "-m", folder.path("s.gguf"), "-p", "Once upon a time", "-n", "120"});
    CHECK(prompted.out.starts_with(story));
    CHECK(run_program({"convert", folder_of_data + "/stories260K.bin", "-o", folder.path("x")})
              .status == 1);
}

TEST_CASE("the lesson tells the story in the box as the runner does") {
    const std::string box = TRILOBIT_SOURCE_DIR "/examples/models/stories-ternary.gguf";
    // A story without two tokens so close that the order of a sum of floats decides.
    constexpr int tokens = 150;
    std::string told;
    lesson::tell(tbx::gguf::reader(box), "One sunny day", tokens,
                 [&](const std::string& s) { told += s; });
    const outcome run = run_program(
        {"run", "-m", box, "-p", "One sunny day", "--temp", "0", "-n", std::to_string(tokens)});
    REQUIRE(run.status == 0);
    CHECK(told.size() > 300);
    CHECK(told == run.out);
}

TEST_CASE("the story in the box is the same from a head of two stages") {
    const std::string box = TRILOBIT_SOURCE_DIR "/examples/models/stories-ternary.gguf";
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{"--temp", "0"},
          {"--temp", "0", "-t", "2", "-b", "3"},
          {"--temp", "0.9", "--top-k", "40", "--seed", "3"},
          {"--temp", "1.1", "--top-k", "8", "--top-p", "0.8", "--seed", "4"},
          {"--temp", "0.8", "--seed", "5"}}) {
        std::vector<std::string> arguments = {"run", "-m", box, "-p", "Once upon a time",
                                              "-n",  "200"};
        arguments.insert(arguments.end(), how.begin(), how.end());
        const outcome full = run_program(arguments);
        arguments.insert(arguments.end(), {"--head", "two-stage"});
        const outcome two_stage = run_program(arguments);
        INFO(two_stage.err);
        REQUIRE(full.status == 0);
        CHECK(full.out.size() > 300);
        CHECK(two_stage.out == full.out);
        // Without a limit to the tokens that matter, all logits are made.
        const bool limited = how[1] == "0" || how[2] == "--top-k";
        CHECK((two_stage.err.find("rows a token scored exactly") != full.err.npos) == limited);
        CHECK(full.err.find("two-stage") == full.err.npos);
    }
}
