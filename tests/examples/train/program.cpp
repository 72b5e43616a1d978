// SPDX-License-Identifier: MIT
// Room tests/examples/train: the program trilobit-train as a user meets it.
// Enters: command lines. Leaves: a failure where a model is lost, or an error comes late or unsaid.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "gguf/reader.hpp"
#include "gguf/weight_rows.hpp"
#include "scratch.hpp"

using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

std::string content(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct result {
    int status;
    std::string out, err;

    [[nodiscard]] bool complained() const {
        return err.starts_with("trilobit-train: ") && std::count(err.begin(), err.end(), '\n') == 1;
    }
};

/// A tiny model, steps that take a moment, and whatever else is said.
class trainer_program {
    scratch::folder folder;

public:
    trainer_program() { scratch::write(path("story.txt"), scratch::story(300)); }
    [[nodiscard]] std::string path(const char* name) const { return folder / name; }
    [[nodiscard]] result run(const std::string& arguments, const std::string& before = "") const {
        const std::string command = before + std::string(TRILOBIT_TRAINER) + " " + arguments +
                                    " >" + path("stdout") + " 2>" + path("stderr");
        const int status = std::system(command.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(path("stdout")),
                content(path("stderr"))};
    }
    [[nodiscard]] result train(const std::string& more, const char* text = "story.txt") const {
        return run("--text " + path(text) + " --out " + path("m.gguf") +
                   " --name m --vocab-size 300 --layers 1 --hidden 256 --ffn 256 --heads 4"
                   " --context 8 --batch 2 --threads 1 " +
                   more);
    }
};

}  // namespace

TEST_CASE("a finished model is never replaced by --resume with one made from nothing") {
    const trainer_program p;
    REQUIRE(p.train("--steps 3").status == 0);
    const std::string model = content(p.path("m.gguf"));
    const result again = p.train("--steps 5 --resume");
    CHECK(again.status == 0);
    CHECK_THAT(again.out, ContainsSubstring("m.gguf is finished"));
    CHECK((content(p.path("m.gguf")) == model));
    CHECK_FALSE(fs::exists(p.path("m.gguf.vocab")));
    CHECK(p.train("--steps 4").status == 0);  // anew is anew
    CHECK((content(p.path("m.gguf")) != model));
}

TEST_CASE("a kept checkpoint makes the same model again, or goes on") {
    const trainer_program p;
    REQUIRE(p.train("--steps 3 --keep-checkpoint").status == 0);
    const std::string model = content(p.path("m.gguf"));
    for (const bool lost : {false, true}) {
        if (lost) fs::remove(p.path("m.gguf"));
        const result again = p.train("--steps 3 --resume");
        CHECK(again.status == 0);
        CHECK_THAT(again.out, ContainsSubstring("all 3 steps are made"));
        CHECK((content(p.path("m.gguf")) == model));
        CHECK(fs::exists(p.path("m.gguf.checkpoint")));
    }
    const result more = p.train("--steps 5 --resume");
    CHECK(more.status == 0);
    CHECK_THAT(more.out, ContainsSubstring("going on after step 3"));
    CHECK((content(p.path("m.gguf")) != model));
}

TEST_CASE("files that cannot be written are noticed before the first step") {
    const trainer_program p;
    REQUIRE(p.train("--steps 1").status == 0);
    fs::create_directory(p.path("taken"));
    const std::string vocab = "--steps 2 --vocab " + p.path("m.gguf");
    const auto refused = [&](const std::string& arguments, const std::string& about) {
        const result r = p.train(vocab + arguments);
        INFO(r.out << r.err);
        CHECK(r.status == 1);
        CHECK(r.complained());
        CHECK_THAT(r.err, ContainsSubstring(about));
        CHECK(r.out.empty());
    };
    const std::string absent = p.path("absent") + "/x", text = p.path("story.txt");
    refused(" --checkpoint " + absent, absent);
    refused(" --checkpoint " + text, "is the text to learn");
    refused(" --checkpoint " + p.path("m.gguf"), "--checkpoint");
    const auto other = [&](const std::string& out, const std::string& about) {
        const result r = p.run("--text " + text + " --steps 2 --context 8 --batch 2 --layers 1" +
                               " --ffn 256 --vocab " + p.path("m.gguf") + " --out " + out);
        INFO(r.out << r.err);
        CHECK(r.status == 1);
        CHECK(r.complained());
        CHECK_THAT(r.err, ContainsSubstring(about));
        CHECK(r.out.empty());
    };
    other(absent, absent);
    other(p.path("taken"), "not a regular file");
    other(text, "is the text to learn");
    CHECK((content(text) == scratch::story(300)));
}

