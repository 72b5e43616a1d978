// SPDX-License-Identifier: MIT
// Room integrations/c. Enters: what C callers hold and hand over. Leaves: the objects behind the
// handles, and the three things that every function does: it refuses what cannot be, it reads
// options of any age, and it lets no exception out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <vector>

#include "trilobit/core/thread_pool.hpp"
#include "trilobit/dispatch/dispatch.hpp"
#include "trilobit/trilobit.h"

struct trilobit_context {
    std::unique_ptr<trilobit::thread_pool> pool;  // none for the calling thread alone
    trilobit::context products;
    std::mutex one_product;  // at a time uses the memory of `products`
    long process;            // whose threads they are

    trilobit_context(const trilobit::kernel_table& kernels, int threads);
    [[nodiscard]] trilobit::executor_ref threads() const noexcept {
        return pool ? trilobit::executor_ref(*pool) : trilobit::executor_ref();
    }
};

struct trilobit_matrix {
    trilobit::packed_view view;
    trilobit::any_packed_matrix owned;
#if defined(__unix__) || defined(__APPLE__)
    std::optional<trilobit::mapped_matrix> mapped;
#endif
};

namespace tbx::capi {

using trilobit::errc;
using trilobit::status;

inline constexpr status no_context{errc::bad_value, "The context is null."};
inline constexpr status no_matrix{errc::bad_value, "The matrix is null."};
inline constexpr status no_plan{errc::bad_value, "The plan is null."};
inline constexpr status no_place{errc::bad_value, "There is no place for the result."};
inline constexpr status wrong_struct_size{errc::bad_value,
                                          "The struct_size of a struct is not its size."};
inline constexpr std::size_t most_struct = 4096;  // bytes, of any version to come
inline constexpr status reserved_field{errc::unsupported, "A reserved field is not 0."};

inline trilobit_status to_c(const status& s) noexcept {
    return {static_cast<std::int32_t>(s.code), s.text};
}

/// What `f` returns, a status; or what it threw, as one.
template <class F>
trilobit_status guarded(F&& f) noexcept {
    try {
        return to_c(f());
    } catch (const std::bad_alloc&) {
        return to_c({errc::out_of_memory, "There is not enough memory for this call."});
    } catch (...) {
        return to_c({errc::out_of_memory, "The system refused what this call needs."});
    }
}

/// The same for a function that leaves a handle in `out`: null unless all went well.
template <class T, class F>
trilobit_status make(T** out, F&& f) noexcept {
    if (out == nullptr) return to_c(no_place);
    *out = nullptr;
    return guarded([&]() -> status {
        auto made = std::make_unique<T>();
        if (const status s = f(*made); !s.ok()) return s;
        *out = made.release();
        return {};
    });
}

/// A struct of the caller's, which may be older than ours, and shorter, or newer, and longer. All
/// structs have `struct_size` first; bytes of fields that we do not know must be zero.
template <class T>
status read_struct(const T* from, T& to) noexcept {
    to = T{};
    if (from == nullptr) return {};
    std::size_t size = 0;
    std::memcpy(&size, from, sizeof size);
    // Structs of the first version are all that there have been.
    if (size < sizeof(T) || size > most_struct) return wrong_struct_size;
    const auto* bytes = reinterpret_cast<const unsigned char*>(from);
    for (std::size_t i = sizeof(T); i < size; ++i)
        if (bytes[i] != 0)
            return {errc::unsupported,
                    "A struct asks for something that this version of the library has not."};
    std::memcpy(&to, from, sizeof to);
    return {};
}

/// An id of the caller's as an enumeration, if it is one of `count` from 0 on.
template <class Id>
status read_id(std::int32_t from, int count, const char* otherwise, Id& to) noexcept {
    if (from < 0 || from >= count) return {errc::unsupported, otherwise};
    to = static_cast<Id>(from);
    return {};
}

/// A matrix in memory of the caller's; a stride of 0 is the width.
template <class T>
status read_view(T* data, std::int64_t rows, std::int64_t cols, std::int64_t stride,
                 trilobit::matrix_view<T>& to) noexcept {
    to = {data, rows, cols, stride == 0 ? cols : stride};
    if (const status s = trilobit::check_view(to); !s.ok()) return s;
    if (!to.empty() && rows * to.stride > std::numeric_limits<std::ptrdiff_t>::max() /
                                              static_cast<std::ptrdiff_t>(sizeof(T)))
        return {errc::bad_shape, "A matrix is too large to address."};
    if (reinterpret_cast<std::uintptr_t>(data) % alignof(T) != 0)
        return {errc::bad_shape, "A matrix starts on no multiple of the size of its numbers."};
    return {};
}

status read_options(const trilobit_matmul_options* from, trilobit::matmul_options& to) noexcept;

}  // namespace tbx::capi
