// SPDX-License-Identifier: MIT
// Room testing. Enters: a seed. Leaves: the same numbers on every machine and standard library,
// which std::uniform_int_distribution does not promise, and decks that deal lists evenly.
#pragma once

#include "trilobit/version.hpp"

#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::testing {

/// SplitMix64 (Steele, Lea, Flood 2014).
class generator {
    std::uint64_t state;

public:
    explicit constexpr generator(std::uint64_t seed) noexcept : state(seed) {}
    constexpr std::uint64_t bits() noexcept {
        state += 0x9e3779b97f4a7c15u;
        std::uint64_t z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    /// Evenly among low..high, both included.
    constexpr std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
        const auto span = static_cast<std::uint64_t>(high - low) + 1;
        return low + static_cast<std::int64_t>((bits() >> 16) % span);
    }
    /// In [-1, 1), all 24 bits of a float used.
    float unit() noexcept {
        return static_cast<float>(between(-(1 << 24), (1 << 24) - 1)) * 0x1p-24f;
    }
    /// A float of either sign whose magnitude spreads over 2^-8..2^8.
    float spread() noexcept {
        return std::ldexp(unit() * 0.5f + (unit() < 0 ? -0.75f : 0.75f),
                          static_cast<int>(between(-8, 8)));
    }
};

/// Deals the elements of a list in random order, all of them before any comes again: few draws
/// reach every value, and decks of coprime lengths reach most pairs.
template <class T>
class deck {
    std::vector<T> cards;
    std::size_t next = 0;

public:
    explicit deck(std::span<const T> list) : cards(list.begin(), list.end()) {}
    T deal(generator& r) {
        if (next == 0)
            for (std::size_t i = cards.size(); i > 1; --i)
                std::swap(cards[i - 1], cards[static_cast<std::size_t>(
                                            r.between(0, static_cast<std::int64_t>(i) - 1))]);
        const T card = cards[next];
        next = (next + 1) % cards.size();
        return card;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::testing

#include "trilobit/core/end.hpp"
