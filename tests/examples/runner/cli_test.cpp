// SPDX-License-Identifier: MIT
// Tests of the program `trilobit` as a user meets it: what it prints, and how it fails.
#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "program.hpp"

using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

TEST_CASE("wrong usage ends with 2 and one line") {
    const auto arguments = GENERATE(values<std::vector<std::string>>({
        {},
        {"no-such-command"},
        {"run"},
        {"run", "-m"},
        {"run", "-m", "x", "--no-such-option"},
        {"run", "-m", "x", "-n", "many"},
        {"run", "-m", "x", "-n", "-5"},
        {"run", "-m", "x", "-t", "0"},
        {"run", "-m", "x", "--seed", "-1"},
        {"run", "-m", "x", "--seed", ""},
        {"bench", "--shape", "tiny", "--seed", "18446744073709551616"},
        {"run", "-m", "x", "--temp", "-1"},
        {"run", "-m", "x", "--top-p", "2"},
        {"run", "-m", "x", "--layout", "upside_down"},
        {"run", "-m", "x", "--kernel", "popcorn"},
        {"logits", "-m", "x"},
        {"logits", "-m", "x", "--tokens", "1,b"},
        {"tokenize", "-m", "x"},
        {"tokenize", "-m", "x", "-p", "a", "-f", "b"},
        {"perplexity", "-m", "x"},
        {"bench"},
        {"bench", "-m", "x", "--shape", "tiny"},
        {"run", "-m", "x", "--head", "wooden"},
        {"bench", "--shape", "tiny", "--head", "wooden"},
        {"bench", "-m", "x", "--head", "f16"},
        {"bench", "--shape", "tiny", "-p", "0", "-n", "0"},
        {"make-dummy"},
        {"make-dummy", "-o", "x", "--type", "Q5_0"},
        {"make-dummy", "-o", "x", "--architecture", "gpt2"},
        {"convert", "x"},
    }));
    const outcome o = run_program(arguments);
    INFO(o.err);
    CHECK(o.status == 2);
    CHECK(o.complained());
    CHECK(o.out.empty());
}

TEST_CASE("wrong usage is told by what is wrong") {
    CHECK(run_program({"rum", "-m", "x"}).err ==
          "trilobit: command line: 'rum' is unknown; see --help\n");
    CHECK(run_program({"--nope"}).err ==
          "trilobit: command line: '--nope' is unknown; see --help\n");
    CHECK(run_program({"run", "-m", "x", "--kernel", "popcorn"})
              .err.starts_with("trilobit: --kernel: 'popcorn' is none of "));
    CHECK(run_program({"convert", "a", "b", "--to", "TQ20"})
              .err.starts_with("trilobit: --to: 'TQ20' is none of "));
    CHECK_THAT(run_program({"convert", "a", "b", "--to", "TQ20"}).err,
               ContainsSubstring(" names; near it: TQ2_0, "));
    CHECK(run_program({"make-dummy", "-o", "x", "--type", "Q5_0"}).err.size() < 100);
    CHECK(run_program({"bench", "--shape", "tiny", "-p", "0", "-n", "0"}).err ==
          "trilobit: --prefill: it and --decode are both 0, so there is nothing to measure\n");
}

TEST_CASE("help and version end with 0 and print to stdout") {
    for (const char* command : {"run", "chat", "logits", "tokenize", "perplexity", "info",
                                "convert", "make-dummy", "bench"}) {
        const outcome o = run_program({command, "--help"});
        CHECK(o.status == 0);
        CHECK_THAT(o.out, ContainsSubstring("--help"));
        CHECK(o.err.empty());
    }
    CHECK_THAT(run_program({"--help"}).out, ContainsSubstring("TRILOBIT_ARCH"));
    CHECK_THAT(run_program({"--version"}).out, StartsWith("trilobit "));
}

