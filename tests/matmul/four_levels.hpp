// SPDX-License-Identifier: MIT
// Shared by the matmul tests. Leaves: layouts of four values that are nobody's in the library, and
// the tables of their kernels, compiled for some back ends each.
#pragma once

#include "trilobit/matmul/table.hpp"

namespace matmul_test {

/// The bits of ternary_2bit, of the values Lowest, Lowest + Step .. Lowest + 3 Step.
template <int Lowest, int Step>
struct four_levels {
    struct kind {
        static constexpr std::string_view name = "four levels";
        static constexpr std::int8_t lowest = Lowest, highest = Lowest + 3 * Step;
        static constexpr bool holds(std::int8_t v) noexcept {
            return v >= lowest && v <= highest && (v - lowest) % Step == 0;
        }
        static constexpr std::int8_t padding = Step == 1 ? 0 : lowest;
    };
    static constexpr trilobit::layout_id id =
        static_cast<trilobit::layout_id>(0x1010 + 16 * Step - Lowest);
    static constexpr std::string_view name = "four_levels";
    static constexpr int tile_rows = 16, tile_cols = 16, tile_bytes = 64;

    static void encode(const std::int8_t* values, std::byte* tile) noexcept {
        for (int i = 0; i < tile_bytes; ++i, values += 4) {
            int byte = 0;
            for (int f = 0; f < 4; ++f) byte |= (values[f] - Lowest) / Step << (2 * f);
            tile[i] = static_cast<std::byte>(byte);
        }
    }
    // Inlined: a copy made for one back end must not serve another.
    TRILOBIT_INLINE static void decode(const std::byte* tile, std::int8_t* values) noexcept {
        for (int i = 0; i < tile_rows * tile_cols; ++i)
            values[i] = static_cast<std::int8_t>(
                (std::to_integer<int>(tile[i / 4]) >> (i % 4 * 2) & 3) * Step + Lowest);
    }
    static bool valid(const std::byte*) noexcept { return true; }
};

template <class Arch>
struct four_levels_of {
    static constexpr const trilobit::kernel_table& table =
        trilobit::kernels_for<Arch, four_levels<-2, 1>, four_levels<-1, 1>,
                              four_levels<-3, 2>>::table;
};

}  // namespace matmul_test
