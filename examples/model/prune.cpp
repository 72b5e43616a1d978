// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a feed-forward network. Leaves: its living neurons; see prune.hpp.
#include "model/prune.hpp"

#include "gguf/weight_rows.hpp"

namespace tbx::model {
namespace {

// What is not loaded is read nevertheless: a damaged file shall not load.
void check_row(const gguf::weight_rows& of, std::int64_t row) {
    std::vector<std::int8_t> values(static_cast<std::size_t>(of.columns()));
    std::vector<float> scales(static_cast<std::size_t>(of.scales_per_row()));
    of.decode(row, values, scales);
}

}  // namespace

std::vector<std::int32_t> living_neurons(compute& cpu, const gguf::reader& file,
                                         const gguf::tensor& gate, const gguf::tensor& up,
                                         const gguf::tensor& down) {
    for (const gguf::tensor* t : {&gate, &up, &down})
        if (gguf::few_levels(t->type) == nullptr) return {};
    const gguf::weight_rows downs(file, down);
    if (formats::summarise(downs.matrix(), 0, downs.rows()).per == formats::scale_per::group)
        return {};
    const gguf::weight_rows gates(file, gate), ups(file, up);
    std::vector<std::uint8_t> dead(static_cast<std::size_t>(gates.rows()));
    cpu.pool(0, gates.rows(), 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
            dead[static_cast<std::size_t>(n)] = gates.is_zero(n) || ups.is_zero(n);
    });
    std::vector<std::int32_t> living;
    for (std::int64_t n = 0; n < gates.rows(); ++n) {
        if (dead[static_cast<std::size_t>(n)] == 0) {
            living.push_back(static_cast<std::int32_t>(n));
        } else {
            check_row(gates, n);
            check_row(ups, n);
        }
    }
    if (living.empty()) living.push_back(0);  // a matrix has at least one row
    if (std::ssize(living) == gates.rows()) living.clear();
    return living;
}

}  // namespace tbx::model
