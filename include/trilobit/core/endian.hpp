// SPDX-License-Identifier: MIT
// Room core. Enters: numbers as files hold them, least significant byte first, on every machine.
// Leaves: numbers, and the other way round. Where the machine does so too, nothing is done.
#pragma once

#include "trilobit/version.hpp"

#include <bit>
#include <cstdint>
#include <type_traits>

#include "trilobit/core/config.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

inline constexpr bool little_endian = std::endian::native == std::endian::little;
static_assert(little_endian || std::endian::native == std::endian::big,
              "No file is read on a machine with another order of bytes than these two.");

namespace detail {

template <int Bytes>
struct word_of;
template <>
struct word_of<1> {
    using type = std::uint8_t;
};
template <>
struct word_of<2> {
    using type = std::uint16_t;
};
template <>
struct word_of<4> {
    using type = std::uint32_t;
};
template <>
struct word_of<8> {
    using type = std::uint64_t;
};

template <class Word>
TRILOBIT_INLINE constexpr Word turned(Word word) noexcept {
    Word out = 0;
    for (unsigned i = 0; i < sizeof(Word); ++i)
        out = static_cast<Word>(out | static_cast<Word>(static_cast<Word>(word >> (8 * i)) & 0xffu)
                                          << (8 * (sizeof(Word) - 1 - i)));
    return out;
}

}  // namespace detail

/// A number inside a file's bytes, read in place; of the size and alignment of T.
template <class T>
class little {
    static_assert(std::is_arithmetic_v<T>);
    using word = typename detail::word_of<sizeof(T)>::type;
    alignas(T) word bytes;

public:
    little() noexcept = default;
    TRILOBIT_INLINE constexpr little(T value) noexcept : bytes(std::bit_cast<word>(value)) {
        if constexpr (!little_endian) bytes = detail::turned(bytes);
    }
    TRILOBIT_INLINE constexpr operator T() const noexcept {
        if constexpr (little_endian) return std::bit_cast<T>(bytes);
        return std::bit_cast<T>(detail::turned(bytes));
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
