// SPDX-License-Identifier: MIT
// Room pack. Enters: a shape, or a file's name. Leaves: packed bytes that somebody owns: memory
// (any_packed_matrix, packed_matrix<Layout>) or a read-only mapping of a file (mapped_matrix).
#pragma once

#include "trilobit/version.hpp"

#include <cstdio>
#include <span>
#include <utility>

#include "trilobit/core/aligned_buffer.hpp"
#include "trilobit/pack/file_mapping.hpp"
#include "trilobit/pack/header.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace detail {

inline constexpr const char* moved_away = "This packed matrix holds nothing: it was moved away.";

/// The view of a matrix that there is not.
inline packed_view no_packed(const char* why) noexcept {
    packed_view view;
    view.problem = {errc::bad_shape, why};
    return view;
}

}  // namespace detail

/// Owns a packed image: header, tiles, scales in one block that can be written to a file as it is.
/// A packing that failed leaves an empty one with the reason in status(), and every use of it
/// returns that status: there is nothing to forget to check.
class any_packed_matrix {
    aligned_buffer image;
    packed_view placed = detail::no_packed("This packed matrix was never packed.");

public:
    any_packed_matrix() noexcept = default;
    any_packed_matrix(trilobit::status error) noexcept { placed.problem = error; }
    any_packed_matrix(any_packed_matrix&& other) noexcept
        : image(std::move(other.image)),
          placed(std::exchange(other.placed, detail::no_packed(detail::moved_away))) {}
    any_packed_matrix& operator=(any_packed_matrix&& other) noexcept {
        any_packed_matrix taken(std::move(other));
        image.swap(taken.image);
        std::swap(placed, taken.placed);
        return *this;
    }
    /// Owns an image that lies in `bytes`, which was packed or read into it.
    explicit any_packed_matrix(aligned_buffer bytes, verify depth = verify::everything) noexcept {
        const result<packed_view> viewed = view_packed({bytes.data(), bytes.size()}, depth);
        placed.problem = viewed.error();
        if (!viewed.ok()) return;
        placed = viewed.value();
        image = std::move(bytes);
    }

    /// The same bytes beside other matrices' in `arena`, which outlives them; views taken before
    /// end here. Without memory for it everything stays as it was.
    [[nodiscard]] trilobit::status move_to(page_arena& arena) noexcept {
        if (!placed.problem.ok()) return placed.problem;
        aligned_buffer lent(image.size(), arena);
        if (lent.data() == nullptr)
            return {errc::out_of_memory, "There is not enough memory for the packed matrix."};
        std::memcpy(lent.data(), image.data(), image.size());
        image = std::move(lent);
        placed = detail::place_packed(placed, image.data());
        return {};
    }

    [[nodiscard]] trilobit::status status() const noexcept { return placed.problem; }
    [[nodiscard]] const packed_view& view() const noexcept { return placed; }
    operator const packed_view&() const noexcept { return placed; }
    /// The image, ready to be written to a file.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return {image.data(), image.size()};
    }
};

/// The same, with the layout known when compiling: what matmul() needs to pick a kernel statically.
template <weight_layout Layout>
class packed_matrix : public any_packed_matrix {
public:
    using layout = Layout;
    using any_packed_matrix::any_packed_matrix;
};

/// Writes an image beside `path` and renames it into place: a reader never sees half a file.
inline status save(std::span<const std::byte> image, const char* path) {
    const status failed{errc::bad_format, "The packed matrix could not be written."};
    char scratch[4096];
    const int length = std::snprintf(scratch, sizeof scratch, "%s.part", path);
    if (length < 0 || static_cast<std::size_t>(length) >= sizeof scratch) return failed;
    std::FILE* file = std::fopen(scratch, "wb");
    if (file == nullptr) return failed;
    bool good = std::fwrite(image.data(), 1, image.size(), file) == image.size();
    good = std::fclose(file) == 0 && good;
    if (good && detail::replace_file(scratch, path)) return {};
    (void)std::remove(scratch);
    return failed;
}

inline status save(const any_packed_matrix& matrix, const char* path) {
    if (!matrix.status().ok()) return matrix.status();
    return save(matrix.bytes(), path);
}

#if TRILOBIT_HAS_FILE_MAPPING

/// A packed file mapped read-only: shared by every process that maps it, pages read when they are
/// touched. Whoever truncates the file meanwhile makes reads fault, as with any map; Windows
/// refuses that, and to replace the file.
class mapped_matrix {
    void* base = nullptr;
    std::size_t length = 0;
    packed_view placed = detail::no_packed("This packed matrix was never mapped.");

public:
    explicit mapped_matrix(const char* path, verify depth = verify::everything) noexcept {
        placed.problem = detail::map_file(path, sizeof(detail::packed_header), base, length);
        if (!placed.problem.ok()) return;
        const auto viewed = view_packed({static_cast<const std::byte*>(base), length}, depth);
        if (viewed.ok())
            placed = viewed.value();
        else
            placed.problem = viewed.error();
    }
    mapped_matrix(mapped_matrix&& other) noexcept
        : base(std::exchange(other.base, nullptr)),
          length(std::exchange(other.length, 0)),
          placed(std::exchange(other.placed, detail::no_packed(detail::moved_away))) {}
    mapped_matrix& operator=(mapped_matrix&& other) noexcept {
        mapped_matrix taken(std::move(other));
        std::swap(base, taken.base);
        std::swap(length, taken.length);
        std::swap(placed, taken.placed);
        return *this;
    }
    mapped_matrix(const mapped_matrix&) = delete;
    mapped_matrix& operator=(const mapped_matrix&) = delete;
    ~mapped_matrix() {
        if (base != nullptr) detail::unmap_file(base, length);
    }

    [[nodiscard]] trilobit::status status() const noexcept { return placed.problem; }
    [[nodiscard]] const packed_view& view() const noexcept { return placed; }
    operator const packed_view&() const noexcept { return placed; }
};

#endif

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
