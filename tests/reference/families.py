# SPDX-License-Identifier: MIT
"""Reference. Enters: the name of a family, a path. Leaves: a small GGUF model of its graph there, with
random weights, norms and biases.
    python3 families.py FAMILY FILE [TYPE [TABLES [SEED]]]"""
import sys

import numpy as np

import gguf_types
from gguf_types import F32, NAMES

SIZES = {"context_length": 512, "embedding_length": 256, "block_count": 2,
         "feed_forward_length": 512, "attention.head_count": 4, "attention.head_count_kv": 2,
         "attention.key_length": 64, "attention.value_length": 64, "rope.dimension_count": 64,
         "attention.layer_norm_rms_epsilon": 1e-5, "rope.freq_base": 10000.0}
YARN = {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
        "rope.scaling.original_context_length": 128}


def vocabulary():
    """SentencePiece's: bytes and letters."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + \
        list("\u2581abcdefghijklmnopqrstuvwxyz.,:;") + ["he", "th", "\u2581t", "in", "an"]
    kinds = [2, 3, 3] + [6] * 256 + [1] * (len(tokens) - 259)
    scores = [0.0] * 259 + [-float(i) for i in range(len(tokens) - 259)]
    return {"tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.scores": scores, "tokenizer.ggml.token_type": [("i32", k) for k in kinds],
            "tokenizer.ggml.bos_token_id": 1, "tokenizer.ggml.eos_token_id": 2,
            "tokenizer.ggml.unknown_token_id": 0, "tokenizer.ggml.add_bos_token": True,
            "tokenizer.ggml.add_space_prefix": True}


class Maker:
    def __init__(self, kind, tables, seed):
        self.random = np.random.default_rng(seed)
        self.kind, self.tables, self.tensors = kind, tables, {}

    def floats(self, *shape):
        return self.random.standard_normal(shape) / shape[-1] ** 0.5

    def values(self, kind, *shape):
        """Of ordinary types any numbers; of others levels times scales, as finely as they have them."""
        if kind not in (gguf_types.TQ2_0, gguf_types.I2_S, gguf_types.Q1_0, gguf_types.Q2_0):
            return self.floats(*shape)
        w = self.random.integers(-1, 2, shape).astype(np.float64)
        if kind == gguf_types.Q1_0:
            w = np.where(w < 0, -1.0, 1.0)
        count = {gguf_types.Q1_0: 128, gguf_types.Q2_0: 64}.get(kind, 0)
        if count == 0:
            return w * np.float64(np.float16(1.2 / shape[-1] ** 0.5))
        blocks = w.reshape(-1, count)
        blocks[:, 0] = np.where(blocks[:, 0] < 0, -1, 1)  # a block of zeros has no scale
        size = self.random.uniform(0.8, 1.6, len(blocks)) / shape[-1] ** 0.5
        return (blocks * size.astype(np.float16).astype(np.float64)[:, None]).reshape(shape)

    def norm(self, name, width):
        self.tensors[name + ".weight"] = (F32, 1 + 0.2 * self.random.standard_normal(width))

    def linear(self, name, *shape):
        self.tensors[name + ".weight"] = (self.kind, self.values(self.kind, *shape))

    def model(self, c, head=False, biases=False, head_norms=False, sub_norms=False, post_norms=False,
              input_norms=False, experts=0):
        dim, ffn, d = c["embedding_length"], c["feed_forward_length"], c["attention.key_length"]
        q, kv = c["attention.head_count"] * d, c["attention.head_count_kv"] * d
        c["vocab_size"] = len(vocabulary()["tokenizer.ggml.tokens"])
        tables = (c["vocab_size"], dim)
        self.tensors["token_embd.weight"] = (self.tables, self.values(self.tables, *tables))
        for i in range(c["block_count"]):
            p = f"blk.{i}."
            self.norm(p + "attn_norm", dim)
            for name, rows, cols in (("attn_q", q, dim), ("attn_k", kv, dim), ("attn_v", kv, dim),
                                     ("attn_output", dim, q)):
                self.linear(p + name, rows, cols)
                if biases and name != "attn_output":
                    self.tensors[p + name + ".bias"] = (F32, self.random.standard_normal(rows))
                if input_norms:
                    self.norm(p + name + "_norm_in", cols)
            if head_norms:
                self.norm(p + "attn_q_norm", d)
                self.norm(p + "attn_k_norm", d)
            self.norm(p + "ffn_norm", dim)
            if experts:
                self.tensors[p + "ffn_gate_inp.weight"] = (F32, 2 * self.floats(experts, dim))
                each = c["expert_feed_forward_length"]
                for name, rows, cols in (("gate", each, dim), ("up", each, dim), ("down", dim, each)):
                    self.linear(p + f"ffn_{name}_exps", experts, rows, cols)
            else:
                for name, rows, cols in (("ffn_gate", ffn, dim), ("ffn_up", ffn, dim),
                                         ("ffn_down", dim, ffn)):
                    self.linear(p + name, rows, cols)
                    if input_norms:
                        self.norm(p + name + "_norm_in", cols)
            if sub_norms:
                self.norm(p + "attn_sub_norm", q)
                self.norm(p + "ffn_sub_norm", ffn)
            if post_norms:
                self.norm(p + "post_attention_norm", dim)
                self.norm(p + "post_ffw_norm", dim)
        self.norm("output_norm", dim)
        if head:
            self.tensors["output.weight"] = (self.tables, self.values(self.tables, *tables))


def plain(arch, more=None, extra=None, **parts):
    """extra(m, c): what else is done to the model; its entries."""
    def build(m):
        c = {**SIZES, **(more or {})}
        m.model(c, **parts)
        return arch, c, extra(m, c) if extra else {}
    return build


def long_rope(m, c):
    """MiniCPM4's: divisors of each pair for texts up to the original context, and for longer ones."""
    pairs = c["rope.dimension_count"] // 2
    for size, most in (("short", 1.5), ("long", 30)):
        m.tensors[f"rope_factors_{size}.weight"] = (F32, np.geomspace(1, most, pairs))
    return {}


