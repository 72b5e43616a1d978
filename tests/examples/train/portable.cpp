// SPDX-License-Identifier: MIT
// Room tests/examples/train: a training ends with the same bits on every machine.
// Enters: one short training, by any number of threads and with any instruction set.
// Leaves: a failure where the file that it writes is another one.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <trilobit/dispatch/dispatch.hpp>
#include <vector>

#include "gguf/writer.hpp"
#include "scratch.hpp"
#include "support/sha256.hpp"

namespace {

// Of the file that the training below writes, wherever it runs.
const std::string expected = "b40a708cc9e5f8f0cb182fc1d93586f51a65d8713c038b8b3fd57ad07ed60f25";

// Every printable character is a piece, and no two of them together: there is one way to cut texts.
tbx::llama2c::spm_vocabulary characters() {
    tbx::llama2c::spm_vocabulary v = scratch::letters(3);
    std::vector<std::string> pieces = {"\n", "\xe2\x96\x81"};  // the second stands for a space
    for (char c = '!'; c <= '~'; ++c) pieces.emplace_back(1, c);
    for (const std::string& piece : pieces) {
        v.tokens.push_back(piece);
        v.scores.push_back(0.0f);
        v.kinds.push_back(1);
    }
    return v;
}

class short_training {
    scratch::folder folder;

public:
    short_training() {
        scratch::write(folder / "story.txt", scratch::story(60));
        tbx::gguf::writer file(folder / "vocab.gguf");
        file.set("general.architecture", "bitnet-b1.58");
        tbx::llama2c::write_vocabulary(file, characters());
        file.finish();
    }

    /// `how` stands in front of the program.
    [[nodiscard]] std::string hash(const std::string& how, int threads) const {
        const std::string out = folder / "m.gguf";
        std::filesystem::remove(out);
        // qemu says what it does not imitate.
        const std::string command =
            how + " " + TRILOBIT_TRAINER + " --text " + (folder / "story.txt") + " --out " + out +
            " --name m --vocab " + (folder / "vocab.gguf") +
            " --graph bitnet --layers 1 --hidden 256 --ffn 256 --heads 4 --kv-heads 2"
            " --context 24 --batch 2 --steps 3 --seed 7 --threads " +
            std::to_string(threads) + " >" + (folder / "stdout") + " 2>&1";
        if (std::system(command.c_str()) != 0) {
            std::ifstream said(folder / "stdout");
            return {std::istreambuf_iterator<char>(said), {}};
        }
        std::ifstream in(out, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), {}};
        tbx::support::sha256 sum;
        sum.add(std::as_bytes(std::span(bytes)));
        return sum.digest();
    }
};

}  // namespace

TEST_CASE("a training has the same bits by any threads and instruction set") {
    const short_training training;
    for (const int threads : {1, 2, 3}) CHECK(training.hash("", threads) == expected);
    for (const auto* kernels : trilobit::dispatch::available()) {
        CAPTURE(kernels->name);
        CHECK(training.hash("TRILOBIT_ARCH=" + std::string(kernels->name), 2) == expected);
    }
}

TEST_CASE("a training has the same bits on processors of other years") {
#if !defined(__x86_64__) || defined(__AVX__) || defined(__SANITIZE_ADDRESS__)
    SKIP("the program is of another kind, built for this processor alone or with a sanitizer");
#endif
    if (std::system("qemu-x86_64 --version >/dev/null 2>&1") != 0)
        SKIP("no qemu-x86_64 here: apt-get install qemu-user");
    const short_training training;
    for (const std::string cpu : {"qemu64", "Nehalem", "Haswell"}) {
        CAPTURE(cpu);
        CHECK(training.hash("qemu-x86_64 -cpu " + cpu, 1) == expected);
    }
}
