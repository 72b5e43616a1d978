// SPDX-License-Identifier: MIT
// Room train: the whole state of a run in one file, so that a killed run goes on unchanged.
// Enters: the state and what it belongs to.
// Leaves: a file that is whole or absent; on reading, the state, or an error that says why not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/atomic_file.hpp"
#include "support/error.hpp"
#include "train/config.hpp"
#include "train/trainer.hpp"

namespace tbx::train {

// What must be the same for a run to be continued: another value means another run.
struct run_identity {
    char magic[8] = {'T', 'B', 'X', 'T', 'R', 'N', '0', '1'};
    std::int32_t vocab, hidden, ffn, layers, heads, kv_heads, context, quantised;
    std::int32_t batch = 0;
    std::int32_t graph = 0;  // its place among `graphs`
    std::uint64_t seed = 0;
    std::uint64_t text = 0;  // fingerprint of the tokens
    double lr = 0;
};
static_assert(std::is_trivially_copyable_v<run_identity> && sizeof(run_identity) == 72);

inline std::uint64_t fingerprint(std::span<const std::uint16_t> tokens) {
    std::uint64_t h = 0xcbf29ce484222325ull;  // FNV-1a over the tokens
    for (const std::uint16_t t : tokens) h = (h ^ t) * 0x100000001b3ull;
    return h;
}

inline run_identity identity_of(const model_config& c, const train_options& o, std::uint64_t text) {
    run_identity r{};
    r.vocab = c.vocab;
    r.hidden = c.hidden;
    r.ffn = c.ffn;
    r.layers = c.layers;
    r.heads = c.heads;
    r.kv_heads = c.kv_heads;
    r.context = c.context;
    // 0: float; each pair of rules a number of its own.
    r.quantised = c.quantised ? 1 + static_cast<std::int32_t>(c.weights) +
                                    2 * static_cast<std::int32_t>(c.activations)
                              : 0;
    r.graph = static_cast<std::int32_t>(&graph_of(c) - graphs);
    r.batch = o.batch;
    r.seed = o.seed;
    r.text = text;
    r.lr = o.optimiser.lr;
    return r;
}

inline void save_checkpoint(const std::string& path, const run_identity& run,
                            const train_state& s) {
    support::atomic_file out(path);
    out.write(std::as_bytes(std::span(&run, 1)));
    out.write(std::as_bytes(std::span(&s.step, 1)));
    out.write(std::as_bytes(std::span(&s.seconds, 1)));
    for (const auto* v : {&s.parameters, &s.moment.first, &s.moment.second})
        out.write(std::as_bytes(std::span(*v)));
    out.commit();
}

// With `other_lr` the run may have had another learning rate.
inline train_state load_checkpoint(const std::string& path, run_identity run,
                                   std::size_t parameters, bool other_lr = false) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw error(path, "cannot be opened");
    run_identity found{};
    train_state s;
    const auto get = [&](void* to, std::size_t bytes) {
        in.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    };
    get(&found, sizeof found);
    if (!in || std::memcmp(found.magic, run_identity{}.magic, sizeof found.magic) != 0)
        throw error(path, "is not a checkpoint of this program");
    const double lr = std::exchange(run.lr, found.lr);
    if (std::memcmp(&found, &run, sizeof run) != 0)
        throw error(path, "belongs to a run with another text, model, batch or seed; "
                          "name another --checkpoint or give the same options");
    if (lr != found.lr && !other_lr) {
        char text[120];
        (void)std::snprintf(text, sizeof text,
                            "belongs to a run with --lr %.9g; --change-lr goes on with %.9g",
                            found.lr, lr);
        throw error(path, text);
    }
    get(&s.step, sizeof s.step);
    get(&s.seconds, sizeof s.seconds);
    for (auto* v : {&s.parameters, &s.moment.first, &s.moment.second}) {
        v->resize(parameters);
        get(v->data(), parameters * sizeof(float));
    }
    if (!in || in.peek() != std::ifstream::traits_type::eof())
        throw error(path, "is damaged: its length is wrong");
    if (s.step < 0) throw error(path, "is damaged: its step is negative");
    return s;
}

}  // namespace tbx::train
