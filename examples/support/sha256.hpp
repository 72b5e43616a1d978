// SPDX-License-Identifier: MIT
// Room support. Enters: bytes, in as many calls as one likes. Leaves: their SHA-256 (FIPS 180-4).
// Our own, because libraries that have it are not there for every machine that this room is
// compiled for, WebAssembly among them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace tbx::support {

class sha256 {
    std::array<std::uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::byte, 64> block{};
    std::uint64_t length = 0;  // bytes so far

    void take_block() noexcept;

public:
    void add(std::span<const std::byte> bytes) noexcept;
    /// 64 hexadecimal digits, in lower case. Nothing is added afterwards.
    [[nodiscard]] std::string digest();
};

}  // namespace tbx::support
