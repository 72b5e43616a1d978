// SPDX-License-Identifier: MIT
// libggml-trilobit.so among Debian's llama.cpp: its own test of operators, hosts that behave badly,
// and a model. Without network or Debian there is no llama.cpp, and that is said.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "../../support/scratch_folder.hpp"
#include "llama_programs.hpp"

namespace {

using namespace tbx::testing;

outcome run_guest(const std::string& trial, const std::string& environment = {}) {
    need_llama();
    return run(environment + " " + quoted(llama + "run") + " " + quoted(TRILOBIT_GUEST) + " " +
               quoted(plugin) + " " + trial);
}

void check_operators(const std::string& environment, const std::string& type) {
    need_llama();
    for (const char* op : {"MUL_MAT", "MUL_MAT_ID"}) {
        const outcome o = run(environment + " GGML_BACKEND_PATH=" + quoted(plugin) + " " +
                              quoted(llama + "test-backend-ops") + " test -b TRILOBIT -o " + op +
                              " -p type_a=" + type + ",type_b=f32");
        CAPTURE(type, op, o.text);
        CHECK(o.status == 0);
        CHECK(o.text.find("FAIL") == o.text.npos);
        // Some were computed, and what is declined says so.
        CHECK(o.text.find("tests passed") != o.text.npos);
        CHECK(o.text.find(" 0/0 tests passed") == o.text.npos);
    }
}

}  // namespace

TEST_CASE("llama.cpp's own test of operators passes") {
    for (const char* type : {"tq1_0", "tq2_0", "q1_0", "q2_0"}) check_operators("", type);
}

TEST_CASE("and with the other scales of activations") {
    for (const char* type : {"tq1_0", "tq2_0"}) check_operators("TRILOBIT_ACTIVATIONS=32", type);
    for (const char* type : {"q1_0", "q2_0"}) check_operators("TRILOBIT_ACTIVATIONS=token", type);
}

TEST_CASE("Known versions of the interface are served, others declined in one line") {
    const auto host = [](const char* version) {
        return run(quoted(TRILOBIT_STRANGE_HOST) + " " + quoted(plugin) + " " + version);
    };
    for (const char* version : {"2", "3", "6"}) {
        const outcome o = host(version);
        CAPTURE(version, o.text);
        CHECK(o.status == 0);
        CHECK(o.text.empty());
    }
    for (const char* version : {"0", "1", "4", "7", "-1"}) {
        const outcome o = host(version);
        CHECK(o.status == 3);
        CHECK(o.text == "trilobit: versions 2, 3 and 6 of ggml's back-end interface are known, "
                        "and this is " +
                            std::string(version) + "\n");
    }
}

TEST_CASE("Wrong wishes are declined in one line") {
    const outcome o = run("TRILOBIT_ACTIVATIONS=64 " + quoted(TRILOBIT_STRANGE_HOST) + " " +
                          quoted(plugin) + " 3");
    CHECK(o.status == 3);
    CHECK(o.text == "trilobit: TRILOBIT_ACTIVATIONS is \"token\" or \"32\", not 64\n");
    for (const std::string threads : {"0", "513", "2x", "-1", "99999999999"}) {
        const outcome t = run("TRILOBIT_THREADS=" + threads + " " + quoted(TRILOBIT_STRANGE_HOST) +
                              " " + quoted(plugin) + " 3");
        CHECK(t.status == 3);
        CHECK(t.text ==
              "trilobit: TRILOBIT_THREADS is a number from 1 to 512, not " + threads + "\n");
    }
    const outcome arch =
        run("TRILOBIT_ARCH=abacus " + quoted(TRILOBIT_STRANGE_HOST) + " " + quoted(plugin) + " 3");
    CHECK(arch.status == 3);
    CHECK(arch.text.find("TRILOBIT_ARCH names no back end") != arch.text.npos);
}

TEST_CASE("Products are exact, before and after it is loaded anew") {
    for (const char* environment : {"", "TRILOBIT_ACTIVATIONS=32"}) {
        const outcome o = run_guest("twice", environment);
        CAPTURE(o.text);
        CHECK(o.status == 0);
    }
}

TEST_CASE("Two contexts in two threads") {
    const outcome o = run_guest("threads");
    CAPTURE(o.text);
    CHECK(o.status == 0);
}

TEST_CASE("Damaged weights and strange numbers fail as the host expects") {
    const outcome o = run_guest("hostile");
    CAPTURE(o.text);
    CHECK(o.status == 0);
    CHECK(o.text.find("is refused: ") != o.text.npos);
}

TEST_CASE("A model runs through it") {
    need_llama();
    const tbx::testing::scratch_folder folder;
    const std::string model = folder.path("model.gguf");
    const outcome made =
        run(quoted(TRILOBIT_PROGRAM) + " make-dummy --shape tiny-llama -o " + quoted(model));
    REQUIRE(made.status == 0);
    const outcome o =
        run("GGML_BACKEND_PATH=" + quoted(plugin) + " " + quoted(llama + "llama-bench") + " -m " +
            quoted(model) + " -t 2 -p 16 -n 4 -r 1");
    CAPTURE(o.text);
    CHECK(o.status == 0);
    CHECK(o.text.find("| TRILOBIT ") != o.text.npos);
    CHECK(o.text.find("trilobit:") == o.text.npos);  // no complaint
}
