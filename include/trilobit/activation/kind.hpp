// SPDX-License-Identifier: MIT
// Room activation. Enters: nothing. Leaves: the four sets of values an activation may take, and the
// rule that maps the floats which share a scale into one.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>
#include <string_view>

#include "trilobit/core/floats.hpp"
#include "trilobit/layout/all.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

enum class activation_id : std::uint8_t { int8 = 0, int4 = 1, int2 = 2, sign = 3 };

/// What the rules need to know of one token's values that share a scale.
struct activation_stats {
    float largest = 0;  ///< max|x|
    float mean = 0;     ///< mean|x|
};

/// A rule: value = clamp(round_half_even(x * factor), lowest, highest), x ~ value / factor.
/// `uses_mean` spares the sum where max|x| is all that is asked.
namespace activation {

/// BitNet b1.58: 127 / max(max|x|, 1e-5).
struct int8 {
    static constexpr activation_id id = activation_id::int8;
    static constexpr std::string_view name = "int8";
    static constexpr int bits = 8, lowest = -128, highest = 127;
    static constexpr bool uses_mean = false;
    static constexpr float factor(const activation_stats& s) noexcept {
        return quotient(127.0f, s.largest > 1e-5f ? s.largest : 1e-5f);
    }
};

/// BitNet a4.8: sqrt(7) / (mean|x| + 1e-5), into -8..7.
struct int4 {
    static constexpr activation_id id = activation_id::int4;
    static constexpr std::string_view name = "int4";
    static constexpr int bits = 4, lowest = -8, highest = 7;
    static constexpr bool uses_mean = true;
    static constexpr float factor(const activation_stats& s) noexcept {
        return quotient(2.6457513f, s.mean + 1e-5f);
    }
};

/// The rule of int4 with its largest positive value 1 in place of 7, into -2..1.
struct int2 {
    static constexpr activation_id id = activation_id::int2;
    static constexpr std::string_view name = "int2";
    static constexpr int bits = 2, lowest = -2, highest = 1;
    static constexpr bool uses_mean = true;
    static constexpr float factor(const activation_stats& s) noexcept {
        return quotient(1.0f, s.mean + 1e-5f);
    }
};

/// XNOR-Net: +1 where x >= 0, else -1; scale mean|x|. The factor is 1 / scale, as for the others.
struct sign {
    static constexpr activation_id id = activation_id::sign;
    static constexpr std::string_view name = "sign";
    static constexpr int bits = 1, lowest = -1, highest = 1;
    static constexpr bool uses_mean = true;
    static constexpr float factor(const activation_stats& s) noexcept {
        return quotient(1.0f, s.mean + 1e-5f);
    }
};

}  // namespace activation

using activations =
    type_list<activation::int8, activation::int4, activation::int2, activation::sign>;

template <class F>
constexpr bool visit_activation(activation_id id, F&& f) {
    return any_type(activations{}, [&]<class Act>() {
        if (Act::id != id) return false;
        f.template operator()<Act>();
        return true;
    });
}

constexpr std::string_view activation_name(activation_id id) {
    std::string_view name = "unknown";
    visit_activation(id, [&]<class Act>() { name = Act::name; });
    return name;
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