TEST_CASE("unreadable models end with 1 and one line") {
    const scratch_folder folder;
    const std::string whole = content_of(tiny_model());
    std::string garbage = whole;
    for (std::size_t i = 100; i < garbage.size(); i += 7) garbage[i] = static_cast<char>(i * 31);
    std::string renamed = whole;
    renamed.replace(renamed.find("blk.1.ffn_up"), 12, "blk.1.ffn_ub");
    const std::vector<std::string> bad = {
        folder.path("absent.gguf"),
        folder.file("empty.gguf", ""),
        folder.file("short.gguf", whole.substr(0, 20)),
        folder.file("header.gguf", whole.substr(0, 3000)),
        folder.file("cut.gguf", whole.substr(0, whole.size() - 100)),
        folder.file("garbage.gguf", garbage),
        folder.file("renamed.gguf", renamed),
        folder.file("text.gguf", "Once upon a time"),
        std::string("/"),
    };
    for (const std::string& path : bad)
        for (const std::vector<std::string>& command :
             {std::vector<std::string>{"run", "-p", "a", "-n", "1"},
              {"logits", "--tokens", "1"},
              {"chat"},
              {"bench", "-p", "1", "-n", "1"}}) {
            std::vector<std::string> arguments = command;
            arguments.insert(arguments.end(), {"-m", path});
            const outcome o = run_program(arguments);
            INFO(path << ": " << o.err);
            CHECK(o.status == 1);
            CHECK(o.complained());
            CHECK(o.out.empty());
        }
}

TEST_CASE("other failures say what they are about") {
    const std::string& m = tiny_model();
    const auto fails = [](const std::vector<std::string>& arguments, const std::string& about,
                          const std::vector<std::string>& environment = {}) {
        const outcome o = run_program(arguments, "", environment);
        INFO(o.err);
        CHECK(o.status == 1);
        CHECK(o.complained());
        CHECK_THAT(o.err, StartsWith("trilobit: " + about + ": "));
    };
    fails({"logits", "-m", m, "--tokens", "1,512"}, "token 512");
    fails({"logits", "-m", m, "--tokens", "1", "-c", "1000"}, "--context");
    fails({"logits", "-m", m, "--tokens", "1,2,3", "-c", "2"}, "--tokens");
    fails({"run", "-m", m, "-p", "a long prompt", "-c", "2"}, "--prompt");
    fails({"bench", "--shape", "nonesuch"}, "--shape");
    fails({"bench", "-m", m, "-p", "1000"}, "-p and -n");
    fails({"perplexity", "-m", m, "-f", "/no/such/file"}, "/no/such/file");
    fails({"make-dummy", "-o", "/no/such/folder/x.gguf"}, "/no/such/folder/x.gguf");
    fails({"convert", m, "-o", "/tmp/never"}, "--to");
    fails({"run", "-m", m, "-n", "1"}, "TRILOBIT_ARCH", {"TRILOBIT_ARCH=abacus"});
    CHECK_THAT(run_program({"run", "-m", m, "-n", "1"}, "", {"TRILOBIT_ARCH=abacus"}).err,
               ContainsSubstring("'abacus'") && ContainsSubstring("generic"));
    CHECK_FALSE(std::filesystem::exists("/tmp/never"));
}

TEST_CASE("threads that the system does not give are told in one line") {
    if (std::getenv("TRILOBIT_TEST_PROGRAM") != nullptr) SKIP("wine needs more memory");
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"run", "-p", "kalo", "-n", "1"}, {"verify"}}) {
        std::vector<std::string> all = command;
        all.insert(all.end(), {"-m", tiny_model(), "-t"});
        const auto with = [&](const char* threads) {
            std::vector<std::string> some = all;
            some.emplace_back(threads);
            // Each thread takes 2 MiB and more of addresses, also from root, whom no limit of
            // processes stops.
            return program(some, {}, {}, std::size_t{1} << 30).wait();
        };
        CHECK(with("1").status == 0);
        const outcome many = with("1024");
        INFO(many.err);
        CHECK(many.status == 1);
        CHECK(many.err == "trilobit: --threads: the system does not give 1024 threads\n");
        CHECK(many.out.empty());
    }
}

TEST_CASE("numbers are decimal, whatever they begin with") {
    const auto written = [](const char* tokens, const char* seed) {
        return run_program({"run", "-m", tiny_model(), "-p", "kalo", "-n", tokens, "--temp", "1",
                            "--seed", seed})
            .out;
    };
    CHECK(written("010", "010") == written("10", "10"));
    CHECK(written("10", "10") != written("8", "10"));
    CHECK(run_program({"run", "-m", "x", "-n", "0x10"}).status == 2);
    const outcome layers = run_program({"bench", "--shape", "tiny", "--layers", "010"});
    CHECK(layers.err == "trilobit: --layers: tiny has no more than 2\n");
    CHECK(run_program({"bench", "--shape", "tiny", "--layers", "0x1"}).status == 2);
}

