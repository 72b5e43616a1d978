// SPDX-License-Identifier: MIT
// Room support. Enters: bytes. Leaves: their SHA-256; see sha256.hpp.
#include "support/sha256.hpp"

#include <algorithm>
#include <bit>

namespace tbx::support {
namespace {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
constexpr std::uint32_t round_numbers[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

}  // namespace

void sha256::take_block() noexcept {
    std::uint32_t words[64];
    for (std::size_t i = 0; i < 16; ++i) {
        words[i] = 0;
        for (std::size_t b = 0; b < 4; ++b)
            words[i] = words[i] << 8 | std::to_integer<std::uint32_t>(block[4 * i + b]);
    }
    for (int i = 16; i < 64; ++i) {
        const std::uint32_t x = words[i - 15], y = words[i - 2];
        words[i] = words[i - 16] + (std::rotr(x, 7) ^ std::rotr(x, 18) ^ x >> 3) + words[i - 7] +
                   (std::rotr(y, 17) ^ std::rotr(y, 19) ^ y >> 10);
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (int i = 0; i < 64; ++i) {
        const std::uint32_t first = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                    ((e & f) ^ (~e & g)) + round_numbers[i] + words[i];
        const std::uint32_t second =
            (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + first;
        d = c, c = b, b = a, a = first + second;
    }
    const std::uint32_t after[] = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < state.size(); ++i) state[i] += after[i];
}

void sha256::add(std::span<const std::byte> bytes) noexcept {
    while (!bytes.empty()) {
        const std::size_t at = length % block.size();
        const std::size_t count = std::min(bytes.size(), block.size() - at);
        std::copy_n(bytes.begin(), count, block.begin() + static_cast<std::ptrdiff_t>(at));
        bytes = bytes.subspan(count);
        length += count;
        if (length % block.size() == 0) take_block();
    }
}

std::string sha256::digest() {
    const std::uint64_t bits = length * 8;
    // A one, zeros, and the number of bits as the last eight bytes of a block.
    std::byte end[72] = {std::byte{0x80}};
    const std::size_t zeros = (64 + 55 - length % 64) % 64;
    for (std::size_t i = 0; i < 8; ++i)
        end[1 + zeros + i] = static_cast<std::byte>(bits >> (56 - 8 * i));
    add(std::span(end).first(zeros + 9));
    std::string text;
    for (const std::uint32_t word : state)
        for (int shift = 28; shift >= 0; shift -= 4)
            text += "0123456789abcdef"[word >> shift & 15u];
    return text;
}

}  // namespace tbx::support
