// SPDX-License-Identifier: MIT
// Room testing. Enters: a layout, anybody's. Leaves: whether it keeps the promises of
// layout/concept.hpp, on which packers and kernels rely.
#pragma once

#include "trilobit/version.hpp"

#include <cstring>
#include <string>
#include <vector>

#include "trilobit/layout/concept.hpp"
#include "trilobit/testing/guarded_buffer.hpp"
#include "trilobit/testing/random.hpp"
#include "trilobit/testing/report.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::testing {

namespace detail {

/// One tile of values and one of bytes, each at the edge of what may be touched.
template <weight_layout L>
class tile_pair {
    static constexpr std::int64_t weights = std::int64_t{L::tile_rows} * L::tile_cols;
    guarded_buffer in{weights, 1}, out{weights, 1}, bytes{L::tile_bytes}, again{L::tile_bytes};

public:
    static constexpr int size = L::tile_rows * L::tile_cols;
    [[nodiscard]] std::int8_t* values() noexcept { return in.as<std::int8_t>(); }
    [[nodiscard]] std::byte* tile() noexcept { return bytes.data(); }
    [[nodiscard]] const std::int8_t* decoded() noexcept { return out.as<std::int8_t>(); }
    /// Of a kind that binds neighbours, makes rows of its own of any values.
    void fit() noexcept {
        for (int r = 0; r < L::tile_rows; ++r)
            fit_row<typename L::kind>(values() + r * L::tile_cols, L::tile_cols);
    }

    /// values -> tile -> decoded; what is wrong with that, or nothing.
    const char* encode_and_decode() noexcept {
        // Different bytes beforehand: encode must write every bit, not only set some.
        std::memset(bytes.data(), 0x00, bytes.size());
        std::memset(again.data(), 0xff, again.size());
        L::encode(values(), bytes.data());
        L::encode(values(), again.data());
        if (std::memcmp(bytes.data(), again.data(), bytes.size()) != 0)
            return "encode leaves bits of the tile as they were";
        if (!L::valid(bytes.data())) return "valid refuses what encode wrote";
        std::memset(out.data(), 0x55, out.size());
        L::decode(bytes.data(), out.as<std::int8_t>());
        if (std::memcmp(in.data(), out.data(), size) != 0) return "decode is not encode's inverse";
        return nullptr;
    }
    /// Decodes bytes that may never have been encoded; does valid tell the two apart?
    const char* judge_bytes() noexcept {
        std::memset(out.data(), 0x55, out.size());
        L::decode(bytes.data(), out.as<std::int8_t>());
        bool inside = true;
        for (int i = 0; i < size; ++i) {
            if (i % L::tile_cols == 0)
                inside = inside && holds_row<typename L::kind>(decoded() + i, L::tile_cols);
            if (decoded()[i] > largest_weight || decoded()[i] < -largest_weight)
                return "decode makes a value beyond 63 of some bytes, which overflows kernels";
        }
        bool encodable = false;
        if (inside) {
            L::encode(decoded(), again.data());
            encodable = std::memcmp(bytes.data(), again.data(), bytes.size()) == 0;
        }
        if (L::valid(bytes.data()) == encodable) return nullptr;
        return encodable ? "valid refuses bytes that encode can write"
                         : "valid accepts bytes that encode never writes";
    }
};

}  // namespace detail

/// Round trips over every value at every position and over random tiles; then every byte value at
/// every position, and random bytes, through decode and valid. Nothing may be touched past the end.
template <weight_layout L>
report check_layout(std::uint64_t seed = 1) {
    detail::tile_pair<L> t;
    const std::string name = "layout " + std::string(std::string_view(L::name)) + ": ";
    using kind = typename L::kind;
    if (!kind::holds(kind::padding))
        return report::failure(name + "its padding is not one of its values.");
    std::vector<std::int8_t> all;
    for (int v = -128; v <= 127; ++v)
        if (kind::holds(static_cast<std::int8_t>(v))) all.push_back(static_cast<std::int8_t>(v));
    if (all.front() != kind::lowest || all.back() != kind::highest)
        return report::failure(name +
                               "its lowest and highest value are not the ends of its values.");

    for (int i = 0; i < t.size; ++i)
        for (const std::int8_t v : all) {
            for (const std::int8_t rest : {kind::lowest, kind::padding, kind::highest}) {
                std::memset(t.values(), rest, static_cast<std::size_t>(t.size));
                t.values()[i] = v;
                t.fit();
                if (const char* wrong = t.encode_and_decode())
                    return report::failure(
                        name + wrong + " (row " + std::to_string(i / L::tile_cols) + ", column " +
                        std::to_string(i % L::tile_cols) + " is " + std::to_string(v) +
                        ", all others " + std::to_string(rest) + ").");
            }
        }
    generator r(seed);
    for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < t.size; ++i)
            t.values()[i] = all[static_cast<std::size_t>(r.between(0, std::ssize(all) - 1))];
        t.fit();
        if (const char* wrong = t.encode_and_decode())
            return report::failure(name + wrong + " (random tile " + std::to_string(round) +
                                   ", seed " + std::to_string(seed) + ").");
    }
    // The tile is now some valid one: each byte of it in turn takes every value.
    for (int at = 0; at < L::tile_bytes; ++at) {
        const std::byte was = t.tile()[at];
        for (int b = 0; b < 256; ++b) {
            t.tile()[at] = static_cast<std::byte>(b);
            if (const char* wrong = t.judge_bytes())
                return report::failure(name + wrong + " (byte " + std::to_string(at) + " is " +
                                       std::to_string(b) + ", seed " + std::to_string(seed) + ").");
        }
        t.tile()[at] = was;
    }
    for (int round = 0; round < 100; ++round) {
        for (int at = 0; at < L::tile_bytes; ++at) t.tile()[at] = static_cast<std::byte>(r.bits());
        if (const char* wrong = t.judge_bytes())
            return report::failure(name + wrong + " (random bytes " + std::to_string(round) +
                                   ", seed " + std::to_string(seed) + ").");
    }
    return {};
}

}  // namespace trilobit::inline TRILOBIT_ABI::testing

#include "trilobit/core/end.hpp"
