// SPDX-License-Identifier: MIT
// Room formats. Leaves: the list of all formats of ordinary floats.
#pragma once

#include "formats/floats.hpp"
#include "formats/q4_0.hpp"
#include "formats/q4_k.hpp"
#include "formats/q5_k.hpp"
#include "formats/q6_k.hpp"
#include "formats/q8_0.hpp"

namespace tbx::formats {

inline constexpr const dense_format* dense_formats[] = {&f32,  &f16,    &bf16, &q8_0, &q4_0,
                                                        &q4_k, &iq4_nl, &q5_k, &q6_k};

/// Null for a name that there is not.
[[nodiscard]] constexpr const dense_format* find_dense(std::string_view name) noexcept {
    for (const dense_format* f : dense_formats)
        if (f->name == name) return f;
    return nullptr;
}

}  // namespace tbx::formats