TEST_CASE("the learning rate of a run is changed on purpose alone") {
    const trainer_program p;
    REQUIRE(p.train("--steps 2 --keep-checkpoint --lr 0.002").status == 0);
    const result refused = p.train("--steps 4 --resume --lr 0.001");
    CHECK(refused.status == 1);
    CHECK(refused.complained());
    CHECK_THAT(refused.err, ContainsSubstring("--lr 0.002") &&
                                ContainsSubstring("--change-lr goes on with 0.001"));
    const result changed = p.train("--steps 4 --resume --lr 0.001 --change-lr --keep-checkpoint");
    INFO(changed.err);
    CHECK(changed.status == 0);
    CHECK_THAT(changed.out, ContainsSubstring("going on after step 2"));
    // From here on it is a run with that rate.
    CHECK(p.train("--steps 5 --resume --lr 0.001").status == 0);
    CHECK(p.train("--steps 5 --lr 0.001 --change-lr").status == 2);
}

TEST_CASE("a loss that diverged is an error, and no model is lost to it") {
    const trainer_program p;
    scratch::write(p.path("m.gguf"), "the model of last week");
    const result r = p.train("--steps 40 --lr 10");
    INFO(r.out << r.err);
    CHECK(r.status == 1);
    CHECK(r.complained());
    CHECK_THAT(r.err, ContainsSubstring("--lr: the loss has diverged"));
    CHECK((content(p.path("m.gguf")) == "the model of last week"));
}

TEST_CASE("what cannot be written to standard output is an error") {
    if (!fs::exists("/dev/full")) SKIP("there is no /dev/full");
    const trainer_program p;
    REQUIRE(p.train("--steps 1").status == 0);
    for (const std::string& arguments :
         {"sample -m " + p.path("m.gguf") + " --tokens 200",
          "eval -m " + p.path("m.gguf") + " --text " + p.path("story.txt")}) {
        const std::string command =
            std::string(TRILOBIT_TRAINER) + " " + arguments + " >/dev/full 2>" + p.path("stderr");
        const int status = std::system(command.c_str());
        CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 1));
        CHECK(content(p.path("stderr")) ==
              "trilobit-train: standard output: it could not be written\n");
    }
}

TEST_CASE("NaN is no option") {
    const trainer_program p;
    const std::string option = GENERATE("--lr", "--soft", "--minutes", "--decay", "--weight-decay");
    for (const char* value : {" nan", " -nan", " inf", " 1x"}) {
        const result r = p.train("--steps 1 " + option + value);
        INFO(r.err);
        CHECK(r.status == 2);
        CHECK(r.complained());
    }
}

TEST_CASE("numbers are decimal, whatever they begin with") {
    const trainer_program p;
    const result ten = p.train("--steps 010 --seed 010 --save-every 07");
    INFO(ten.out << ten.err);
    REQUIRE(ten.status == 0);
    CHECK_THAT(ten.out, ContainsSubstring("step 10  loss"));
    const std::string model = content(p.path("m.gguf"));
    REQUIRE(p.train("--steps 10 --seed 10").status == 0);
    CHECK((content(p.path("m.gguf")) == model));
    for (const char* option : {"--steps", "--layers", "--save-every", "--threads", "--seed"})
        for (const char* value : {" 0x10", " 1.5", " 1e1", " -3"}) {
            const result r = p.train(std::string(option) + value);
            INFO(option << value << ": " << r.err);
            CHECK(r.status == 2);
            CHECK(r.complained());
        }
}

TEST_CASE("threads that the system does not give are told in one line") {
    const trainer_program p;
    REQUIRE(p.train("--steps 1").status == 0);
    const std::string model = " -m " + p.path("m.gguf");
    for (const std::string& arguments : {"--text " + p.path("story.txt"), "sample" + model,
                                         "eval" + model + " --text " + p.path("story.txt")}) {
        // Addresses: no limit of processes stops root.
        const result r = p.run(arguments + " --threads 1024", "ulimit -v 1000000; ");
        INFO(r.out << r.err);
        CHECK(r.status == 1);
        CHECK(r.err == "trilobit-train: --threads: the system does not give 1024 threads\n");
        CHECK(r.out.empty());
    }
    CHECK(p.train("--steps 1 --threads 4096").status == 2);
}

TEST_CASE("a seed is a whole number that fits") {
    const trainer_program p;
    for (const char* value : {"-1", "18446744073709551616", "1.5", "x"})
        CHECK(p.train(std::string("--steps 1 --seed ") + value).status == 2);
}

