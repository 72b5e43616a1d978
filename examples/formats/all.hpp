// SPDX-License-Identifier: MIT
// Room formats. Leaves: the list of all formats of few levels. A new one is a header and a line.
#pragma once

#include "formats/gsq.hpp"
#include "formats/hf_bitnet.hpp"
#include "formats/i2_s.hpp"
#include "formats/iq1_bn.hpp"
#include "formats/iq2_bn.hpp"
#include "formats/iq2_bn_r4.hpp"
#include "formats/matmul_nbits.hpp"
#include "formats/mlx.hpp"
#include "formats/ptq1_0.hpp"
#include "formats/q1_0.hpp"
#include "formats/q2_0.hpp"
#include "formats/stq1_0.hpp"
#include "formats/tl1.hpp"
#include "formats/tl2.hpp"
#include "formats/tq1_0.hpp"
#include "formats/tq2_0.hpp"

namespace tbx::formats {

inline constexpr const format* all_formats[] = {
    &tq1_0,
    &tq2_0,
    &q1_0,
    &q2_0,
    &pq2_0,
    &ptq1_0,
    &stq1_0,
    &i2_s,
    &i2_s_arm,
    &i2_s_1x4,
    &tl1,
    &tl2,
    &iq1_bn,
    &iq2_bn,
    &iq2_bn_r4,
    &hf_bitnet,
    &mlx_1bit,
    &mlx_2bit,
    &mlx_2bit_low,
    &mlx_2bit_odd,
    &matmul_nbits,
    &matmul_nbits_low,
    &matmul_nbits_odd,
    &gsq,
};

/// Null for a name that there is not.
[[nodiscard]] constexpr const format* find(std::string_view name) noexcept {
    for (const format* f : all_formats)
        if (f->name == name) return f;
    return nullptr;
}

}  // namespace tbx::formats
