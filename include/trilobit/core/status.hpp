// SPDX-License-Identifier: MIT
// Room core. Enters: what went wrong. Leaves: a status that carries one whole sentence, and
// result<T>, a value or that status. The library neither throws nor needs RTTI.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

enum class errc : int {
    ok = 0,
    bad_shape,      ///< rows, columns, strides or sizes that do not fit together
    bad_value,      ///< NaN, infinity, or a weight outside the layout's value set
    bad_format,     ///< bytes that are no packed matrix of this version
    out_of_memory,  ///< an allocation failed
    unsupported,    ///< a combination that no kernel of this build serves
};

/// `text` is a sentence with static storage: a status may be copied and kept freely. `row` and
/// `col`, counted from 0, are those of the weight that it is about, if any.
struct [[nodiscard]] status {
    errc code = errc::ok;
    const char* text = "";
    std::int64_t row = -1, col = -1;

    [[nodiscard]] constexpr bool ok() const noexcept { return code == errc::ok; }
};

template <class T>
class [[nodiscard]] result {
    std::optional<T> held;
    status problem;

public:
    result(T value) : held(std::move(value)) {}
    result(status error) noexcept : problem(error) {}

    [[nodiscard]] bool ok() const noexcept { return held.has_value(); }
    [[nodiscard]] status error() const noexcept { return problem; }
    /// Precondition: ok().
    [[nodiscard]] T& value() & noexcept { return *held; }
    [[nodiscard]] const T& value() const& noexcept { return *held; }
    [[nodiscard]] T&& value() && noexcept { return *std::move(held); }
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
