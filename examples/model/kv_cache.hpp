// SPDX-License-Identifier: MIT
// Room examples/model. Enters: keys and values of tokens, in order. Leaves: those of all positions
// so far, as IEEE halves, laid out so that attention reads them in straight lines.
//
//   keys    (layer, kv_head, block, key_dim, 32)
//   values  (layer, kv_head, part, position, 32)
//
// 32 positions are one block of keys, and their elements number d lie side by side: so do 32 scores
// while they grow, and no sum crosses lanes. 32 elements are one part of a value; mixing walks one
// part through all positions.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include <trilobit/core/aligned_buffer.hpp>

#include "model/config.hpp"
#include "model/linear.hpp"

namespace tbx::model {

class kv_cache {
    trilobit::aligned_buffer memory;
    std::int64_t limit = 0;  // positions asked for
    std::int64_t room = 0;   // the same, rounded up to blocks
    std::int64_t kv_heads = 0;
    std::int64_t key_dim = 0;
    std::int64_t value_dim = 0;
    std::int64_t parts = 0;  // of a value; the last one is padded with zeros
    std::uint16_t* keys = nullptr;
    std::uint16_t* values = nullptr;

    [[nodiscard]] std::uint16_t* key_at(std::int64_t head, std::int64_t block) const noexcept {
        return keys + (head * (room / positions_per_block) + block) * key_dim * positions_per_block;
    }
    [[nodiscard]] std::uint16_t* value_at(std::int64_t head, std::int64_t part,
                                          std::int64_t position) const noexcept {
        return values + ((head * parts + part) * room + position) * values_per_part;
    }

public:
    static constexpr std::int64_t positions_per_block = 32;
    static constexpr std::int64_t values_per_part = 32;
    std::int64_t length = 0;  // positions filled

    kv_cache(const config& c, std::int64_t positions)
        : limit(positions),
          room((positions + positions_per_block - 1) / positions_per_block * positions_per_block),
          kv_heads(c.kv_heads),
          key_dim(c.key_dim),
          value_dim(c.value_dim),
          parts((c.value_dim + values_per_part - 1) / values_per_part) {
        // config's bounds: every factor below 2^26, but all of them together may not fit 63 bits.
        const double wanted = 2.0 * static_cast<double>(c.layers * kv_heads) *
                              static_cast<double>(room) *
                              static_cast<double>(key_dim + value_stride());
        if (wanted < 0x1p46) memory = trilobit::aligned_buffer(static_cast<std::size_t>(wanted));
        if (memory.data() == nullptr)
            throw error("--context", "not enough memory for the keys and values of " +
                                         std::to_string(positions) + " positions");
        keys = reinterpret_cast<std::uint16_t*>(memory.data());
        values = keys + c.layers * kv_heads * room * key_dim;
    }

    [[nodiscard]] std::int64_t capacity() const noexcept { return limit; }
    /// Bytes of one position's keys and values, in all layers.
    [[nodiscard]] std::int64_t bytes_per_position(std::int64_t layers) const noexcept {
        return 2 * layers * kv_heads * (key_dim + value_stride());
    }

    /// (key_dim, 32) halves of 32 positions.
    [[nodiscard]] const std::uint16_t* key_block(std::int64_t layer, std::int64_t head,
                                                 std::int64_t block) const noexcept {
        return key_at(layer * kv_heads + head, block);
    }
    /// (positions, 32) halves.
    [[nodiscard]] const std::uint16_t* value_part(std::int64_t layer, std::int64_t head,
                                                  std::int64_t part) const noexcept {
        return value_at(layer * kv_heads + head, part, 0);
    }
    /// Width of a padded value.
    [[nodiscard]] std::int64_t value_stride() const noexcept { return parts * values_per_part; }

    /// Stores one head of k (tokens, kv_heads * key_dim) and v (tokens, kv_heads * value_dim) at
    /// positions from `length` on; `length` itself moves when the last layer is done. Different
    /// heads may be stored at once.
    void store(const dense_kernels& run, std::int64_t layer, std::int64_t head, const_matrix k,
               const_matrix v) {
        thread_local std::vector<std::uint16_t> row;
        row.resize(static_cast<std::size_t>(std::max(key_dim, value_stride())));
        for (std::int64_t t = 0; t < k.rows; ++t) {
            const std::int64_t slot = (length + t) % positions_per_block;
            std::uint16_t* into =
                key_at(layer * kv_heads + head, (length + t) / positions_per_block);
            // Later slots are read with the block, their scores thrown away.
            if (slot == 0)
                std::memset(into, 0, static_cast<std::size_t>(key_dim * positions_per_block * 2));
            run.to_f16(row.data(), k.row(t) + head * key_dim, key_dim);
            for (std::int64_t d = 0; d < key_dim; ++d)
                into[d * positions_per_block + slot] = row[static_cast<std::size_t>(d)];
            std::fill(row.begin(), row.end(), std::uint16_t{0});
            run.to_f16(row.data(), v.row(t) + head * value_dim, value_dim);
            for (std::int64_t part = 0; part < parts; ++part)
                std::copy_n(row.data() + part * values_per_part, values_per_part,
                            value_at(layer * kv_heads + head, part, length + t));
        }
    }
};

}  // namespace tbx::model
