// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a transformer. Leaves: its passport; see passport.hpp.
#include "model/passport.hpp"

#include <algorithm>
#include <cstring>

#include "support/sha256.hpp"

namespace tbx::model {
namespace {

void add(support::sha256& hash, std::span<const float> values, std::vector<std::byte>& bytes) {
    bytes.clear();
    for (const float value : values) {
        std::uint32_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        for (int shift = 0; shift < 32; shift += 8)
            bytes.push_back(static_cast<std::byte>(bits >> shift));
    }
    hash.add(bytes);
}

}  // namespace

std::vector<token_id> passport_prompt(std::int64_t vocab) {
    std::vector<token_id> ids;
    for (std::int64_t i = 0; i < passport_positions; ++i)
        ids.push_back(static_cast<token_id>(7919 * (i + 1) % vocab));
    return ids;
}

std::string passport(compute& cpu, const transformer& m, state& s) {
    if (s.cache.capacity() < passport_positions)
        throw error("context", "the prompt of verify takes " + std::to_string(passport_positions) +
                                   " positions, there are " + std::to_string(s.cache.capacity()));
    const std::vector<token_id> prompt = passport_prompt(m.config.vocab);
    support::sha256 hash;
    std::vector<std::byte> bytes;
    for (std::int64_t at = 0; at < passport_positions;) {
        const std::int64_t count =
            at < passport_together ? std::min(s.batch, passport_together - at) : 1;
        const const_matrix logits =
            forward(cpu, m, s,
                    std::span(prompt).subspan(static_cast<std::size_t>(at),
                                              static_cast<std::size_t>(count)),
                    logits_of::all);
        for (std::int64_t t = 0; t < logits.rows; ++t)
            add(hash, {logits.row(t), static_cast<std::size_t>(logits.cols)}, bytes);
        at += count;
    }
    return hash.digest();
}

}  // namespace tbx::model
