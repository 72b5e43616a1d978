// SPDX-License-Identifier: MIT
// Room tests/examples/train: models that the trainer must not read as if they were its own.
// Enters: the model in the box with a few bytes changed. Leaves: a failure where it is accepted.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstring>
#include <iterator>

#include "gguf/reader.hpp"
#include "scratch.hpp"
#include "train/model_file.hpp"
#include "train/trainer.hpp"

using Catch::Matchers::ContainsSubstring;
using namespace tbx::train;

namespace {

struct model_bytes {
    const scratch::folder folder;
    std::string bytes;

    explicit model_bytes(const std::string& from = TRILOBIT_SOURCE_DIR
                         "/examples/models/stories-ternary.gguf") {
        std::ifstream in(from, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(in), {});
    }
    void rename_key(const std::string& from, const std::string& to) {
        REQUIRE(from.size() == to.size());
        const std::size_t at = bytes.find(from);
        REQUIRE(at != bytes.npos);
        bytes.replace(at, to.size(), to);
    }
    [[nodiscard]] std::string path() const {
        scratch::write(folder / "m.gguf", bytes);
        return folder / "m.gguf";
    }
};

}  // namespace

TEST_CASE("a teacher with NaN in a norm or in a scale is refused by the tensor's name") {
    for (const char* name : {"blk.2.ffn_norm.weight", "blk.2.ffn_up.weight"}) {
        model_bytes m;
        const tbx::gguf::reader file("m", std::as_bytes(std::span(m.bytes)));
        const auto data = file.require_tensor(name).data;
        const auto at =
            reinterpret_cast<const char*>(data.data()) - m.bytes.data() + std::ssize(data);
        // The last two bytes are the top of a float, or a block's scale.
        m.bytes.replace(static_cast<std::size_t>(at) - 2, 2, "\xc0\x7f");
        CHECK_THROWS_WITH(load_model(m.path()), ContainsSubstring(std::string("tensor '") + name));
    }
}

TEST_CASE("a teacher of another graph is refused by the key") {
    model_bytes scaled;
    scaled.rename_key("bitnet.rope.freq_base", "bitnet.residual_scale");
    CHECK_THROWS_WITH(load_model(scaled.path()),
                      ContainsSubstring("residual_scale' is 10000: it changes"));
    model_bytes unknown;  // a key that nobody computes with
    unknown.rename_key("bitnet.rope.freq_base", "bitnet.residual_scalf");
    CHECK_NOTHROW(load_model(unknown.path()));
    const scratch::folder folder;
    const auto tiny = scratch::tiny();
    save_model(folder / "b1.58", "tiny", tiny, fresh_state(tiny, 4).parameters,
               scratch::letters(tiny.vocab));
    model_bytes gate(folder / "b1.58");
    const std::size_t at = gate.bytes.find("relu2");
    REQUIRE(at != gate.bytes.npos);
    gate.bytes.replace(at, 5, "gelu2");
    CHECK_THROWS_WITH(load_model(gate.path()), ContainsSubstring("hidden_activation"));
}
