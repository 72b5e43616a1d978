// SPDX-License-Identifier: MIT
// Lesson 6. Enters: a type that says where the bits of a weight lie. Leaves: a layout that packs,
// saves, maps and multiplies like the library's own, and is proven by the library's own checks.
//
// This one stores two weights as one of nine codes in four bits: the index that byte shuffles take.
//   byte 4r+t:  bits 3..0 code of columns 4t, 4t+1    code = 3 * (first + 1) + (second + 1)
//               bits 7..4 code of columns 4t+2, 4t+3  of row r = 0..15, t = 0..3
#include <trilobit/testing/conformance.hpp>
#include <trilobit/trilobit.hpp>

#include <cstdio>

struct ternary_pairs {
    using kind = trilobit::ternary;
    static constexpr trilobit::layout_id id{0x1000};  // those below belong to the library
    static constexpr std::string_view name = "ternary_pairs";
    static constexpr int tile_rows = 16, tile_cols = 16, tile_bytes = 64;

    static void encode(const std::int8_t* values, std::byte* tile) noexcept {
        for (int i = 0; i < tile_bytes; ++i, values += 4) {  // row-major: four weights make a byte
            const int low = 3 * (values[0] + 1) + values[1] + 1;
            const int high = 3 * (values[2] + 1) + values[3] + 1;
            tile[i] = static_cast<std::byte>(low | high << 4);
        }
    }
    static void decode(const std::byte* tile, std::int8_t* values) noexcept {
        for (int i = 0; i < 2 * tile_bytes; ++i) {
            const int code = std::to_integer<int>(tile[i / 2]) >> (i % 2 * 4) & 15;
            *values++ = static_cast<std::int8_t>(code / 3 - 1);
            *values++ = static_cast<std::int8_t>(code % 3 - 1);
        }
    }
    static bool valid(const std::byte* tile) noexcept {  // could encode have written this?
        for (int i = 0; i < 2 * tile_bytes; ++i)
            if ((std::to_integer<int>(tile[i / 2]) >> (i % 2 * 4) & 15) > 8) return false;
        return true;
    }
};

int main() {
    namespace testing = trilobit::testing;
    // Every value in every place, there and back; every byte value; nothing touched past the end.
    const testing::report bits = testing::check_layout<ternary_pairs>();
    // The generic kernel and the dot product, which need only decode(), against the oracle: all
    // shapes, scales and activations. A faster kernel of your own would be listed and checked too.
    const auto& table = trilobit::kernels_for<trilobit::native_arch, ternary_pairs>::table;
    const testing::report kernels =
        testing::check_kernels(table, trilobit::type_list<ternary_pairs>{});
    std::printf("%s: %d kernels; layout %s %s; kernels %s %s\n", ternary_pairs::name.data(),
                table.count, bits.ok ? "right" : "WRONG", bits.text.c_str(),
                kernels.ok ? "right" : "WRONG", kernels.text.c_str());
    return bits.ok && kernels.ok ? 0 : 1;
}
