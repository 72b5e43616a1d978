// SPDX-License-Identifier: MIT
// Room integrations. Enters: nodes of the host's graph. Leaves: see products.hpp.
#include "integrations/ggml/products.hpp"

#include <trilobit/matmul/matmul.hpp>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "integrations/ggml/memory.hpp"
#include "integrations/ggml/weights.hpp"

namespace tbx::ggml {

namespace {

using trilobit::errc;
using trilobit::matrix_view;

std::optional<int> wished_group;  // of activations

/// Floats, those of a row side by side and rows apart, not across one another.
bool are_rows(const tensor& t) noexcept {
    std::size_t least = static_cast<std::size_t>(t.ne[0]) * sizeof(float);
    if (t.type != type::f32 || t.nb[0] != sizeof(float)) return false;
    for (int i = 1; i < 4; ++i) {
        if (t.ne[i] != 1 && (t.nb[i] < least || t.nb[i] % sizeof(float) != 0)) return false;
        if (t.ne[i] != 1) least = t.nb[i] * static_cast<std::size_t>(t.ne[i]);
    }
    return true;
}

bool is_contiguous(const tensor& t) noexcept {
    std::size_t expected = sizeof(float);
    for (int i = 0; i < 4; ++i) {
        if (t.ne[i] != 1 && t.nb[i] != expected) return false;
        expected *= static_cast<std::size_t>(t.ne[i]);
    }
    return t.type == type::f32;
}

/// Do all rows lie at one distance, over dimensions 1 to 3? Then the distance, in floats.
std::optional<std::int64_t> row_stride(const tensor& t) noexcept {
    std::size_t stride = 0;
    std::int64_t count = 1;
    for (int i = 1; i < 4; ++i) {
        if (t.ne[i] == 1) continue;
        if (stride == 0)
            stride = t.nb[i];
        else if (t.nb[i] != stride * static_cast<std::size_t>(count))
            return std::nullopt;
        count *= t.ne[i];
    }
    if (stride == 0) return t.ne[0];
    return static_cast<std::int64_t>(stride / sizeof(float));
}

std::int64_t row_count(const tensor& t) noexcept { return t.ne[1] * t.ne[2] * t.ne[3]; }

matrix_view<const float> all_rows(const tensor& t) noexcept {
    return {static_cast<const float*>(t.data), row_count(t), t.ne[0], row_stride(t).value_or(0)};
}

bool is_in_our_memory(const tensor& weights) noexcept {
    return weights.buffer == nullptr || is_ours(weights.buffer->type);
}

bool has_empty_side(const tensor& t) noexcept {
    return t.ne[0] < 1 || t.ne[1] < 1 || t.ne[2] < 1 || t.ne[3] < 1;
}

bool supports_product(const tensor& y, const tensor& w, const tensor& x) noexcept {
    return y.ne[0] == w.ne[1] && y.ne[1] == x.ne[1] && y.ne[2] == x.ne[2] && y.ne[3] == x.ne[3] &&
           x.ne[2] % w.ne[2] == 0 && x.ne[3] % w.ne[3] == 0;
}

bool supports_indexed(const tensor& y, const tensor& w, const tensor& x) noexcept {
    const tensor* ids = y.src[2];
    return ids != nullptr && ids->type == type::i32 && ids->nb[0] == sizeof(std::int32_t) &&
           ids->nb[1] % sizeof(std::int32_t) == 0 && ids->ne[2] == 1 && ids->ne[3] == 1 &&
           w.ne[3] == 1 && x.ne[3] == 1 && y.ne[3] == 1 && x.ne[2] == ids->ne[1] && x.ne[1] >= 1 &&
           ids->ne[0] % x.ne[1] == 0 && y.ne[0] == w.ne[1] && y.ne[1] == ids->ne[0] &&
           y.ne[2] == ids->ne[1] && row_stride(x).has_value();
}

}  // namespace

bool read_environment() {
    const auto set = [](const char* name) -> const char* {
        const char* text = std::getenv(name);
        return text == nullptr || *text == '\0' ? nullptr : text;
    };
    wished_group.reset();
    team::wished = 0;
    if (const char* text = set("TRILOBIT_ACTIVATIONS")) {
        if (std::strcmp(text, "token") == 0) wished_group = 0;
        if (std::strcmp(text, "32") == 0) wished_group = 32;
        if (!wished_group) {
            complain("TRILOBIT_ACTIVATIONS is \"token\" or \"32\", not ", text);
            return false;
        }
    }
    if (const char* text = set("TRILOBIT_THREADS")) {
        const char* const end = text + std::strlen(text);
        const auto [stop, problem] = std::from_chars(text, end, team::wished);
        if (problem != std::errc() || stop != end || team::wished < 1 ||
            team::wished > team::most) {
            complain("TRILOBIT_THREADS is a number from 1 to 512, not ", text);
            return false;
        }
    }
    return true;
}

bool supports(const tensor& node) noexcept {
    if (the_host.only_looks(node.op)) return true;
    if (node.op != the_host.mul_mat && node.op != the_host.mul_mat_id) return false;
    const tensor *w = node.src[0], *x = node.src[1];
    if (w == nullptr || x == nullptr || packable(*w) == nullptr || !is_in_our_memory(*w) ||
        !the_host.only_looks(w->op) || w->ne[0] != x->ne[0] || has_empty_side(*x) ||
        has_empty_side(node) || !are_rows(*x) || !is_contiguous(node))
        return false;
    return node.op == the_host.mul_mat ? supports_product(node, *w, *x)
                                       : supports_indexed(node, *w, *x);
}

void worker::choose_activations(const tensor& weights) noexcept {
    const weight_type* type = find_weight_type(weights.type);
    context.options.activation_group =
        wished_group.value_or(type == nullptr ? 0 : type->activation_group);
}

/// A product of one matrix and the same activations as the first.
bool worker::goes_along(const tensor& first, const tensor& next) const noexcept {
    const auto alone = [](const tensor& y) {
        return y.op == the_host.mul_mat && y.src[0]->ne[2] == 1 && y.src[0]->ne[3] == 1 &&
               row_stride(*y.src[1]).has_value();
    };
    if (!alone(first) || !alone(next) || next.src[1] != first.src[1]) return false;
    const auto a = packed_weights(*first.src[0]), b = packed_weights(*next.src[0]);
    return first.src[0]->type == next.src[0]->type && !a.empty() && !b.empty() &&
           trilobit::detail::check_shared(a.front(), b.front()).ok();
}

trilobit::status worker::shared(const std::vector<const tensor*>& nodes) {
    outputs.clear();
    products.clear();
    for (const tensor* y : nodes)
        outputs.emplace_back(static_cast<float*>(y->data), row_count(*y), y->ne[0]);
    for (std::size_t i = 0; i < nodes.size(); ++i)
        products.push_back({packed_weights(*nodes[i]->src[0]).front(), trilobit::into(outputs[i])});
    return trilobit::matmul_shared(context, all_rows(*nodes[0]->src[1]), products);
}

/// Each matrix of the activations by itself, with that of the weights which serves it.
trilobit::status worker::batched(const tensor& y) {
    const tensor &w = *y.src[0], &x = *y.src[1];
    const auto matrices = packed_weights(w);
    for (std::int64_t i3 = 0; i3 < x.ne[3]; ++i3)
        for (std::int64_t i2 = 0; i2 < x.ne[2]; ++i2) {
            const std::int64_t which =
                i3 / (x.ne[3] / w.ne[3]) * w.ne[2] + i2 / (x.ne[2] / w.ne[2]);
            const std::size_t at =
                static_cast<std::size_t>(i2) * x.nb[2] + static_cast<std::size_t>(i3) * x.nb[3];
            const matrix_view<const float> in(
                reinterpret_cast<const float*>(static_cast<const std::byte*>(x.data) + at), x.ne[1],
                x.ne[0],
                x.ne[1] == 1 ? x.ne[0] : static_cast<std::int64_t>(x.nb[1] / sizeof(float)));
            const matrix_view<float> out(static_cast<float*>(y.data) +
                                             (i3 * y.ne[2] + i2) * y.ne[1] * y.ne[0],
                                         y.ne[1], y.ne[0]);
            if (const auto s =
                    trilobit::matmul(context, matrices[static_cast<std::size_t>(which)], in, out);
                !s.ok())
                return s;
        }
    return {};
}

/// Experts: a token asks for several, and each of them sees its own row of activations, or all the
/// same one.
trilobit::status worker::indexed(const tensor& y) {
    const tensor &x = *y.src[1], &ids = *y.src[2];
    const std::int64_t used = ids.ne[0], tokens = ids.ne[1];
    expert_of.clear();
    rows.clear();
    for (std::int64_t m = 0; m < tokens; ++m) {
        const auto* asked = reinterpret_cast<const std::int32_t*>(
            static_cast<const std::byte*>(ids.data) + static_cast<std::size_t>(m) * ids.nb[1]);
        expert_of.insert(expert_of.end(), asked, asked + used);
        for (std::int64_t i = 0; i < used; ++i) rows.push_back(m * x.ne[1] + i % x.ne[1]);
    }
    const matrix_view<float> out(static_cast<float*>(y.data), used * tokens, y.ne[0]);
    return trilobit::matmul_indexed(context, packed_weights(*y.src[0]), expert_of, all_rows(x), out,
                                    rows);
}

status worker::compute(graph* g) {
    const int count = the_host.node_count(g);
    std::vector<const tensor*> nodes;
    const auto skipped = [](const tensor& t) {
        return the_host.only_looks(t.op) || (t.flags & flag_compute) == 0;
    };
    for (int i = 0; i < count;) {
        const tensor& node = *the_host.node(g, i++);
        if (skipped(node)) continue;
        if (!supports(node)) {
            complain("the host asks for what was declined: ", node.name);
            return status::failed;
        }
        const tensor& w = *node.src[0];
        if (packed_weights(w).empty()) {
            complain("these weights were refused, or never set: ", w.name);
            return status::failed;
        }
        choose_activations(w);
        trilobit::status done;
        if (node.op == the_host.mul_mat_id) {
            done = indexed(node);
        } else if (w.ne[2] != 1 || w.ne[3] != 1 || !row_stride(*node.src[1])) {
            done = batched(node);
        } else {
            nodes.assign(1, &node);
            for (; i < count; ++i) {
                const tensor& next = *the_host.node(g, i);
                if (skipped(next)) continue;
                if (!supports(next) || !goes_along(node, next)) break;
                nodes.push_back(&next);
            }
            done = shared(nodes);
        }
        if (!done.ok()) {
            complain((std::string(node.name) + ": ").c_str(), done.text);
            return done.code == errc::out_of_memory ? status::out_of_memory : status::failed;
        }
    }
    return status::success;
}

}  // namespace tbx::ggml
