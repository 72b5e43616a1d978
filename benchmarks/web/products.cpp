// SPDX-License-Identifier: MIT
// The library's products as a WebAssembly module, for products.mjs to call and to time; and what
// the engine's own dot product of bytes or int16 could do, on registers alone.
#include <trilobit/dispatch/dispatch.hpp>
#include <trilobit/trilobit.hpp>

#include <cstdint>
#include <vector>

#include <wasm_simd128.h>

#define EXPORT(name) extern "C" [[clang::export_name(#name), gnu::used]]

namespace {

struct bench {
    trilobit::any_packed_matrix weights;
    std::vector<float> x, y;
    std::int64_t rows, cols, tokens;
};

bench now;
trilobit::context& with() {
    static trilobit::context context{trilobit::dispatch::best()};
    return context;
}

std::uint32_t random_state = 1;
std::uint32_t draw() {
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

}  // namespace

EXPORT(backend) const char* backend() { return trilobit::dispatch::best().name.data(); }
EXPORT(backend_bytes) int backend_bytes() {
    return static_cast<int>(trilobit::dispatch::best().name.size());
}

/// 0: two bits, 1: base 3, 2: one bit. Returns 0 when all is well.
EXPORT(prepare) int prepare(int layout, int rows, int cols, int tokens) {
    constexpr trilobit::layout_id layouts[] = {trilobit::layout_id::ternary_2bit,
                                               trilobit::layout_id::ternary_base3,
                                               trilobit::layout_id::binary_1bit};
    const auto row = [&](std::int64_t, std::int8_t* values, float* scales) -> trilobit::status {
        for (int i = 0; i < cols; ++i)
            values[i] = static_cast<std::int8_t>(layout == 2 ? static_cast<int>(draw() % 2) * 2 - 1
                                                             : static_cast<int>(draw() % 3) - 1);
        scales[0] = 0.01f;
        return {};
    };
    now.weights = trilobit::pack_rows(layouts[layout], rows, cols, row);
    now.rows = rows, now.cols = cols, now.tokens = tokens;
    now.x.resize(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(cols));
    now.y.resize(static_cast<std::size_t>(tokens) * static_cast<std::size_t>(rows));
    for (float& v : now.x) v = static_cast<float>(draw() % 2001) * 1e-3f - 1.0f;
    return now.weights.status().ok() ? 0 : 1;
}

/// From floats to floats, `times` over. Returns 0 when all is well.
EXPORT(run) int run(int times) {
    for (int i = 0; i < times; ++i)
        if (!trilobit::matmul(with(), now.weights.view(), {now.x.data(), now.tokens, now.cols},
                              trilobit::epilogue::write{{now.y.data(), now.tokens, now.rows}})
                 .ok())
            return 1;
    return 0;
}

// Twelve sums hide the latency of one another and leave a few of sixteen registers for operands.
// These come from memory, once, so that no compiler knows them.
namespace {
constexpr int sums = 12;
alignas(16) volatile std::int8_t some_bytes[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

v128_t operand(int at) {
    std::int8_t copy[16];
    for (int i = 0; i < 16; ++i) copy[i] = some_bytes[at + i];
    return wasm_v128_load(copy);
}

template <class Step>
int repeat(int times, Step step) {
    v128_t sum[sums];
    for (v128_t& s : sum) s = wasm_i32x4_splat(0);
    v128_t a = operand(0);
    const v128_t b = operand(16);
    for (int i = 0; i < times; ++i) {
        for (v128_t& s : sum) s = step(s, a, b);
        a = wasm_v128_xor(a, b);  // or the product would be the same in every turn
    }
    v128_t all = wasm_i32x4_splat(0);
    for (const v128_t s : sum) all = wasm_i32x4_add(all, s);
    return wasm_i32x4_extract_lane(all, 0);
}
}  // namespace

/// The ways to a dot product, by `way`: 0 of int16, 1 of bytes into int32, 2 of bytes in pairs into
/// int16, whose folding is left out. Multiply-adds in each of `times`; 0: not in this module.
EXPORT(bound_macs) int bound_macs(int way) {
#ifdef __wasm_relaxed_simd__
    return way == 0 ? sums * 8 : sums * 16;
#else
    return way == 0 ? sums * 8 : 0;
#endif
}
EXPORT(bound) int bound(int way, int times) {
#ifdef __wasm_relaxed_simd__
    if (way == 1)
        return repeat(times, [](v128_t s, v128_t a, v128_t b) {
            return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(a, b, s);
        });
    if (way == 2)
        return repeat(times, [](v128_t s, v128_t a, v128_t b) {
            return wasm_i16x8_add(s, wasm_i16x8_relaxed_dot_i8x16_i7x16(a, b));
        });
#endif
    if (way != 0) return 0;
    return repeat(times, [](v128_t s, v128_t a, v128_t b) {
        return wasm_i32x4_add(s, wasm_i32x4_dot_i16x8(a, b));
    });
}