TEST_CASE("line ends and marks of a text make no difference to a model") {
    const trainer_program p;
    const std::string lf = "<|endoftext|>\n" + scratch::story(300);
    std::string crlf;
    for (const char c : lf) crlf += c == '\n' ? "\r\n" : std::string(1, c);
    scratch::write(p.path("lf.txt"), lf);
    const result one = p.train("--steps 2", "lf.txt");
    REQUIRE(one.status == 0);
    const std::string model = content(p.path("m.gguf"));
    for (const std::string& text : {crlf, "\xef\xbb\xbf" + lf, "\xef\xbb\xbf" + crlf}) {
        scratch::write(p.path("other.txt"), text);
        const result other = p.train("--steps 2", "other.txt");
        REQUIRE(other.status == 0);
        const auto counts = [](const result& r) {
            const auto from = r.out.find('\n') + 1;
            return r.out.substr(from, r.out.find('\n', from) - from);
        };
        CHECK(counts(one).find("texts, ") != std::string::npos);
        CHECK(counts(other) == counts(one));
        CHECK((content(p.path("m.gguf")) == model));
    }
}

TEST_CASE("UTF-16 is no text to learn") {
    const trainer_program p;
    const std::string story = scratch::story(50);
    for (const std::string mark : {"\xff\xfe", "\xfe\xff", ""}) {
        std::string text = mark;
        for (const char c : story) {
            if (mark != "\xff\xfe") text += '\0';
            text += c;
            if (mark == "\xff\xfe") text += '\0';
        }
        scratch::write(p.path("wide.txt"), text);
        const result r = p.train("--steps 1", "wide.txt");
        INFO(r.err);
        CHECK(r.status == 1);
        CHECK(r.complained());
        CHECK_THAT(r.err, ContainsSubstring("wide.txt: ") && ContainsSubstring("UTF-16"));
        CHECK_FALSE(fs::exists(p.path("m.gguf")));
    }
}

TEST_CASE("rules are named on the command line and kept in the file") {
    const trainer_program p;
    const auto refused = [&](const std::string& arguments, int status, const char* why) {
        const result r = p.train(arguments);
        CHECK(r.status == status);
        CHECK(r.complained());
        CHECK_THAT(r.err, ContainsSubstring(why));
    };
    refused("--steps 1 --weights quinary", 2, "--weights");
    refused("--steps 1 --activations int3", 2, "--activations");
    refused("--steps 1 --type q1_0", 1, "takes --weights binary alone");
    for (const std::string type : {"", " --type i2_s", " --type tq2_0"}) {
        const result r = p.train("--steps 4 --weights binary --activations a4.8" + type);
        INFO(r.err);
        REQUIRE(r.status == 0);
        CHECK_THAT(r.out, ContainsSubstring("binary weights"));
        const tbx::gguf::reader file(p.path("m.gguf"));
        CHECK(file.get<std::string>("trilobit.activations") == "a4.8");
        const result measured =
            p.run("eval -m " + p.path("m.gguf") + " --text " + p.path("story.txt"));
        INFO(measured.err);
        CHECK(measured.status == 0);
        CHECK(p.run("sample --tokens 20 -m " + p.path("m.gguf")).status == 0);
    }
}

TEST_CASE("a model of any graph says which, and another begins with its weights") {
    const trainer_program p;
    for (const std::string name : {"bitnet-b1.58", "bitnet", "llama"}) {
        CAPTURE(name);
        REQUIRE(p.train("--steps 3 --graph " + name).status == 0);
        const tbx::gguf::reader first(p.path("m.gguf"));
        CHECK(first.get<std::string>("general.architecture") == name);
        CHECK((first.find_tensor("blk.0.ffn_sub_norm.weight") == nullptr) == (name == "llama"));
        CHECK(first.has(name + ".hidden_activation") == (name == "bitnet-b1.58"));

        // A step too small to change a trit: the linear weights are written as they were read.
        const std::string before = p.path("before.gguf");
        fs::copy_file(p.path("m.gguf"), before, fs::copy_options::overwrite_existing);
        const std::string from = " --start-from " + before;
        REQUIRE(p.train("--steps 1 --lr 1e-9 --graph " + name + from).status == 0);
        const tbx::gguf::reader a(before), b(p.path("m.gguf"));
        int linear = 0;
        for (const auto& t : a.tensors())
            if (tbx::gguf::few_levels(t.type) != nullptr) {
                ++linear;
                CHECK(std::ranges::equal(t.data, b.require_tensor(t.name).data));
            }
        CHECK(linear == 7);
        CHECK(p.train("--steps 1 --fp32 --graph " + name + from).status == 0);
        const std::string other = name == "llama" ? "bitnet" : "llama";
        const result unlike = p.train("--steps 1 --graph " + other + from);
        CHECK(unlike.status == 1);
        CHECK(unlike.complained());
        CHECK_THAT(unlike.err, ContainsSubstring("other tensors or sizes"));
    }
    const result unknown = p.train("--graph gpt2");
    CHECK(unknown.status == 2);
    CHECK(unknown.complained());
}
