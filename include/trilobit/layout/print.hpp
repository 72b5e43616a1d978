// SPDX-License-Identifier: MIT
// Room layout. Enters: a layout. Leaves: its bits as text, found by asking `encode`, so that the
// picture cannot drift from the code.
#pragma once

#include "trilobit/version.hpp"

#include <string>
#include <vector>

#include "trilobit/layout/concept.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// For one row of a tile: which bytes and bits change when each of its columns does, or, of a kind
/// that binds neighbours, its group.
template <weight_layout L>
std::string describe_row(int row) {
    std::string text;
    std::vector<std::int8_t> values(std::size_t{L::tile_rows} * L::tile_cols, L::kind::padding);
    std::vector<std::byte> rest(L::tile_bytes), moved(L::tile_bytes);
    L::encode(values.data(), rest.data());
    for (int c = 0; c < L::tile_cols; ++c) {
        std::int8_t& w = values[static_cast<std::size_t>(row * L::tile_cols + c)];
        text += "column " + std::to_string(c) + ":";
        std::vector<std::byte> touched(L::tile_bytes);
        const auto look = [&] {
            L::encode(values.data(), moved.data());
            for (std::size_t i = 0; i < moved.size(); ++i) touched[i] |= moved[i] ^ rest[i];
        };
        if constexpr (grouped_kind<typename L::kind>) {
            std::int8_t* const group = &w - c % L::kind::group;
            const auto each = [&](auto&& self, int at) -> void {
                if (at == L::kind::group) return L::kind::holds_group(group, at) ? look() : void();
                for (int v = L::kind::lowest; v <= L::kind::highest; ++v) {
                    group[at] = static_cast<std::int8_t>(v);
                    if (L::kind::holds(group[at])) self(self, at + 1);
                }
                group[at] = L::kind::padding;
            };
            each(each, 0);
        } else {
            for (const std::int8_t v : {std::int8_t{-1}, std::int8_t{1}}) {
                w = v;
                look();
            }
            w = L::kind::padding;
        }
        for (std::size_t i = 0; i < touched.size(); ++i)
            for (int bit = 0; bit < 8; ++bit)
                if ((std::to_integer<unsigned>(touched[i]) >> bit & 1u) != 0)
                    text += " " + std::to_string(i) + "." + std::to_string(bit);
        text += "\n";
    }
    return text;
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
