// SPDX-License-Identifier: MIT
// Room pack. Enters: a packed matrix, or bytes that claim to be one. Leaves: the 64-byte header, or
// a view of the bytes, refused with a sentence when they are truncated, damaged or foreign.
//
//   0 "TRILOBIT"   8 u16 version   10 u16 tile rows   12 u16 tile columns   14 u16 tile bytes
//  16 u32 layout id   20 u32 group columns   24 i64 rows   32 i64 columns
//  40 u8 granularity   41 u8 scale type   42 zeros
//  48 u64 payload hash   56 u64 header hash
//  64 tiles | scales, each followed by zeros up to a multiple of 64
// All little-endian.
#pragma once

#include "trilobit/version.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "trilobit/core/endian.hpp"
#include "trilobit/core/floats.hpp"
#include "trilobit/layout/all.hpp"
#include "trilobit/pack/packed_view.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace detail {

struct packed_header {
    char magic[8];
    little<std::uint16_t> version;
    little<std::uint16_t> tile_rows;
    little<std::uint16_t> tile_cols;
    little<std::uint16_t> tile_bytes;
    little<std::uint32_t> layout;
    little<std::uint32_t> group_cols;
    little<std::int64_t> rows;
    little<std::int64_t> cols;
    std::uint8_t granularity;
    std::uint8_t scale;
    std::uint8_t zeros[6];
    little<std::uint64_t> payload_hash;
    little<std::uint64_t> header_hash;  // of the 56 bytes before it
};
static_assert(sizeof(packed_header) == 64 && alignof(packed_header) <= 8);

inline constexpr char packed_magic[8] = {'T', 'R', 'I', 'L', 'O', 'B', 'I', 'T'};

/// 64-bit FNV-1a over words, in eight lanes so that it runs at memory speed; the tail is taken as a
/// word padded with zeros. Each step is a bijection of the lane, so no change of one word, however
/// small, can go unseen. It finds damage, not malice.
inline std::uint64_t hash_bytes(const std::byte* bytes, std::size_t count) noexcept {
    constexpr std::uint64_t prime = 0x100000001b3u;
    std::uint64_t lane[8];
    for (std::uint64_t i = 0; i < 8; ++i) lane[i] = 0xcbf29ce484222325u + i;
    std::size_t at = 0;
    for (; at + 64 <= count; at += 64) {
        little<std::uint64_t> word[8];
        std::memcpy(word, bytes + at, 64);
        for (int i = 0; i < 8; ++i) lane[i] = (lane[i] ^ word[i]) * prime;
    }
    for (int i = 0; at < count; ++i, at += 8) {
        little<std::uint64_t> word{};
        std::memcpy(&word, bytes + at, count - at < 8 ? count - at : 8);
        lane[i] = (lane[i] ^ word) * prime;
    }
    std::uint64_t hash = count;
    for (const std::uint64_t l : lane) hash = (std::rotl(hash, 29) ^ l) * prime;
    return hash ^ (hash >> 32);
}

/// Offsets of the sections and the size of the whole, in bytes.
struct packed_sections {
    std::int64_t tiles, scales, size;

    static constexpr packed_sections of(const packed_shape& shape) noexcept {
        const std::int64_t tiles = sizeof(packed_header);
        const std::int64_t scales = tiles + shape.tiles_bytes();
        return {tiles, scales, round_up(scales + shape.scale_bytes(), 64)};
    }
};

inline constexpr status unknown_layout{errc::unsupported, "This is not a layout of the library."};
inline constexpr status not_aligned{errc::bad_shape,
                                    "A packed matrix must start on a 64-byte boundary."};

/// Fills in the header of `bytes`, a whole packed image whose payload is complete.
inline void seal_packed(const packed_shape& shape, std::span<std::byte> bytes) noexcept {
    packed_header h{};
    std::memcpy(h.magic, packed_magic, sizeof h.magic);
    h.version = TRILOBIT_PACKED_VERSION;
    h.tile_rows = static_cast<std::uint16_t>(shape.tile.rows);
    h.tile_cols = static_cast<std::uint16_t>(shape.tile.cols);
    h.tile_bytes = static_cast<std::uint16_t>(shape.tile.bytes);
    h.layout = static_cast<std::uint32_t>(shape.layout);
    h.group_cols = static_cast<std::uint32_t>(shape.scale.group_cols);
    h.rows = shape.rows;
    h.cols = shape.cols;
    h.granularity = static_cast<std::uint8_t>(shape.scale.per);
    h.scale = static_cast<std::uint8_t>(shape.scale.type);
    h.payload_hash = hash_bytes(bytes.data() + sizeof h, bytes.size() - sizeof h);
    std::memcpy(bytes.data(), &h, sizeof h);
    h.header_hash = hash_bytes(bytes.data(), offsetof(packed_header, header_hash));
    std::memcpy(bytes.data(), &h, sizeof h);
}

