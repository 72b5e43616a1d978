// SPDX-License-Identifier: MIT
// Room formats. Enters: bytes that hold codes of two bits or one. Leaves: their values, eight at a
// time in a word: on any machine that is several weights to an instruction, and compilers make
// vector instructions of the loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "formats/bytes.hpp"
#include "trilobit/core/config.hpp"

namespace tbx::formats {

inline constexpr std::uint64_t every_byte = 0x0101010101010101u;

/// Codes 0..3 in the bytes of a word, less one: 0x7f + code flips bit 7 beyond 0. No carry leaves a
/// byte.
constexpr std::uint64_t less_one(std::uint64_t codes) noexcept {
    return (codes + 0x7f * every_byte) ^ 0x80 * every_byte;
}

/// Bits shift..shift+1 of `count` bytes, less one. Returns bit 0 of each byte whose code is 3.
inline std::uint64_t read_field(const std::byte* from, std::int64_t count, int shift,
                                std::int8_t* values) noexcept {
    std::uint64_t threes = 0;
    std::int64_t i = 0;
    TRILOBIT_ROLLED  // or a short one of known length is unrolled and not vectorised
    for (; i + 8 <= count; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, from + i, 8);
        word = (word >> shift) & 3 * every_byte;  // a neighbour's bits are masked away
        threes |= word & (word >> 1);
        word = less_one(word);
        std::memcpy(values + i, &word, 8);
    }
    for (; i < count; ++i) {
        const unsigned code = (bits_of(from[i]) >> shift) & 3u;
        threes |= code & (code >> 1);
        values[i] = static_cast<std::int8_t>(static_cast<int>(code) - 1);
    }
    return threes;
}

/// Is one of the codes 3 that fill `count` bytes?
inline bool has_threes(const std::byte* from, std::int64_t count) noexcept {
    std::uint64_t threes = 0;
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
        std::uint64_t word;
        std::memcpy(&word, from + i, 8);
        threes |= word & (word >> 1);
    }
    for (; i < count; ++i) threes |= bits_of(from[i]) & (bits_of(from[i]) >> 1);
    return (threes & 0x55 * every_byte) != 0;
}

/// Four codes of two bits in a byte, the lowest bits first, as Lowest + Step * code.
template <int Lowest = -1, int Step = 1>
void read_low_first_2(const std::byte* from, std::int64_t bytes, std::int8_t* values) noexcept {
    constexpr std::uint32_t every = 0x01010101u, lowest = (0x80 + Lowest) * every;
    TRILOBIT_ROLLED
    for (std::int64_t i = 0; i < bytes; ++i) {
        // Each code moves to a byte of its own; what else the shifts bring is masked away.
        std::uint32_t x = bits_of(from[i]);
        x |= x << 6;
        x |= x << 12;
        x = ((x & 3 * every) * Step + lowest) ^ 0x80 * every;
        store_as(reinterpret_cast<std::byte*>(values + 4 * i), x);
    }
}

inline void write_low_first_2(const std::int8_t* values, std::int64_t bytes,
                              std::byte* to) noexcept {
    for (std::int64_t i = 0; i < bytes; ++i, values += 4)
        to[i] = static_cast<std::byte>((values[0] + 1) | (values[1] + 1) << 2 |
                                       (values[2] + 1) << 4 | (values[3] + 1) << 6);
}

/// Bit b of a byte in byte b of a word, as 0 or 1.
constexpr std::uint64_t bits_in_bytes(unsigned bits) noexcept {
    // Byte b keeps bit b alone and is 0 or not: then 0x7f + it has bit 7 set or not.
    const std::uint64_t x = (bits * every_byte) & 0x8040201008040201u;
    return ((x + 0x7f * every_byte) >> 7) & every_byte;
}

/// Eight signs in a byte, the lowest bit first: 1 is +1, 0 is -1.
inline void read_low_first_1(const std::byte* from, std::int64_t bytes,
                             std::int8_t* values) noexcept {
    for (std::int64_t i = 0; i < bytes; ++i) {
        std::uint64_t x = bits_in_bytes(bits_of(from[i]));
        x = (2 * x + 0x7f * every_byte) ^ 0x80 * every_byte;
        store_as(reinterpret_cast<std::byte*>(values + 8 * i), x);
    }
}

inline void write_low_first_1(const std::int8_t* values, std::int64_t bytes,
                              std::byte* to) noexcept {
    for (std::int64_t i = 0; i < bytes; ++i, values += 8) {
        unsigned byte = 0;
        for (int b = 0; b < 8; ++b) byte |= static_cast<unsigned>(values[b] > 0) << b;
        to[i] = static_cast<std::byte>(byte);
    }
}

/// Puts a code where read_field() finds it.
inline void write_field(std::byte& to, int shift, std::int8_t value) noexcept {
    to = (to & ~(std::byte{3} << shift)) | static_cast<std::byte>((value + 1) << shift);
}

}  // namespace tbx::formats
