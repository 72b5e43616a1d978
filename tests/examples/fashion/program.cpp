// SPDX-License-Identifier: MIT
// Room tests/examples/fashion: the program as a user meets it, on made-up pictures and, where they
// are at hand, on the real ones.
// Enters: command lines. Leaves: a failure where a file or a line is another one.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <sys/wait.h>

#include "fashion/commands.hpp"
#include "pictures.hpp"
#include "support/sha256.hpp"

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

struct outcome {
    int status;
    std::string out, err;
};

outcome run_fashion(const pictures::folder& folder, const std::string& arguments) {
    const std::string command = std::string(TRILOBIT_FASHION) + " " + arguments + " >" +
                                (folder / "stdout") + " 2>" + (folder / "stderr");
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, bytes_of(folder / "stdout"),
            bytes_of(folder / "stderr")};
}

}  // namespace

TEST_CASE("the program makes one file everywhere and measures it") {
    const pictures::folder folder;
    pictures::publish(folder, 600, 130);
    const std::string data = " --data " + folder.path(""), model = folder / "m.bin";
    const std::string training =
        "train" + data + " --hidden 64 32 --epochs 2 --batch 50 -o " + model;
    for (const std::string threads : {"1", "2"}) {
        const outcome trained = run_fashion(folder, training + " --threads " + threads);
        INFO(trained.err);
        REQUIRE(trained.status == 0);
        CHECK_THAT(trained.out, ContainsSubstring("epoch 2 of 2"));
        tbx::support::sha256 sum;
        const std::string bytes = bytes_of(model);
        sum.add(std::as_bytes(std::span(bytes)));
        CHECK(sum.digest() == "fd5b27286fcde8cc1aeac447e89355516c211f09a184559fa786a3d43fd58994");
    }
    const outcome ten = run_fashion(
        folder, "train" + data + " --hidden 8 --epochs 010 --batch 300 -o " + (folder / "x.bin"));
    CHECK(ten.status == 0);
    CHECK_THAT(ten.out, ContainsSubstring("epoch 10 of 10"));
    const outcome tested = run_fashion(folder, "test" + data + " --seconds 0 -m " + model);
    CHECK(tested.status == 0);
    CHECK_THAT(tested.out, StartsWith("130 pictures, "));
    CHECK_THAT(tested.out, ContainsSubstring("the float network agrees on 130"));
    CHECK_THAT(tested.out, ContainsSubstring("times as fast"));
}

TEST_CASE("what the program cannot do is one line") {
    const pictures::folder folder;
    pictures::publish(folder, 60, 13);
    const auto refused = [&](const std::string& arguments, int status, const std::string& why) {
        const outcome r = run_fashion(folder, arguments);
        CHECK(r.status == status);
        CHECK_THAT(r.err, StartsWith("trilobit-fashion: ") && ContainsSubstring(why));
        CHECK(std::count(r.err.begin(), r.err.end(), '\n') == 1);
    };
    const std::string data = " --data " + folder.path("");
    refused("test" + data + " -m " + (folder / "absent"), 1, "cannot be opened");
    refused("test" + data + " -m " + (folder / "stdout"), 1, "is no network");
    refused("train --data " + (folder / "absent"), 1, "cannot be opened");
    refused("train" + data + " -o " + (folder / "absent/m"), 1, "absent");
    refused("", 2, "subcommand");
    refused("train --epochs 0", 2, "epochs");
}

TEST_CASE("real pictures of clothing are told apart") {
    const pictures::folder folder;
    const char* elsewhere = std::getenv("TRILOBIT_FASHION_MNIST");
    const std::string data = elsewhere != nullptr ? elsewhere : tbx::fashion::debian_folder;
    if (!std::filesystem::exists(data))
        SKIP("no " + data + " here: apt-get install dataset-fashion-mnist");
    const std::string more = " --data " + data + " ", model = folder / "m.bin";
    const outcome trained =
        run_fashion(folder, "train" + more + "--hidden 64 --epochs 1 -o " + model);
    INFO(trained.err);
    REQUIRE(trained.status == 0);
    const outcome tested = run_fashion(folder, "test" + more + "--seconds 0 -m " + model);
    INFO(tested.out);
    CHECK(tested.status == 0);
    CHECK_THAT(tested.out, ContainsSubstring("the float network agrees on 10000"));
    double right = 0;
    REQUIRE(std::sscanf(tested.out.c_str(), "10000 pictures, %lf", &right) == 1);
    CHECK(right > 75);
}
