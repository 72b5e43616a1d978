// SPDX-License-Identifier: MIT
// Room examples/model. Enters: shapes. Leaves: random packed matrices; see random_pool.hpp.
#include "model/random_pool.hpp"

#include <algorithm>
#include <cstring>

#include <trilobit/pack/pack.hpp>

#include "model/random_weights.hpp"
#include "model/sampler.hpp"

namespace tbx::model {
namespace {

// A number that no layer's matrix has.
constexpr std::uint64_t first_pool = std::uint64_t{1} << 22;

[[noreturn]] void refuse(const char* text) { throw error("--layout", text); }

}  // namespace

// Which row of the pool is a row of a matrix.
std::int64_t random_pool::dealt(std::uint64_t which, std::int64_t row) const noexcept {
    random_numbers random(seed + which * 0x2545f4914f6cdd1du +
                          static_cast<std::uint64_t>(row / hand_rows));
    const auto hand = static_cast<std::int64_t>(random.bits() % hands);
    return hand * hand_rows + row % hand_rows;
}

// Rows of the pool, by their numbers, packed.
template <class RowOfPool>
trilobit::any_packed_matrix random_pool::pack(std::int64_t rows, std::int64_t cols,
                                              RowOfPool of) const {
    bool zeros = false;
    void (*fit_row)(std::int8_t*, std::int64_t) = nullptr;
    trilobit::visit_layout(layout, [&]<class L>() {
        zeros = L::kind::holds(0);
        fit_row = &trilobit::fit_row<typename L::kind>;
    });
    const auto source = [&](std::int64_t row, std::int8_t* values, float* scales) {
        random_trits(seed, first_pool + static_cast<std::uint64_t>(cols), of(row),
                     {values, static_cast<std::size_t>(cols)});
        if (!zeros)
            for (std::int64_t i = 0; i < cols; ++i) values[i] = values[i] < 0 ? -1 : 1;
        fit_row(values, cols);
        scales[0] = unit_scale(cols);
        return trilobit::status{};
    };
    trilobit::any_packed_matrix made =
        trilobit::pack_rows(layout, rows, cols, source, {trilobit::scale_spec::tensor()}, cpu.pool);
    if (!made.status().ok()) refuse(made.status().text);
    return made;
}

const trilobit::packed_view& random_pool::rows_of(std::int64_t cols) {
    for (const pool& p : pools)
        if (p.cols == cols) return p.rows.view();
    pools.push_back({cols, pack(pool_rows, cols, [](std::int64_t row) { return row; })});
    return pools.back().rows.view();
}

linear random_pool::make(std::uint64_t which, std::int64_t rows, std::int64_t cols,
                         trilobit::page_arena& arena) {
    const std::int64_t whole = rows / hand_rows;
    trilobit::packed_view out;
    trilobit::visit_layout(layout, [&]<class L>() {
        static_assert(hand_rows % L::tile_rows == 0);
        out = {trilobit::packed_shape::of<L>(rows, cols, trilobit::scale_spec::tensor())};
    });
    constexpr std::int64_t line = trilobit::aligned_buffer::cache_line;
    std::byte* tiles = arena.take(static_cast<std::size_t>(out.tiles_bytes() + line));
    if (tiles == nullptr) refuse("There is not enough memory for the weights.");
    std::byte* scale = tiles + out.tiles_bytes();
    out.tiles = tiles;
    out.scales = scale;
    const trilobit::little<float> unit{unit_scale(cols)};
    std::memcpy(scale, &unit, sizeof unit);

    const std::int64_t block_bytes = out.row_tiles() * out.tile.bytes;
    const std::int64_t hand_bytes = hand_rows / out.tile.rows * block_bytes;
    if (whole > 0) {
        const trilobit::packed_view& from = rows_of(cols);
        cpu.pool(0, whole, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t h = begin; h < end; ++h)
                std::memcpy(tiles + h * hand_bytes,
                            from.tiles + dealt(which, h * hand_rows) / hand_rows * hand_bytes,
                            static_cast<std::size_t>(hand_bytes));
        });
    }
    if (rows > whole * hand_rows) {
        const std::int64_t first = whole * hand_rows;
        const auto rest =
            pack(rows - first, cols, [&](std::int64_t row) { return dealt(which, first + row); });
        std::memcpy(tiles + whole * hand_bytes, rest.view().tiles,
                    static_cast<std::size_t>(rest.view().tiles_bytes()));
    }
    return linear{out};
}

}  // namespace tbx::model
