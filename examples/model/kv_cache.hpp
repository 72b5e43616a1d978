// SPDX-License-Identifier: MIT
// Room examples/model. Enters: keys and values of tokens, in order. Leaves: those of all positions
// so far, as one of three kinds of numbers, laid out so that attention reads them in straight
// lines.
//
//   keys    (layer, kv_head, block, key_dim, 32)
//   values  (layer, kv_head, part, position, 32)
//   scales  (layer, kv_head, 2, position): of int8, a key's and a value's
//
// 32 positions are one block of keys, and their elements number d lie side by side: so do 32 scores
// while they grow, and no sum crosses lanes. 32 elements are one part of a value; mixing walks one
// part through all positions.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include <trilobit/core/aligned_buffer.hpp>

#include "model/config.hpp"
#include "model/linear.hpp"
#include "support/finite.hpp"

namespace tbx::model {

/// How keys and values are kept: IEEE halves; int8 with a scale for each key and each value of a
/// head; floats, exactly.
enum class kept_as : std::uint8_t { f16, q8, f32 };

constexpr std::int64_t kept_bytes(kept_as type) noexcept {
    return type == kept_as::f16 ? 2 : type == kept_as::q8 ? 1 : 4;
}

class kv_cache {
    trilobit::aligned_buffer memory;
    kept_as type = kept_as::f16;
    std::int64_t limit = 0;  // positions asked for
    std::int64_t room = 0;   // the same, rounded up to blocks
    std::int64_t kv_heads = 0;
    std::int64_t key_dim = 0;
    std::int64_t value_dim = 0;
    std::int64_t parts = 0;  // of a value; the last one is padded with zeros
    std::byte* keys = nullptr;
    std::byte* values = nullptr;
    float* scales = nullptr;

    [[nodiscard]] std::byte* key_at(std::int64_t head, std::int64_t block) const noexcept {
        return keys + (head * (room / positions_per_block) + block) * key_dim *
                          positions_per_block * kept_bytes(type);
    }
    [[nodiscard]] std::byte* value_at(std::int64_t head, std::int64_t part,
                                      std::int64_t position) const noexcept {
        return values +
               ((head * parts + part) * room + position) * values_per_part * kept_bytes(type);
    }
    [[nodiscard]] float* key_scales(std::int64_t head) const noexcept {
        return scales + head * 2 * room;
    }
    [[nodiscard]] float* value_scales(std::int64_t head) const noexcept {
        return scales + (head * 2 + 1) * room;
    }

    static void keep(const dense_kernels& run, std::uint16_t* out, const float* x, std::int64_t n,
                     float*) {
        run.to_f16(out, x, n);
    }
    static void keep(const dense_kernels&, float* out, const float* x, std::int64_t n, float*) {
        std::copy_n(x, n, out);
    }
    // The nearest of 127 levels of either sign, ties to even. What is no number makes the scale one
    // that is none.
    static void keep(const dense_kernels&, std::int8_t* out, const float* x, std::int64_t n,
                     float* scale) {
        float most = 0.0f;
        for (std::int64_t i = 0; i < n; ++i) most = std::max(most, x[i] < 0 ? -x[i] : x[i]);
        const bool sound = support::all_finite({x, static_cast<std::size_t>(n)});
        *scale = sound ? most / 127.0f : std::numeric_limits<float>::quiet_NaN();
        constexpr float round_to_integer = 0x1.8p23f;
        for (std::int64_t i = 0; i < n; ++i) {
            const float code = sound && most > 0.0f ? x[i] / most * 127.0f : 0.0f;
            out[i] = static_cast<std::int8_t>((code + round_to_integer) - round_to_integer);
        }
    }

    template <class Kept>
    void store_as(const dense_kernels& run, std::int64_t layer, std::int64_t head, const_matrix k,
                  const_matrix v) {
        const std::int64_t at = layer * kv_heads + head;
        thread_local std::vector<Kept> row;
        row.resize(static_cast<std::size_t>(std::max(key_dim, value_stride())));
        float none, *of_keys = &none, *of_values = &none;
        for (std::int64_t t = 0; t < k.rows; ++t) {
            const std::int64_t position = length + t, slot = position % positions_per_block;
            auto* into = reinterpret_cast<Kept*>(key_at(at, position / positions_per_block));
            if (type == kept_as::q8) {
                of_keys = key_scales(at) + position;
                of_values = value_scales(at) + position;
            }
            // Later slots are read with the block, their scores thrown away.
            if (slot == 0) {
                std::fill_n(into, key_dim * positions_per_block, Kept{});
                if (type == kept_as::q8) std::fill_n(of_keys, positions_per_block, 0.0f);
            }
            keep(run, row.data(), k.row(t) + head * key_dim, key_dim, of_keys);
            for (std::int64_t d = 0; d < key_dim; ++d)
                into[d * positions_per_block + slot] = row[static_cast<std::size_t>(d)];
            std::fill(row.begin(), row.end(), Kept{});
            keep(run, row.data(), v.row(t) + head * value_dim, value_dim, of_values);
            for (std::int64_t part = 0; part < parts; ++part)
                std::copy_n(row.data() + part * values_per_part, values_per_part,
                            reinterpret_cast<Kept*>(value_at(at, part, position)));
        }
    }