TEST_CASE("run prints the prompt and a continuation, the same for the same seed") {
    const std::vector<std::string> arguments = {
        "run", "-m", tiny_model(), "-p", "hi sati", "--temp", "1.0", "--seed", "5", "-n", "12"};
    const outcome one = run_program(arguments), two = run_program(arguments);
    CHECK(one.status == 0);
    CHECK_THAT(one.out, StartsWith("hi sati"));
    CHECK(one.out.ends_with("\n"));
    CHECK(one.out == two.out);
    CHECK_THAT(one.err, ContainsSubstring("prefill") && ContainsSubstring("tokens/s"));
    auto other = arguments;
    other[8] = "6";
    CHECK(run_program(other).out != one.out);
    other = arguments;
    other.emplace_back("--no-echo");
    const outcome silent = run_program(other);
    CHECK("hi sati" + silent.out == one.out);
    CHECK_THAT(run_program({"run", "-m", tiny_model(), "-c", "16", "-n", "100"}).err,
               ContainsSubstring("context of 16 positions is full") || ContainsSubstring("decode"));
}

TEST_CASE("every back end and thread count writes the same text") {
    const std::vector<std::string> arguments = {"run", "-m", tiny_model(), "-p", "kalo",
                                                "-n",  "24", "--temp",     "0.9"};
    const std::string expected = run_program(arguments).out;
    for (const char* arch : {"TRILOBIT_ARCH=generic", "TRILOBIT_ARCH=sse2", "TRILOBIT_ARCH=avx2"}) {
        const outcome o = run_program(arguments, "", {arch});
        if (o.status == 0) CHECK(o.out == expected);
    }
    auto more = arguments;
    more.insert(more.end(), {"-t", "3", "-b", "2", "--layout", "ternary_base3"});
    CHECK(run_program(more).out == expected);
}

TEST_CASE("logits: batch and step print the same, a position after another") {
    const outcome batch = run_program({"logits", "-m", tiny_model(), "--tokens", "3,1,4,1,5"});
    const outcome step =
        run_program({"logits", "-m", tiny_model(), "--tokens", "3,1,4,1,5", "--step"});
    CHECK(batch.status == 0);
    CHECK(batch.out == step.out);
    CHECK(batch.err.empty());
    std::istringstream in(batch.out);
    std::string word;
    for (int position = 0; position < 5; ++position) {
        in >> word;
        CHECK(word == "pos");
        in >> word;
        CHECK(word == std::to_string(position));
        for (int i = 0; i < 512; ++i) {
            double value;
            REQUIRE(in >> value);
        }
    }
    CHECK_FALSE(in >> word);
}

TEST_CASE("tokenize prints ids") {
    const scratch_folder folder;
    const std::string& m = tiny_model();
    const outcome o = run_program({"tokenize", "-m", m, "-p", "ab"});
    CHECK(o.out == "1,259,260,261\n");
    CHECK(run_program({"tokenize", "-m", m, "-p", "ab", "--no-special"}).out == "259,260,261\n");
    CHECK(run_program({"tokenize", "-m", m, "-f", folder.file("t", "ab")}).out == o.out);
    CHECK(run_program({"tokenize", "-m", m, "-p", "</s>"}).out == "1,2\n");
    CHECK(run_program({"tokenize", "-m", m, "-p", "", "--no-special"}).out == "\n");
}

TEST_CASE("info, perplexity and bench describe the model") {
    const std::string& m = tiny_model();
    const outcome info = run_program({"info", "-m", m, "--tensors"});
    CHECK(info.status == 0);
    CHECK_THAT(info.out, ContainsSubstring("bitnet-b1.58, 2 layers, width 256") &&
                             ContainsSubstring("squared ReLU") && ContainsSubstring("TQ2_0") &&
                             ContainsSubstring("blk.1.ffn_down.weight"));
    const scratch_folder folder;
    const outcome p = run_program({"perplexity", "-m", m, "-c", "8", "-f",
                                   folder.file("text", "kalo mine rusa tivo beda fugo hiju pezo")});
    CHECK(p.status == 0);
    CHECK_THAT(p.out, StartsWith("perplexity "));
    const double value = std::stod(p.out.substr(11));
    CHECK(value > 1.0);
    CHECK_THAT(p.out, ContainsSubstring("windows of 8"));
    CHECK(run_program({"perplexity", "-m", m, "-f", folder.file("nothing", "")}).status == 1);
}

