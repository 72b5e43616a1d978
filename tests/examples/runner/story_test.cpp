// SPDX-License-Identifier: MIT
// A real trained model, converted and asked: the text is the one that its author published.
#include <filesystem>

#include <catch2/catch_all.hpp>

#include "program.hpp"

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
