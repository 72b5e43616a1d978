// SPDX-License-Identifier: MIT
// Tests of room support: the progress line, which must fit the terminal whatever it is told.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cmath>
#include <limits>

#include "support/progress.hpp"

using tbx::support::progress_line;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("the line shows label, bar, percent, text and time left") {
    CHECK(progress_line("train", 0.5, "loss 1.25", 65, 60) ==
          "train [============             ] 50%  loss 1.25  1:05 left");
    CHECK(progress_line("pack", 1, "", -1, 80) == "pack [==============================] 100%");
}

TEST_CASE("a narrow terminal loses the bar, then the end of the line") {
    CHECK(progress_line("train", 0.25, "", -1, 12) == "train 25%");
    CHECK(progress_line("train", 0.25, "", -1, 5) == "trai");
    CHECK(progress_line("train", 0.25, "", -1, 0).empty());
}

TEST_CASE("a cut never splits a character") {
    CHECK(progress_line("\u00e9\u00e9\u00e9\u00e9\u00e9", 0, "", -1, 4) == "\u00e9\u00e9\u00e9");
}

TEST_CASE("fractions outside 0..1 are taken to the nearest end") {
    CHECK_THAT(progress_line("x", 7, "", -1, 80), ContainsSubstring("100%"));
    CHECK_THAT(progress_line("x", -1, "", -1, 80), ContainsSubstring(" 0%"));
    CHECK_THAT(progress_line("x", std::numeric_limits<double>::quiet_NaN(), "", -1, 80),
               ContainsSubstring(" 0%"));
}
