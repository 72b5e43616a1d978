// SPDX-License-Identifier: MIT
// Tests of the runner: a model that is cut short while it runs ends the program with one line.
#include <chrono>
#include <thread>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "program.hpp"

using namespace tbx;
using namespace tbx::testing;
using Catch::Matchers::StartsWith;

TEST_CASE("a model file that is cut short while it is used gives one line and status 1") {
    const scratch_folder folder;
    const std::string path = folder.path("m.gguf");
    const bool packed = GENERATE(false, true);
    model::write_dummy(path, model::config_of_shape("tiny-llama"),
                       packed ? gguf::tensor_type::i2_s : gguf::tensor_type::f16, 1, {});
    if (packed) REQUIRE(run_program({"convert", path, path, "--to", "packed"}).status == 0);
    const program running({"bench", "-m", path, "-p", "256", "-n", "256", "-r", "10000"});
    // On a slow machine it may still be loading: the outcome is the same.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    REQUIRE(::truncate(path.c_str(), 4096) == 0);
    const outcome o = running.wait();
    INFO(o.err);
    CHECK(o.status == 1);
    CHECK(o.complained());
    CHECK_THAT(o.err, StartsWith("trilobit: " + path + ": "));
    CHECK(o.out.empty());
}
