// SPDX-License-Identifier: MIT
// Room llama2c. Enters: a llama2.c checkpoint (.bin) and its tokenizer file, as bytes of any kind.
// Leaves: the sizes, the float tensors and the vocabulary, every length checked against the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/error.hpp"
#include "support/lines.hpp"
#include "trilobit/core/endian.hpp"

namespace tbx::llama2c {

inline std::vector<std::byte> read_bytes(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw error(path, "cannot be opened");
    const std::string text = support::read_all(in, path);
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

template <class T>
T number_at(std::span<const std::byte> bytes, std::size_t offset) {
    trilobit::little<T> value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

struct sizes {
    std::int32_t dim, hidden, layers, heads, kv_heads, vocab, context;
    bool tied;

    [[nodiscard]] std::int32_t kv_dim() const { return dim / heads * kv_heads; }
};

// One tensor of the file under its GGUF name, row-major (rows, cols).
struct tensor {
    std::string name;
    std::int64_t rows, cols;
    std::size_t first;  // index of its first float
};

struct checkpoint {
    sizes size;
    std::vector<float> floats;
    std::vector<tensor> tensors;

    [[nodiscard]] std::span<const float> values(const tensor& t) const {
        return std::span(floats).subspan(t.first, static_cast<std::size_t>(t.rows * t.cols));
    }
};

// Where each tensor lies, in the order of the file: all layers of one kind, then the next kind.
inline std::size_t list_tensors(const sizes& s, std::vector<tensor>& out) {
    std::size_t next = 0;
    const auto take = [&](std::string name, std::int64_t rows, std::int64_t cols) {
        out.push_back({std::move(name), rows, cols, next});
        next += static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
    };
    const auto each = [&](const char* kind, std::int64_t rows, std::int64_t cols) {
        for (std::int32_t i = 0; i < s.layers; ++i)
            take("blk." + std::to_string(i) + "." + kind + ".weight", rows, cols);
    };
    take("token_embd.weight", s.vocab, s.dim);
    each("attn_norm", 1, s.dim);
    each("attn_q", s.dim, s.dim);
    each("attn_k", s.kv_dim(), s.dim);
    each("attn_v", s.kv_dim(), s.dim);
    each("attn_output", s.dim, s.dim);
    each("ffn_norm", 1, s.dim);
    each("ffn_gate", s.hidden, s.dim);
    each("ffn_down", s.dim, s.hidden);
    each("ffn_up", s.hidden, s.dim);
    take("output_norm.weight", 1, s.dim);
    // Cosines and sines that older programs wrote; everyone computes them now.
    next += static_cast<std::size_t>(s.context) * static_cast<std::size_t>(s.dim / s.heads);
    if (!s.tied) take("output.weight", s.vocab, s.dim);
    return next;
}

inline checkpoint read_checkpoint(const std::string& path) {
    const std::vector<std::byte> bytes = read_bytes(path);
    constexpr std::size_t header = 7 * sizeof(std::int32_t);
    if (bytes.size() < header) throw error(path, "is too short for a llama2.c checkpoint");
    std::int32_t n[7];
    for (std::size_t i = 0; i < 7; ++i) n[i] = number_at<std::int32_t>(bytes, 4 * i);
    checkpoint c{};
    c.size = {n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[5] > 0};
    if (!c.size.tied && n[5] > -(1 << 24)) c.size.vocab = -n[5];
    for (std::int32_t v : {n[0], n[1], n[2], n[3], n[4], c.size.vocab, n[6]})
        if (v < 1 || v > (1 << 24)) throw error(path, "is not a llama2.c checkpoint");
    // Bounds that keep every product below far from overflow, yet hold any model of this format.
    if (n[0] > (1 << 17) || n[1] > (1 << 19) || n[2] > 1024 || n[0] % n[3] != 0 ||
        n[0] / n[3] % 2 != 0 || n[4] > n[3] || n[3] % n[4] != 0)
        throw error(path, "has sizes that no llama2.c model has");
    const std::size_t floats = list_tensors(c.size, c.tensors);
    if (bytes.size() != header + floats * sizeof(float))
        throw error(path, "has " + std::to_string(bytes.size()) + " bytes where its sizes say " +
                              std::to_string(header + floats * sizeof(float)));
    c.floats.resize(floats);
    if (trilobit::little_endian)
        std::memcpy(c.floats.data(), bytes.data() + header, floats * sizeof(float));
    else
        for (std::size_t i = 0; i < floats; ++i)
            c.floats[i] = number_at<float>(bytes, header + i * sizeof(float));
    return c;
}

struct vocabulary {
    std::vector<std::string> tokens;  // as in the file: plain spaces, bytes spelled <0xHH>
    std::vector<float> scores;
};

inline vocabulary read_vocabulary(const std::string& path, std::int32_t count) {
    const std::vector<std::byte> bytes = read_bytes(path);
    vocabulary v;
    std::size_t at = sizeof(std::int32_t);  // skips the longest token's length
    for (std::int32_t i = 0; i < count; ++i) {
        if (at + 8 > bytes.size()) throw error(path, "ends before token " + std::to_string(i));
        v.scores.push_back(number_at<float>(bytes, at));
        const auto length = number_at<std::int32_t>(bytes, at + 4);
        at += 8;
        if (length < 0 || static_cast<std::size_t>(length) > bytes.size() - at)
            throw error(path, "ends inside token " + std::to_string(i));
        v.tokens.emplace_back(reinterpret_cast<const char*>(bytes.data() + at),
                              static_cast<std::size_t>(length));
        at += static_cast<std::size_t>(length);
    }
    if (at != bytes.size()) throw error(path, "goes on after its last token");
    return v;
}

}  // namespace tbx::llama2c
