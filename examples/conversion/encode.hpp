// SPDX-License-Identifier: MIT
// Room conversion. Enters: tensors as rows of floats, wherever they come from. Leaves: the same
// tensors in a GGUF file, the matrices of layers in another type or as packed images. What would
// not be the same weights is refused, unless it was asked for: then the error is told.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <trilobit/layout/all.hpp>

#include "formats/all.hpp"
#include "formats/all_dense.hpp"
#include "gguf/float_rows.hpp"
#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
#include "model/compute.hpp"

namespace tbx::conversion {

/// What the matrices of layers become.
struct target {
    std::string name;                                // "TQ2_0", "packed:ternary_base3"
    gguf::tensor_type type{};                        // of images: I8
    const formats::format* levels = nullptr;         // few values and scales,
    const formats::dense_format* dense = nullptr;    // or floats,
    bool packed = false;                             // or images
    std::optional<trilobit::layout_id> layout = {};  // of images; none: the one that fits
};

/// A tensor by its name, whatever it is, and what it becomes: rounded where the type has not its
/// values, since who names it has chosen.
struct named_target {
    std::string tensor;
    target to;
};

/// What may be lost.
struct permission {
    bool ternarise = false;  // BitNet's absmean makes trits of what is not quantised yet
    bool round = false;      // floats become the nearest that the type has
    bool runs = false;       // trits and signs with a scale for each run may be rounded to
};

/// Relative root mean square of what a tensor lost.
struct loss {
    std::string tensor, what;
    double error;
};

struct matrix_scales;
class survey;

class encoder {
    model::compute& cpu;
    std::string source;
    target for_layers;
    permission may;
    std::vector<named_target> named;
    std::vector<gguf::float_rows> tensors;

    struct plan;
    std::vector<plan> plans;
    std::vector<loss> losses_;

    [[noreturn]] void fail(const gguf::float_rows& t, const std::string& what) const;
    [[nodiscard]] const target* named_for(const gguf::float_rows& t) const noexcept;
    plan plan_of(const gguf::float_rows& t) const;
    void plan_levels(const gguf::float_rows& t, plan& p) const;
    matrix_scales scales_of(const gguf::float_rows& t, const plan& p, const survey& of) const;
    void plan_image(const gguf::float_rows& t, plan& p) const;
    void write_dense(const plan& p, gguf::writer& out);
    void write_levels(const plan& p, gguf::writer& out);
    void write_image(const plan& p, gguf::writer& out);
    void write_same(const plan& p, gguf::writer& out);
    void write_floats(const plan& p, const formats::dense_format& as, gguf::writer& out);

public:
    /// `file` is the subject of errors. Reads every matrix once; `report` hears the fraction done.
    encoder(model::compute& cpu, std::string file, target to, permission may,
            std::vector<named_target> named, std::vector<gguf::float_rows> tensors,
            const std::function<void(double)>& report);
    ~encoder();

    /// All tensors, in order.
    void declare(gguf::writer& out) const;
    void write(gguf::writer& out, const std::function<void(double)>& report);
    [[nodiscard]] const std::vector<loss>& losses() const noexcept { return losses_; }
};

/// The tensors of a GGUF file, which outlives them; `retyped`: linear layers change their type.
[[nodiscard]] std::vector<gguf::float_rows> rows_of(const gguf::reader& file, bool retyped);

}  // namespace tbx::conversion
