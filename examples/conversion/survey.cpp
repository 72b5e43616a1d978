// SPDX-License-Identifier: MIT
// Room conversion. Enters: rows. Leaves: a survey; see survey.hpp.
#include "conversion/survey.hpp"

#include <algorithm>
#include <cmath>

#include "conversion/rows_at_once.hpp"
#include "support/error.hpp"

namespace tbx::conversion {

namespace {

using trilobit::few_values;

std::uint8_t fitting(const few_values& values) noexcept {
    unsigned bits = 0;
    for (int k = 0; k < kinds; ++k)
        visit_kind(static_cast<formats::kind>(k), [&]<class K>() {
            if (!values.more && values.fit<K>()) bits |= 1u << k;
        });
    return static_cast<std::uint8_t>(bits);
}

// In a run, a scale below 0 turns the levels round.
std::uint8_t fitting_run(const few_values& values) noexcept {
    constexpr unsigned both = 1u << static_cast<int>(formats::kind::quaternary) |
                              1u << static_cast<int>(formats::kind::quaternary_low);
    const unsigned bits = fitting(values);
    return static_cast<std::uint8_t>((bits & both) != 0 ? bits | both : bits);
}

// The least size but zero is what the run is multiplied by.
bool is_half(const few_values& values) noexcept {
    for (int i = 0; i < values.count; ++i)
        if (trilobit::f16_to_f32(trilobit::f32_to_f16(values.value[i])) != values.value[i])
            return false;
    return true;
}

struct row_survey {
    std::array<std::uint8_t, widths.size()> fits = {31, 31, 31, 31, 31};
    std::array<bool, widths.size()> half = {true, true, true, true, true};
    trilobit::unit_sums sums;
    std::vector<float> sizes;  // but zero; one more than are of interest, where there are more

    void take(std::span<const float> row) {
        sums = trilobit::sum_weights(row.data(), std::ssize(row));
        sizes.clear();
        // Runs of 32, then wider ones of these.
        std::array<few_values, widths.size() - 1> open;
        for (std::size_t at = 0; at < row.size(); at += 32) {
            const std::size_t count = std::min<std::size_t>(32, row.size() - at);
            const few_values here =
                trilobit::values_of(row.data() + at, static_cast<std::int64_t>(count));
            for (std::size_t w = 0; w < open.size(); ++w) {
                open[w] += here;
                const std::size_t end = at + count;
                if (end != row.size() && end % static_cast<std::size_t>(widths[w]) != 0) continue;
                if (fits[w] != 0) fits[w] &= fitting_run(open[w]);
                half[w] = half[w] && is_half(open[w]);
                open[w] = {};
            }
            add_sizes(row.subspan(at, count), here);
        }
        fits.back() = fitting_run(sums.values);
    }

private:
    void add(float size) {
        size = std::fabs(size);
        if (size == 0 || sizes.size() > survey::most_magnitudes ||
            std::find(sizes.begin(), sizes.end(), size) != sizes.end())
            return;
        sizes.push_back(size);
    }
    void add_sizes(std::span<const float> run, const few_values& here) {
        if (sizes.size() > survey::most_magnitudes) return;
        if (here.more)
            for (const float w : run) add(w);
        else
            for (int i = 0; i < here.count; ++i) add(here.value[i]);
    }
};

}  // namespace

survey::survey(model::compute& cpu, const gguf::float_rows& of, const std::string& file) {
    const std::int64_t together = rows_together(of.cols);
    std::vector<row_survey> found(static_cast<std::size_t>(std::min(together, of.rows)));
    const auto cols = static_cast<std::size_t>(of.cols);
    for (std::int64_t first = 0; first < of.rows; first += together) {
        const std::int64_t end = std::min(first + together, of.rows);
        each_row(cpu, first, end, [&](std::int64_t row) {
            thread_local std::vector<float> values;
            values.resize(cols);
            of.read(row, values);
            row_survey& mine = found[static_cast<std::size_t>(row - first)];
            mine = {};
            mine.take(values);
        });
        for (std::int64_t row = first; row < end; ++row) {
            const row_survey& r = found[static_cast<std::size_t>(row - first)];
            all += r.sums;  // in the order of rows, whoever read them
            for (std::size_t w = 0; w < fits.size(); ++w) {
                fits[w] &= r.fits[w];
                half[w] = half[w] && r.half[w];
            }
            for (const float size : r.sizes)
                if (magnitudes.size() <= most_magnitudes &&
                    std::find(magnitudes.begin(), magnitudes.end(), size) == magnitudes.end())
                    magnitudes.push_back(size);
        }
    }
    of.forget();
    if (!all.finite()) throw error(file, of.name + ": a weight is NaN or infinite");
}

float survey::unit(formats::kind k) const noexcept { return unit_of(k, all.values); }

bool survey::fits_tensor(formats::kind k) const noexcept {
    return (fitting(all.values) >> static_cast<int>(k) & 1) != 0;
}

bool survey::fits_runs(formats::kind k, int width) const noexcept {
    const auto at = std::find(widths.begin(), widths.end(), width);
    if (at == widths.end()) return false;
    return (fits[static_cast<std::size_t>(at - widths.begin())] >> static_cast<int>(k) & 1) != 0;
}

bool survey::halves(int width) const noexcept {
    const auto at = std::find(widths.begin(), widths.end(), width);
    return at != widths.end() && half[static_cast<std::size_t>(at - widths.begin())];
}

// 32 columns divide the groups of every format.
bool survey::is_quantised() const noexcept {
    return fits_runs(formats::kind::ternary, 32) || fits_runs(formats::kind::binary, 32) ||
           magnitudes.size() <= most_magnitudes;
}

}  // namespace tbx::conversion
