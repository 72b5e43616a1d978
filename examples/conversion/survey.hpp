// SPDX-License-Identifier: MIT
// Room conversion. Enters: the rows of a matrix, once. Leaves: what one must know of it before it
// can be stored otherwise: which few values it takes, and over how many columns they have one size.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <trilobit/weights/quantize.hpp>

#include "formats/format.hpp"
#include "gguf/float_rows.hpp"
#include "model/compute.hpp"

namespace tbx::conversion {

inline constexpr int kinds = 5;                                      // of formats::kind
inline constexpr std::array<int, 5> widths = {32, 64, 128, 256, 0};  // 0: a row

class survey {
    // fits[w] has bit k where each run of widths[w] columns is a scale times values of kind k.
    std::array<std::uint8_t, widths.size()> fits = {31, 31, 31, 31, 31};
    std::array<bool, widths.size()> half = {true, true, true, true, true};
    trilobit::unit_sums all;
    std::vector<float> magnitudes;  // but zero, while they are few

public:
    static constexpr std::size_t most_magnitudes = 16;

    /// Throws tbx::error where a weight is NaN or infinite; `file` is its subject.
    survey(model::compute& cpu, const gguf::float_rows& of, const std::string& file);

    /// Has the tensor one size? It, or 0.
    [[nodiscard]] float unit(formats::kind k) const noexcept;
    /// The same of all weights being zero, for which any size does.
    [[nodiscard]] bool fits_tensor(formats::kind k) const noexcept;
    /// Has each run of `width` columns of a row? 0: the whole row.
    [[nodiscard]] bool fits_runs(formats::kind k, int width) const noexcept;
    /// Is the size of each such run a number of half precision?
    [[nodiscard]] bool halves(int width) const noexcept;
    /// Some runs have one size each, or few sizes are all there are: nobody's masters.
    [[nodiscard]] bool is_quantised() const noexcept;
    [[nodiscard]] const trilobit::unit_sums& sums() const noexcept { return all; }
};

/// f.operator()<Kind>() with the library's kind.
template <class F>
auto visit_kind(formats::kind k, F&& f) {
    switch (k) {
        case formats::kind::binary:
            return f.template operator()<trilobit::binary>();
        case formats::kind::quaternary:
            return f.template operator()<trilobit::quaternary<2>>();
        case formats::kind::quaternary_odd:
            return f.template operator()<trilobit::quaternary<3>>();
        case formats::kind::quaternary_low:
            return f.template operator()<trilobit::quaternary<4>>();
        default:
            return f.template operator()<trilobit::ternary>();
    }
}

/// The size of some weights that fit a kind; 0 where all are zero, or they do not fit.
[[nodiscard]] inline float unit_of(formats::kind k, const trilobit::few_values& of) noexcept {
    return visit_kind(k, [&]<class K>() { return of.unit<K>(); });
}

/// The scale of a run: as above, but below 0 where the four levels of a kind lie the other way
/// round: -s times -1, 0, 1, 2 is s times 1, 0, -1, -2.
[[nodiscard]] inline float scale_of_run(formats::kind k, const trilobit::few_values& of) noexcept {
    using enum formats::kind;
    const float unit = unit_of(k, of);
    if (unit != 0 || (k != quaternary && k != quaternary_low)) return unit;
    return -unit_of(k == quaternary ? quaternary_low : quaternary, of);
}

}  // namespace tbx::conversion