TEST_CASE("make-dummy writes a file that runs, and convert changes its linears") {
    const scratch_folder folder;
    REQUIRE(run_program({"make-dummy", "--shape", "tiny-llama", "--type", "F32", "-o",
                         folder.path("f.gguf")})
                .status == 0);
    for (const char* type : {"F16", "Q8_0", "TQ1_0", "TQ2_0", "I2_S"}) {
        const outcome o = run_program(
            {"convert", folder.path("f.gguf"), "--type", type, "-o", folder.path(type)});
        INFO(o.err);
        REQUIRE(o.status == 0);
        CHECK(run_program({"run", "-m", folder.path(type), "-p", "kalo", "-n", "4"}).status == 0);
        CHECK_THAT(run_program({"info", "-m", folder.path(type)}).out, ContainsSubstring(type));
    }
    // Random ternary weights by the absmean rule stay the trits that they are.
    const auto logits = [&](const char* name) {
        return run_program({"tokenize", "-m", folder.path(name), "-p", "kalo"}).out;
    };
    CHECK(logits("TQ2_0") == logits("I2_S"));
    CHECK(folder.entries() == 6);
}

TEST_CASE("make-dummy writes every type that can be read, and what it writes runs") {
    const scratch_folder folder;
    const std::string path = folder.path("f.gguf");
    // What the list in the help says is what there is.
    std::string help = run_program({"make-dummy", "--help"}).out;
    std::erase_if(help, [](char c) { return c == '\n' || c == ' '; });
    for (const char* type :
         {"TQ1_0",    "TQ2_0",    "Q1_0", "Q2_0", "PQ2_0",  "PTQ1_0", "STQ1_0",    "I2_S",
          "I2_S_ARM", "I2_S_1x4", "TL1",  "TL2",  "IQ1_BN", "IQ2_BN", "IQ2_BN_R4", "F32",
          "F16",      "BF16",     "Q8_0", "Q4_0", "IQ4_NL", "Q4_K",   "Q5_K",      "Q6_K"}) {
        CAPTURE(type);
        const std::string name = type;
        CHECK_THAT(help, ContainsSubstring(name));
        REQUIRE(
            run_program({"make-dummy", "--vocabulary", "320", "--type", name, "-o", path}).status ==
            0);
        std::vector<std::string> read = {"logits", "-m", path, "--tokens", "1,2,3"};
        std::vector<std::string> show = {"info", "-m", path};
        if (name.starts_with("I2_S_"))
            for (auto* args : {&read, &show}) {
                args->emplace_back("--read-as");
                args->emplace_back("36=" + name);
            }
        const outcome o = run_program(read);
        INFO(o.err);
        CHECK(o.status == 0);
        CHECK_THAT(o.out, ContainsSubstring("pos 2"));
        CHECK_THAT(run_program(show).out, ContainsSubstring(name + " "));
    }
    const outcome wrong = run_program({"info", "-m", path, "--read-as", "36=I3_S"});
    CHECK(wrong.status == 1);
    CHECK(wrong.complained());
    CHECK_THAT(wrong.err, ContainsSubstring("--read-as: '36=I3_S': there is no type 'I3_S'"));
}

TEST_CASE("make-dummy names the graph for other engines and shortens the vocabulary") {
    const scratch_folder folder;
    const std::string path = folder.path("f.gguf");
    REQUIRE(
        run_program({"make-dummy", "--architecture", "bitnet", "--vocabulary", "320", "-o", path})
            .status == 0);
    const std::string info = run_program({"info", "-m", path}).out;
    CHECK_THAT(info, ContainsSubstring("model    bitnet,"));
    CHECK_THAT(info, ContainsSubstring("SiLU"));
    CHECK_THAT(info, ContainsSubstring("vocabulary 320,"));
    CHECK(run_program({"run", "-m", path, "-p", "kalo", "-n", "4"}).status == 0);
    const outcome o = run_program({"make-dummy", "--shape", "tiny-llama", "--architecture",
                                   "bitnet", "-o", folder.path("g")});
    CHECK(o.status == 1);
    CHECK(o.complained());
}

TEST_CASE("Ctrl-C ends a story cleanly") {
    const program running(
        {"run", "-m", tiny_model(), "-p", "kalo", "-n", "1000000000", "-c", "512", "--temp", "1"});
    for (int i = 0; i < 3000 && running.output_so_far().size() < 20; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    running.send(SIGINT);
    const outcome o = running.wait();
    INFO(o.err);
    // A fast machine may have filled the context first.
    CHECK((o.status == 130 || o.status == 0));
    CHECK(o.out.ends_with("\n"));
    CHECK_THAT(o.err, ContainsSubstring("decode"));
}