/// Points the sections of a view of `shape` into an image.
inline packed_view place_packed(const packed_shape& shape, const std::byte* image) noexcept {
    const packed_sections at = packed_sections::of(shape);
    packed_view view{shape};
    view.tiles = image + at.tiles;
    view.scales = image + at.scales;
    return view;
}

}  // namespace detail

/// Bytes of the image of a matrix of this shape, or why there cannot be one.
inline result<std::int64_t> packed_bytes(const packed_shape& shape) noexcept {
    if (const status s = check_packed_shape(shape); !s.ok()) return s;
    return detail::packed_sections::of(shape).size;
}

/// The same for a layout of the library.
inline result<std::int64_t> packed_bytes(layout_id layout, std::int64_t rows, std::int64_t cols,
                                         const scale_spec& scale) noexcept {
    result<std::int64_t> bytes = detail::unknown_layout;
    visit_layout(layout,
                 [&]<class L>() { bytes = packed_bytes(packed_shape::of<L>(rows, cols, scale)); });
    return bytes;
}

/// How much of a packed image to read before trusting it. `header` reads 64 bytes and the scales,
/// and suits a file that was verified when it was written; kernels stay inside the image either
/// way.
enum class verify { header, everything };

/// Views a packed image in place. `bytes` starts on a 64-byte boundary and may be longer than the
/// image; nothing is copied, so it must outlive the view.
inline result<packed_view> view_packed(std::span<const std::byte> bytes,
                                       verify depth = verify::everything) noexcept {
    const auto refuse = [](const char* text) { return status{errc::bad_format, text}; };
    detail::packed_header h;
    if (bytes.size() < sizeof h) return refuse("The packed matrix is truncated inside its header.");
    std::memcpy(&h, bytes.data(), sizeof h);
    if (std::memcmp(h.magic, detail::packed_magic, sizeof h.magic) != 0)
        return refuse("These bytes are not a packed matrix: they do not start with TRILOBIT.");
    if (h.version != TRILOBIT_PACKED_VERSION)
        return refuse("The packed matrix has another version of the format: pack it again.");
    if (h.header_hash !=
        detail::hash_bytes(bytes.data(), offsetof(detail::packed_header, header_hash)))
        return refuse("The header of the packed matrix is damaged.");
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 64 != 0) return detail::not_aligned;

    packed_shape shape;
    shape.layout = static_cast<layout_id>(std::uint32_t{h.layout});
    shape.tile = {h.tile_rows, h.tile_cols, h.tile_bytes};
    shape.rows = h.rows;
    shape.cols = h.cols;
    shape.scale.per = static_cast<granularity>(h.granularity);
    shape.scale.group_cols =
        h.group_cols <= 256u ? static_cast<int>(std::uint32_t{h.group_cols}) : -1;
    shape.scale.type = static_cast<scale_type>(h.scale);
    bool known = h.layout >= 0x1000;  // a layout of somebody else's: the header must be believed
    visit_layout(shape.layout, [&]<class L>() { known = shape.tile == tile_shape::of<L>(); });
    if (!known || shape.tile.bytes % 64 != 0 || shape.tile.rows % 16 != 0)
        return refuse("The packed matrix has a layout that this library does not know.");
    if (const status s = check_packed_shape(shape); !s.ok()) return refuse(s.text);

    const detail::packed_sections at = detail::packed_sections::of(shape);
    if (static_cast<std::uint64_t>(at.size) > bytes.size())
        return refuse("The packed matrix is truncated: its header promises more bytes.");
    if (depth == verify::everything &&
        h.payload_hash != detail::hash_bytes(bytes.data() + sizeof h,
                                             static_cast<std::size_t>(at.size) - sizeof h))
        return refuse("The packed matrix is damaged: its bytes do not match their checksum.");
    const packed_view view = detail::place_packed(shape, bytes.data());
    for (std::int64_t i = 0; i < view.stored_scales(); ++i)
        if (!is_finite(view.scale_at(i)))
            return refuse("A scale of the packed matrix is NaN or infinite.");
    return view;
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
