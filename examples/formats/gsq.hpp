// SPDX-License-Identifier: MIT
// Room formats. GSQ's experts: weights of {-2, -1, 0, 1} in I32 words, sixteen codes low first
// (low_first.hpp) with a zero point of 2; a scale for each 128 columns lies in another tensor.
#pragma once

#include "formats/low_first.hpp"

namespace tbx::formats {

inline constexpr format gsq = low_first_format<2, kind::quaternary_low, 16>("GSQ");

}  // namespace tbx::formats