    // out (count, 32) = a (count, terms) times what lies at b
    void combine(const dense_kernels& run, const float* a, std::int64_t a_stride,
                 std::int64_t count, const std::byte* b, std::int64_t terms, float* out,
                 std::int64_t out_stride) const {
        if (type == kept_as::f16)
            run.combine(a, a_stride, count, reinterpret_cast<const std::uint16_t*>(b), 32, terms,
                        out, out_stride);
        else if (type == kept_as::q8)
            run.combine_int8(a, a_stride, count, reinterpret_cast<const std::int8_t*>(b), 32, terms,
                             out, out_stride);
        else
            run.combine_f32(a, a_stride, count, reinterpret_cast<const float*>(b), 32, terms, out,
                            out_stride);
    }

public:
    static constexpr std::int64_t positions_per_block = 32;
    static constexpr std::int64_t values_per_part = 32;
    std::int64_t length = 0;  // positions filled

    kv_cache(const config& c, std::int64_t positions, kept_as kept = kept_as::f16)
        : type(kept),
          limit(positions),
          room((positions + positions_per_block - 1) / positions_per_block * positions_per_block),
          kv_heads(c.kv_heads),
          key_dim(c.key_dim),
          value_dim(c.value_dim),
          parts((c.value_dim + values_per_part - 1) / values_per_part) {
        // config's bounds: every factor below 2^26, but all of them together may not fit 63 bits.
        const double wanted = static_cast<double>(room) * static_cast<double>(c.layers * kv_heads) *
                              static_cast<double>(bytes_per_head());
        if (wanted < 0x1p46) memory = trilobit::aligned_buffer(static_cast<std::size_t>(wanted));
        if (memory.data() == nullptr)
            throw error("--context", "not enough memory for the keys and values of " +
                                         std::to_string(positions) + " positions");
        keys = memory.data();
        values = keys + c.layers * kv_heads * room * key_dim * kept_bytes(type);
        scales = reinterpret_cast<float*>(values + c.layers * kv_heads * room * value_stride() *
                                                       kept_bytes(type));
    }

    [[nodiscard]] std::int64_t capacity() const noexcept { return limit; }
    [[nodiscard]] std::int64_t bytes() const noexcept {
        return static_cast<std::int64_t>(memory.size());
    }
    [[nodiscard]] std::int64_t bytes_per_head() const noexcept {
        return (key_dim + value_stride()) * kept_bytes(type) +
               (type == kept_as::q8 ? 2 * static_cast<std::int64_t>(sizeof(float)) : 0);
    }
    /// Bytes of one position's keys and values, in all layers.
    [[nodiscard]] std::int64_t bytes_per_position(std::int64_t layers) const noexcept {
        return layers * kv_heads * bytes_per_head();
    }
    /// Width of a padded value.
    [[nodiscard]] std::int64_t value_stride() const noexcept { return parts * values_per_part; }

    /// out (count, 32) = the products of queries (count, key_dim) and the keys of a block.
    void score(const dense_kernels& run, std::int64_t layer, std::int64_t head, std::int64_t block,
               const float* queries, std::int64_t count, float* out,
               std::int64_t out_stride) const {
        const std::int64_t at = layer * kv_heads + head;
        combine(run, queries, key_dim, count, key_at(at, block), key_dim, out, out_stride);
        if (type != kept_as::q8) return;
        const float* scale = key_scales(at) + block * positions_per_block;
        for (std::int64_t q = 0; q < count; ++q)
            for (std::int64_t p = 0; p < positions_per_block; ++p)
                out[q * out_stride + p] *= scale[p];
    }

    /// out (count, value_stride) = the sums of the values of positions [first, last), each times
    /// its weight, of which there are (count, weights_stride). The weights change.
    void mix(const dense_kernels& run, std::int64_t layer, std::int64_t head, float* weights,
             std::int64_t weights_stride, std::int64_t count, std::int64_t first, std::int64_t last,
             float* out) const {
        const std::int64_t at = layer * kv_heads + head;
        const float* scale = value_scales(at) + first;
        for (std::int64_t q = 0; type == kept_as::q8 && q < count; ++q)
            for (std::int64_t p = 0; p < last - first; ++p)
                weights[q * weights_stride + p] *= scale[p];
        for (std::int64_t part = 0; part < parts; ++part)
            combine(run, weights, weights_stride, count, value_at(at, part, first), last - first,
                    out + part * values_per_part, value_stride());
    }

    /// Stores one head of k (tokens, kv_heads * key_dim) and v (tokens, kv_heads * value_dim) at
    /// positions from `length` on; `length` itself moves when the last layer is done. Different
    /// heads may be stored at once.
    void store(const dense_kernels& run, std::int64_t layer, std::int64_t head, const_matrix k,
               const_matrix v) {
        if (type == kept_as::f16) return store_as<std::uint16_t>(run, layer, head, k, v);
        if (type == kept_as::q8) return store_as<std::int8_t>(run, layer, head, k, v);
        store_as<float>(run, layer, head, k, v);
    }
};

}  // namespace tbx::model
