// SPDX-License-Identifier: MIT
// What bits.cpp computes. Enters: nothing, every number is made of integers. Leaves: hashes that
// are the same with every compiler, flag and machine: of packed images, of products, of half
// floats.
#pragma once

#include <cstdio>

#include <trilobit/matmul/matmul.hpp>
#include <trilobit/pack/pack.hpp>

#include "made_floats.hpp"

namespace house {

using namespace trilobit;

template <class Layout>
packed_matrix<Layout> packed(std::int64_t rows, std::int64_t cols, const range& of,
                             const scale_spec& scale, std::uint32_t seed) {
    const std::vector<float> w = floats(rows * cols, seed, of.low, of.high);
    pack_options options;
    options.scale = scale;
    return pack<Layout>({w.data(), rows, cols}, options);
}

/// Products of all kernels that take them, the same bits from each, or 0.
template <class Layout>
std::uint64_t products(const packed_matrix<Layout>& w, const range& of, std::int64_t tokens) {
    const std::int64_t rows = w.view().rows, cols = w.view().cols;
    const std::vector<float> x = floats(tokens * cols, 77, of.low, of.high);
    hasher all;
    for (const activation_id kind :
         {activation_id::int8, activation_id::int4, activation_id::int2, activation_id::sign})
        for (const int group : {0, 32}) {
            std::vector<float> first;
            for (const kernel_id kernel : {kernel_id::generic, kernel_id::dot, kernel_id::lookup,
                                           kernel_id::popcount, kernel_id::vector_lookup}) {
                std::vector<float> y(static_cast<std::size_t>(tokens * rows));
                matmul_options options;
                options.activation = kind;
                options.activation_group = group;
                options.kernel = kernel;
                const status s =
                    matmul(w, {x.data(), tokens, cols}, {y.data(), tokens, rows}, options);
                if (s.code == errc::unsupported) continue;
                if (!s.ok()) return std::printf("matmul: %s\n", s.text), 0;
                if (first.empty()) first = y;
                if (std::memcmp(first.data(), y.data(), 4 * y.size()) != 0)
                    return std::printf("kernel %d has other bits\n", static_cast<int>(kernel)), 0;
            }
            all.add(first);
        }
    return all.value;
}

inline std::uint64_t halves() {
    hasher all;
    for (std::uint32_t h = 0; h < 0x10000; ++h) {
        const float f[] = {f16_to_f32(static_cast<std::uint16_t>(h))};
        if ((h & 0x7c00u) != 0x7c00u) all.add(f);
    }
    for (const float f : floats(1 << 16, 5, 100, 145)) all.add(f32_to_f16(f));
    return all.value;
}

/// Signs around means that are what the order of the additions leaves of them.
inline std::uint64_t means() {
    constexpr std::int64_t rows = 16, cols = 999;
    std::vector<float> w = floats(rows * cols, 11, usual.low, usual.high);
    const std::vector<float> large = floats(rows * cols, 12, 180, 185);
    for (std::size_t i = 0; i < w.size(); i += 5) w[i] = i % 10 == 0 ? large[i] : -large[i - 5];
    std::vector<std::int8_t> values(w.size());
    float scales[rows];
    hasher all;
    for (const scale_spec& scale : {scale_spec::row(), scale_spec::tensor()}) {
        const status s =
            binarize_sign({w.data(), rows, cols}, scale, {values.data(), rows, cols}, scales);
        if (!s.ok()) return 0;
        all.add(std::as_bytes(std::span(values)));
        all.add(std::span(scales).first(scale.per == granularity::row ? rows : 1));
    }
    return all.value;
}

/// How many of the ways to bring in NaN and infinity are not refused.
template <class Layout>
int accepted() {
    int count = 0;
    const auto refused = [&](bool is, const char* what, std::uint32_t bits) {
        if (!is) std::printf("%s of bits %08x was accepted\n", what, static_cast<unsigned>(bits));
        count += !is;
    };
    for (const std::uint32_t bits : {0x7fc00000u, 0x7f800000u, 0xff800000u, 0x7f800001u}) {
        constexpr std::int64_t rows = 16, cols = 64;
        float bad;
        std::memcpy(&bad, &bits, sizeof bad);
        std::vector<float> w = floats(rows * cols, 1, usual.low, usual.high), x = w;
        const packed_matrix<Layout> good = pack<Layout>({w.data(), rows, cols});
        std::vector<float> y(rows);
        x[9] = bad;
        refused(!matmul(good, {x.data(), 1, cols}, {y.data(), 1, rows}).ok(), "an activation",
                bits);
        w[77] = bad;
        for (const scale_spec& scale :
             {scale_spec::tensor(), scale_spec::row(), scale_spec::group(32)}) {
            pack_options options;
            options.scale = scale;
            refused(!pack<Layout>({w.data(), rows, cols}, options).status().ok(), "a weight", bits);
        }
        const std::vector<std::int8_t> ones(static_cast<std::size_t>(rows * cols), 1);
        refused(!pack<Layout>(quantized_view{{ones.data(), rows, cols}, &bad, scale_spec::tensor()})
                     .status()
                     .ok(),
                "a scale", bits);
        const little<std::uint32_t> stored = bits;
        const std::size_t size = good.bytes().size();
        aligned_buffer image(size);
        std::memcpy(image.data(), good.bytes().data(), size);
        std::memcpy(image.data() + detail::packed_sections::of(good.view()).scales, &stored,
                    sizeof stored);
        detail::seal_packed(good.view(), {image.data(), size});
        refused(!view_packed({image.data(), size}).ok(), "a scale in an image", bits);
    }
    return count;
}

}  // namespace house
