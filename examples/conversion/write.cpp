// SPDX-License-Identifier: MIT
// Room conversion. Enters: plans. Leaves: the tensors in their file, a few rows or one matrix of
// codes at a time; see encode.hpp.
#include <algorithm>
#include <cmath>
#include <utility>

#include <trilobit/core/aligned_buffer.hpp>
#include <trilobit/pack/pack.hpp>

#include "conversion/plan.hpp"
#include "conversion/rows_at_once.hpp"
#include "support/error.hpp"
#include "support/finite.hpp"

namespace tbx::conversion {

namespace {

// Differences and weights, squared. Rows are added in their order, whoever made them.
struct error_sum {
    double lost = 0, all = 0;

    void add(float was, float is) noexcept {
        const double difference = double{was} - double{is};
        lost += difference * difference;
        all += double{was} * double{was};
    }
    void add(const error_sum& other) noexcept {
        lost += other.lost;
        all += other.all;
    }
    [[nodiscard]] double relative() const noexcept { return all > 0 ? std::sqrt(lost / all) : 0; }
};

// A row -> values, and a scale for each run of `run` columns.
error_sum quantise(std::span<const float> weights, formats::kind kind, const matrix_scales& of,
                   std::int64_t run, std::int8_t* values, float* scales) {
    const auto [tensor_scale, rounded, inverse] = of;
    error_sum error;
    for (std::size_t at = 0; at < weights.size(); at += static_cast<std::size_t>(run)) {
        const auto part =
            weights.subspan(at, std::min(static_cast<std::size_t>(run), weights.size() - at));
        float& scale = *scales++;
        scale = tensor_scale;
        if (rounded && tensor_scale == 0) {
            scale = round_run(part, kind, values + at);
            for (std::size_t i = 0; i < part.size(); ++i)
                error.add(part[i], static_cast<float>(values[at + i]) * scale);
        } else if (rounded) {
            for (std::size_t i = 0; i < part.size(); ++i) {
                const float scaled = part[i] * inverse;
                const int trit = (scaled > 0.5f) - (scaled < -0.5f);
                values[at + i] = static_cast<std::int8_t>(trit);
                error.add(part[i], static_cast<float>(trit) * scale);
            }
        } else if (tensor_scale > 0) {
            for (std::size_t i = 0; i < part.size(); ++i)
                values[at + i] = static_cast<std::int8_t>(std::lround(part[i] / scale));
        } else {
            scale = quantise_run(part, kind, values + at);
        }
    }
    return error;
}

}  // namespace

encoder::encoder(model::compute& machine, std::string file, target what, permission allowed,
                 std::vector<named_target> others, std::vector<gguf::float_rows> all,
                 const std::function<void(double)>& report)
    : cpu(machine),
      source(std::move(file)),
      for_layers(std::move(what)),
      may(allowed),
      named(std::move(others)),
      tensors(std::move(all)) {
    double total = 0, done = 0;
    for (const gguf::float_rows& t : tensors)
        total += static_cast<double>(t.rows) * static_cast<double>(t.cols);
    for (const gguf::float_rows& t : tensors) {
        plans.push_back(plan_of(t));
        report((done += static_cast<double>(t.rows) * static_cast<double>(t.cols)) / total);
    }
}

encoder::~encoder() = default;

void encoder::declare(gguf::writer& out) const {
    for (const plan& p : plans) {
        if (p.how == way::image && p.from->extent.size() > 2)
            out.add_tensor(p.from->name, p.type, {p.image_bytes, p.from->matrices()});
        else if (p.how == way::image)
            out.add_tensor(p.from->name, p.type, {p.bytes});
        else
            out.add_tensor(p.from->name, p.type, p.from->extent);
        if (p.apart)
            out.add_tensor(scale_name(p.from->name), gguf::tensor_type::f32, {std::int64_t{1}});
    }
}

void encoder::write(gguf::writer& out, const std::function<void(double)>& report) {
    double total = 0, done = 0;
    for (const plan& p : plans) total += static_cast<double>(p.bytes);
    for (const plan& p : plans) {
        switch (p.how) {
            case way::same:
                write_same(p, out);
                break;
            case way::dense:
                write_dense(p, out);
                break;
            case way::levels:
                write_levels(p, out);
                break;
            case way::image:
                write_image(p, out);
                break;
        }
        if (p.apart) out.append_floats({&p.each.front().all, 1});
        p.from->forget();
        report((done += static_cast<double>(p.bytes)) / total);
    }
}

void encoder::write_same(const plan& p, gguf::writer& out) {
    if (!p.from->bytes.empty()) return out.append(p.from->bytes);
    const formats::dense_format* as = formats::find_dense(gguf::name_of(p.type));
    if (as == nullptr) fail(*p.from, "is " + gguf::name_of(p.type) + " without bytes");
    write_floats(p, *as, out);
}

void encoder::write_dense(const plan& p, gguf::writer& out) { write_floats(p, *p.to->dense, out); }

void encoder::write_floats(const plan& p, const formats::dense_format& as, gguf::writer& out) {
    const gguf::float_rows& t = *p.from;
    const auto cols = static_cast<std::size_t>(t.cols);
    const std::size_t row_bytes =
        cols / static_cast<std::size_t>(as.cols) * static_cast<std::size_t>(as.bytes);
    const std::int64_t together = std::min(rows_together(t.cols), t.rows);
    std::vector<std::byte> bytes(static_cast<std::size_t>(together) * row_bytes);
    std::vector<error_sum> errors(static_cast<std::size_t>(together));
    error_sum all;
    for (std::int64_t first = 0; first < t.rows; first += together) {
        const std::int64_t count = std::min(together, t.rows - first);
        each_row(cpu, 0, count, [&](std::int64_t r) {
            thread_local std::vector<float> values, stored;
            values.resize(cols);
            stored.resize(static_cast<std::size_t>(as.cols));
            t.read(first + r, values);
            if (!support::all_finite(values)) fail(t, "a weight is NaN or infinite");
            std::byte* block = bytes.data() + static_cast<std::size_t>(r) * row_bytes;
            error_sum error;
            for (std::size_t c = 0; c < cols; c += stored.size(), block += as.bytes) {
                if (as.encode(values.data() + c, block) != formats::fault::none)
                    fail(t, std::string(as.name) + ": a value is too large for half precision, or "
                                                   "for this type");
                as.decode(block, stored.data());
                for (std::size_t i = 0; i < stored.size(); ++i) {
                    if (values[c + i] != stored[i] && !p.may.round)
                        fail(t, "row " + std::to_string(first + r) + " has weights that " +
                                    std::string(as.name) +
                                    " would round; --type in place of --to allows it");
                    error.add(values[c + i], stored[i]);
                }
            }
            errors[static_cast<std::size_t>(r)] = error;
        });
        for (std::int64_t r = 0; r < count; ++r) all.add(errors[static_cast<std::size_t>(r)]);
        out.append(std::span(bytes).first(static_cast<std::size_t>(count) * row_bytes));
    }
    if (all.lost > 0)
        losses_.push_back({t.name, "rounded to " + std::string(as.name), all.relative()});
}

void encoder::write_levels(const plan& p, gguf::writer& out) {
    const gguf::float_rows& t = *p.from;
    const target& to = *p.to;  // of this tensor
    const formats::shape shape{t.rows, t.cols};
    const std::int64_t run = p.run(t.cols, to.levels), runs = to.levels->scales_per_row(t.cols);
    const std::int64_t together = std::min(rows_together(t.cols), t.rows);
    std::vector<std::byte> tensor(static_cast<std::size_t>(p.bytes));
    std::vector<std::int8_t> values(static_cast<std::size_t>(together * t.cols));
    std::vector<float> scales(static_cast<std::size_t>(together * runs)),
        kept(static_cast<std::size_t>(runs));
    std::vector<error_sum> errors(static_cast<std::size_t>(together));
    error_sum all;
    for (std::int64_t first = 0; first < t.rows; first += together) {
        const std::int64_t count = std::min(together, t.rows - first);
        each_row(cpu, 0, count, [&](std::int64_t r) {
            thread_local std::vector<float> weights;
            weights.resize(static_cast<std::size_t>(t.cols));
            t.read(first + r, weights);
            errors[static_cast<std::size_t>(r)] =
                quantise(weights, p.kind, p.of_row(first + r), run, values.data() + r * t.cols,
                         scales.data() + r * runs);
        });
        for (std::int64_t r = 0; r < count; ++r) {
            all.add(errors[static_cast<std::size_t>(r)]);
            float* mine = scales.data() + r * runs;
            if (p.apart) std::fill_n(mine, runs, 1.0f);
            const auto fault =
                to.levels->write(tensor, shape, first + r, values.data() + r * t.cols, mine);
            (void)to.levels->read(tensor, shape, first + r, nullptr, kept.data());
            if (fault == formats::fault::code)
                fail(t, "row " + std::to_string(first + r) + " is none that " + to.name + " has");
            if (fault != formats::fault::none || !std::equal(kept.begin(), kept.end(), mine))
                fail(t, "row " + std::to_string(first + r) + " has a scale that " + to.name +
                            " would round");
        }
    }
    out.append(tensor);
    if (p.rounded())
        losses_.push_back(
            {t.name, p.may.runs ? "rounded to " + to.name : "ternarised", all.relative()});
}

void encoder::write_image(const plan& p, gguf::writer& out) {
    const gguf::float_rows& t = *p.from;
    trilobit::aligned_buffer memory(static_cast<std::size_t>(p.image_bytes));
    if (memory.data() == nullptr) fail(t, "there is not enough memory for its packed image");
    const std::int64_t run = p.run(t.cols, nullptr), rows = p.shape.rows;
    std::vector<error_sum> errors(p.rounded() ? static_cast<std::size_t>(t.rows) : 0);
    first_fault fault;
    for (std::int64_t first = 0; first < t.rows; first += rows) {
        const auto row = [&](std::int64_t r, std::int8_t* values, float* scales) {
            return fault.catches([&] {
                thread_local std::vector<float> weights;
                weights.resize(static_cast<std::size_t>(t.cols));
                t.read(first + r, weights);
                const error_sum error =
                    quantise(weights, p.kind, p.of_row(first), run, values, scales);
                if (!errors.empty()) errors[static_cast<std::size_t>(first + r)] = error;
            })
                       ? trilobit::status{}
                       : trilobit::status{trilobit::errc::bad_value, "A row could not be read."};
        };
        const std::span image(memory.data(), static_cast<std::size_t>(p.image_bytes));
        const auto made = trilobit::pack_rows_into(p.shape.layout, image, rows, t.cols, row,
                                                   {.scale = p.shape.scale}, cpu.pool);
        fault.rethrow();
        if (!made.ok()) fail(t, made.error().text);
        out.append(image);
    }
    error_sum all;
    for (const error_sum& error : errors) all.add(error);
    if (p.rounded()) losses_.push_back({t.name, "ternarised", all.relative()});
}

}  // namespace tbx::conversion