def rotated(explicit, tied):
    """Bonsai 2's: weights in a basis that activations are brought into, in blocks of 128."""
    def extra(m, c):
        names = [n for n in m.tensors if n.startswith("blk.") and np.ndim(m.tensors[n][1]) == 2]
        if "output.weight" in m.tensors:
            names.append("output.weight")
        widths = sorted({np.shape(m.tensors[n][1])[-1] for n in names} | {c["embedding_length"]})
        signs = m.random.integers(0, 2, sum(widths)) * 2 - 1
        return {f"prism.hadamard.{k}": v for k, v in {
            "version": 2 if tied else 1, "block_size": 128,
            "transform": "normalized-sylvester-walsh-hadamard", "axis": "input-last-dimension",
            "weight_names": names, "inverse_weight_names": ["token_embd.weight"],
            **({"tied_output": True} if tied else {}),
            **({"sign_mode": "explicit", "sign_widths": [("i32", w) for w in widths],
                "sign_values": [("i32", int(v)) for v in signs]} if explicit else
               {"sign_mode": "identity"})}.items()}
    return extra


FAMILIES = {
    "llama": plain("llama", head=True),
    "bitnet": plain("bitnet", sub_norms=True),
    "bitnet-b1.58": plain("bitnet-b1.58", {"hidden_activation": "relu2"}, sub_norms=True),
    "qwen2": plain("qwen2", {"rope.freq_base": 1e6}, biases=True),
    "qwen3": plain("qwen3", {"rope.freq_base": 1e6, **YARN}, head_norms=True),
    "qwen3-rotated": plain("qwen3", extra=rotated(True, False), head=True, head_norms=True),
    "qwen3-rotated-tied": plain("qwen3", extra=rotated(False, True), head_norms=True),
    "minicpm": plain("minicpm", {"embedding_scale": 12.0, "residual_scale": 0.99,
                                 "logit_scale": 1.7}),
    "minicpm-longrope": plain("minicpm", {
        "embedding_scale": 12.0, "residual_scale": 0.99, "logit_scale": 1.7,
        "rope.scaling.type": "longrope", "rope.scaling.original_context_length": 48,
        "rope.scaling.attn_factor": 1.1}, extra=long_rope),
    "maple": plain("maple", {"attention.sliding_window": 3, "expert_count": 8,
                             "attention.sliding_window_pattern": [True, True, True, False],
                             "block_count": 4, "expert_used_count": 2,
                             "expert_feed_forward_length": 256, "swiglu_clamp_exp": [0.7] * 4},
                   head=True, head_norms=True, experts=8),
    "bitnet-embedding-0.6B": plain("qwen3", {"rope.freq_base": 1e6, "pooling_type": 3},
                                   head_norms=True, input_norms=True),
    "bitnet-embedding-270M": plain("gemma3", {"block_count": 7, "rope.freq_base": 1e6,
                                              "attention.sliding_window": 3, "pooling_type": 1},
                                   head_norms=True, post_norms=True, input_norms=True),
    "gemma3": plain("gemma3", {"attention.sliding_window": 3, "block_count": 7,
                               "rope.freq_base": 1e6, "attention.layer_norm_rms_epsilon": 1e-6},
                    head_norms=True, post_norms=True),
}


def make(family, path, kind="F32", tables="F32", seed=1, change=None):
    """change(entries, tensors): what is done to them before they are written."""
    m = Maker(NAMES[kind], NAMES[tables], seed)
    arch, c, entries = FAMILIES[family](m)
    entries = {"general.architecture": arch, "general.name": family,
               **{f"{arch}.{k}": v for k, v in c.items()}, **entries, **vocabulary()}
    if change:
        change(entries, m.tensors)
    gguf_types.write(path, entries, m.tensors)


if __name__ == "__main__":
    make(*sys.argv[1:5], *map(int, sys.argv[5:]))
