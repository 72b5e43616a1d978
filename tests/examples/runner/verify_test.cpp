// SPDX-License-Identifier: MIT
// The model in the box has the passport of its card, and what is no such model is refused.
#include <catch2/catch_test_macros.hpp>
#include <trilobit/dispatch/dispatch.hpp>

#include "program.hpp"

using namespace tbx::testing;

namespace {

const std::string box = TRILOBIT_SOURCE_DIR "/examples/models/stories-ternary.gguf";

std::string passport_on_the_card() {
    const std::string card = content_of(TRILOBIT_SOURCE_DIR "/examples/models/README.md");
    const std::string before = "\n| passport | `";
    const std::size_t at = card.find(before);
    REQUIRE(at != card.npos);
    return card.substr(at + before.size(), 64);
}

}  // namespace

TEST_CASE("the model in the box has its card's passport on every back end") {
    const std::string card = passport_on_the_card();
    for (const trilobit::kernel_table* arch : trilobit::dispatch::available())
        for (const std::string threads : {"1", "2"})
            for (const std::string batch : {"1", "8", "256"}) {
                const std::string name(arch->name);
                const outcome run =
                    run_program({"verify", "-m", box, "--expect", card, "-t", threads, "-b", batch,
                                 "--layout", batch == "8" ? "ternary_base3" : "ternary_2bit"},
                                {}, {"TRILOBIT_ARCH=" + name});
                INFO(name << ", " << threads << " threads, batch " << batch << ": " << run.err);
                CHECK(run.status == 0);
                CHECK(run.out.starts_with("passport " + card + "\nmachine  "));
                CHECK(run.out.find(", back end " + name + ", " + threads) != run.out.npos);
            }
}

TEST_CASE("verify says when a passport is not the expected one") {
    const std::string card = passport_on_the_card();
    std::string other = card;
    other[63] = other[63] == '0' ? '1' : '0';
    const outcome differs = run_program({"verify", "-m", box, "--expect", other});
    CHECK(differs.status == 1);
    CHECK(differs.complained());
    CHECK(differs.out.starts_with("passport " + card));
    CHECK(run_program({"verify", "-m", tiny_model(), "--expect", card}).status == 1);
    for (const std::string& wrong : {card.substr(1), card + "0", "g" + card.substr(1)}) {
        const outcome refused = run_program({"verify", "-m", box, "--expect", wrong});
        CHECK(refused.status == 2);
        CHECK(refused.complained());
    }
}

TEST_CASE("verify refuses what is no whole model, in one line") {
    const scratch_folder folder;
    std::string bytes = content_of(box);
    const auto refused = [&](const std::string& name, const std::string& content) {
        const outcome run = run_program({"verify", "-m", folder.file(name, content)});
        INFO(name << ": " << run.err);
        CHECK(run.status == 1);
        CHECK(run.complained());
        CHECK(run.out.empty());
    };
    refused("half.gguf", bytes.substr(0, bytes.size() / 2));
    refused("almost.gguf", bytes.substr(0, bytes.size() - 1));
    refused("nothing.gguf", "");
    std::string swapped = bytes;
    std::swap(swapped[4], swapped[7]);  // the version, as a big-endian file has it
    refused("swapped.gguf", swapped);
    std::string newer = bytes;
    newer[4] = 9;
    refused("newer.gguf", newer);
    std::string packed = bytes;
    packed.replace(0, 8, "trilobit");
    refused("packed.gguf", packed);
    const outcome small = run_program({"verify", "-m", box, "-c", "20"});
    CHECK(small.status == 1);
    CHECK(small.complained());
}
