// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: what `bench` is told. Leaves: a model; see bench_subject.hpp.
#include "runner/bench_subject.hpp"

#include <algorithm>

#include "model/random_weights.hpp"
#include "model/shapes.hpp"
#include "runner/memory.hpp"
#include "support/human.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

/// The shape as it is to be made; refused where the memory that is free does not hold it.
model::config shape_of(const bench_options& o) {
    model::config c = model::config_of_shape(o.shape);
    const std::int64_t all = c.layers, free = available_bytes();
    if (o.layers > all)
        throw error("--layers", o.shape + " has no more than " + std::to_string(all));
    if (o.layers > 0) c.layers = o.layers;
    const auto bytes = [&] {
        return model::random_bytes(c, o.machine.layout, bench_heads().at(o.head)) +
               (std::int64_t{64} << 20);  // and what flows through it
    };
    if (const std::int64_t wanted = bytes(); free > 0 && wanted > free) {
        while (c.layers > 1 && bytes() > free) --c.layers;
        throw error("--shape",
                    o.shape + " takes " + support::human_bytes(static_cast<std::uint64_t>(wanted)) +
                        " of memory and " + support::human_bytes(static_cast<std::uint64_t>(free)) +
                        " are free; --layers " + std::to_string(c.layers) + " would do");
    }
    return c;
}

}  // namespace

const std::map<std::string, std::optional<model::number_type>>& bench_heads() {
    static const std::map<std::string, std::optional<model::number_type>> all = {
        {"none", std::nullopt},
        {"f32", model::number_type::f32},
        {"f16", model::number_type::f16},
        {"bf16", model::number_type::bf16},
        {"q8", model::number_type::q8_0},
        {"q6", model::number_type::q6_k},
        {std::string(two_stage_name), model::number_type::f16}};
    return all;
}

bench_subject load_subject(const bench_options& o, model::compute& cpu) {
    bench_subject out;
    const model::config shape = o.file.empty() ? shape_of(o) : model::config{};
    support::progress_bar bar(o.file.empty() ? "making weights" : "loading");
    const model::progress report = [&](double done) { bar.update(done); };
    if (o.file.empty()) {
        out.model = model::random_transformer(cpu, shape, o.machine.layout,
                                              bench_heads().at(o.head), o.seed, report);
    } else {
        out.file.emplace(o.file, o.read_as);
        out.model = model::load_transformer(cpu, *out.file, o.machine.layout, report);
    }
    return out;
}

model::transformer draft_for(const model::config& c, const model::weights& w,
                             const bench_options& o, model::compute& cpu) {
    model::config shape = model::config_of_shape(o.draft);
    shape.vocab = c.vocab;
    shape.context = std::max(shape.context, c.context);
    const auto head = w.head.rows() == 0 ? std::nullopt : bench_heads().at(o.head);
    return model::random_transformer(cpu, shape, o.machine.layout, head, o.seed + 1, {});
}

}  // namespace tbx::runner
