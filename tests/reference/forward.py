# SPDX-License-Identifier: MIT
"""Reference. Enters: a model folder as Hugging Face has them, and tokens. Leaves: the logits after
each token, in float64, as the model's own class defines them but for the rounding of its floats.
Written from the published definitions; nothing here is shared with the program that is tested."""
import glob
import json
import math
import os

import numpy as np

import safetensors_file
from yarn import yarn


class Model:
    def __init__(self, folder):
        with open(os.path.join(folder, "config.json")) as file:
            self.config = json.load(file)
        self.tensors = {}
        for path in glob.glob(os.path.join(folder, "*.safetensors")):
            self.tensors.update(safetensors_file.read(path))
        self.margin = math.inf  # of all activations so far, from the next rounding border
        self.context = 0        # positions of the run, by which LongRoPE chooses its factors
        self.halves = True      # keys and values are kept as halves, as the runner keeps them

    # Weights -----------------------------------------------------------------------------------

    def plain(self, name):
        return self.tensors[name][1].astype(np.float64)

    def linear(self, name):
        """The matrix (out, in), and whether its activations are int8."""
        c = self.config
        dtype, w = self.tensors[name + ".weight"]
        if "quantization" in c and name + ".scales" in self.tensors:
            return self.affine(name, c["quantization"]), False
        q = c.get("quantization_config")
        if c["architectures"] == ["BitnetForCausalLM"]:
            return absmean(w, dtype), True
        if q is None:
            return w.astype(np.float64), False
        if q["quant_method"] == "humming":
            codes = np.stack([(w >> (2 * i)) & 3 for i in range(16)], -1).reshape(w.shape[0], -1)
            scales = self.plain(name + ".weight_scale")
            return (codes - 2) * np.repeat(scales, codes.shape[1] // scales.shape[1], 1), False
        linear_class = q.get("linear_class", "bitlinear")
        if linear_class == "autobitlinear" and q["quantization_mode"] == "online":
            return absmean(w, dtype), True
        scale = self.plain(name + ".weight_scale").reshape(())
        trits = unpack(w, self.out_features(name)).astype(np.float64)
        return (trits * scale if linear_class == "autobitlinear" else trits / scale), True

    def out_features(self, name):
        c = self.config
        d = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
        return {"q_proj": c["num_attention_heads"] * d, "k_proj": c["num_key_value_heads"] * d,
                "v_proj": c["num_key_value_heads"] * d, "o_proj": c["hidden_size"],
                "gate_proj": c["intermediate_size"], "up_proj": c["intermediate_size"],
                "down_proj": c["hidden_size"]}[name.rsplit(".", 1)[1]]

    def affine(self, name, how):
        bits, group = how["bits"], how["group_size"]
        words = self.tensors[name + ".weight"][1]
        codes = np.stack([(words >> (bits * i)) & ((1 << bits) - 1) for i in range(32 // bits)], -1)
        codes = codes.reshape(words.shape[0], -1).astype(np.float64)
        scales = np.repeat(self.plain(name + ".scales"), group, 1)
        return codes * scales + np.repeat(self.plain(name + ".biases"), group, 1)

    def table(self, name):
        if name + ".scales" in self.tensors:
            return self.affine(name, self.config["quantization"])
        return self.plain(name + ".weight")

    # The graph ---------------------------------------------------------------------------------

    def multiply(self, x, name, int8=None):
        w, rounded = self.linear(name)
        if int8 is not None:
            rounded = int8
        if rounded:
            scale = 127 / np.maximum(np.abs(x).max(-1, keepdims=True), 1e-5)
            steps = x * scale
            self.margin = min(self.margin, float(np.abs(steps - np.floor(steps) - 0.5).min()))
            x = np.clip(np.rint(steps), -128, 127) / scale  # rint: half to even
        y = x @ w.T
        return y + self.plain(name + ".bias") if name + ".bias" in self.tensors else y

    def norm(self, x, name):
        eps = self.config["rms_norm_eps"]
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * self.plain(name + ".weight")

    def frequencies(self, d):
        c = self.config
        scaling = c.get("rope_parameters") or c.get("rope_scaling") or {}
        base = scaling.get("rope_theta", c.get("rope_theta", 10000.0))
        f = base ** (-np.arange(0, d, 2) / d)
        kind = scaling.get("rope_type", scaling.get("type", "default"))
        if kind == "default":
            return f, 1.0
        original = scaling.get("original_max_position_embeddings")
        factor = scaling.get("factor")
        if kind == "linear":
            return f / factor, 1.0
        if kind == "longrope":
            longest = c["max_position_embeddings"] / original
            size = math.sqrt(1 + math.log(longest) / math.log(original)) if longest > 1 else 1.0
            is_long = self.context > original
            return f / np.array(scaling["long_factor" if is_long else "short_factor"]), size
        if kind == "llama3":
            low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
            wave = 2 * math.pi / f
            smooth = (original / wave - low) / (high - low)
            between = (1 - smooth) * f / factor + smooth * f
            return np.where(wave < original / high, f,
                            np.where(wave > original / low, f / factor, between)), 1.0
        assert kind == "yarn"
        return yarn(f, base, factor, original)

    def turn(self, x):
        """x: (tokens, heads, d); halves of a head are turned together."""
        d = x.shape[-1]
        f, size = self.frequencies(d)
        angle = np.arange(x.shape[0])[:, None, None] * f
        a, b = x[..., :d // 2], x[..., d // 2:]
        cos, sin = np.cos(angle) * size, np.sin(angle) * size
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

    def has(self, name):
        return name + ".weight" in self.tensors

    def attention(self, h, p, int8):
        c = self.config
        heads, kv = c["num_attention_heads"], c["num_key_value_heads"]
        q, k, v = (self.multiply(h, p + n + "_proj", int8).reshape(len(h), count, -1)
                   for n, count in (("q", heads), ("k", kv), ("v", kv)))
        if self.has(p + "q_norm"):
            q, k = self.norm(q, p + "q_norm"), self.norm(k, p + "k_norm")
        q, k = self.turn(q), self.turn(k)
        if self.halves:
            k, v = (x.astype(np.float16).astype(np.float64) for x in (k, v))
        k, v = np.repeat(k, heads // kv, 1), np.repeat(v, heads // kv, 1)
        scores = np.einsum("thd,shd->hts", q, k) / math.sqrt(q.shape[-1])
        scores = np.where(np.tri(len(h), dtype=bool), scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = np.einsum("hts,shd->thd", weights, v).reshape(len(h), -1)
        for name in ("attn_sub_norm", "inner_attn_ln"):
            if self.has(p + name):
                mixed = self.norm(mixed, p + name)
        return self.multiply(mixed, p + "o_proj", int8)

    def feed_forward(self, h, p, int8):
        gate, up = (self.multiply(h, p + n, int8) for n in ("gate_proj", "up_proj"))
        act = self.config.get("hidden_act", "silu")
        if act == "relu2":
            gate = np.maximum(gate, 0) ** 2
        else:
            assert act == "silu"
            gate = gate / (1 + np.exp(-gate))
        inner = gate * up
        for name in ("ffn_sub_norm", "ffn_layernorm"):
            if self.has(p + name):
                inner = self.norm(inner, p + name)
        return self.multiply(inner, p + "down_proj", int8)

    def logits(self, tokens, int8=None):
        """(tokens, vocabulary). int8: say whether linear layers round their activations."""
        c = self.config
        x = self.table("model.embed_tokens")[list(tokens)] * c.get("scale_emb", 1)
        part = c["scale_depth"] / math.sqrt(c["num_hidden_layers"]) if "scale_depth" in c else 1
        for i in range(c["num_hidden_layers"]):
            p = f"model.layers.{i}."
            x = x + part * self.attention(self.norm(x, p + "input_layernorm"), p + "self_attn.", int8)
            x = x + part * self.feed_forward(self.norm(x, p + "post_attention_layernorm"), p + "mlp.", int8)
        x = self.norm(x, "model.norm")
        head = "lm_head" if self.has("lm_head") else "model.embed_tokens"
        if "dim_model_base" in c:
            x = x / (c["hidden_size"] / c["dim_model_base"])
        return x @ self.table(head).T


def absmean(w, dtype):
    """The rule by which masters become trits, with the size rounded to their type."""
    size = np.float32(max(np.abs(w.astype(np.float64)).mean(), 1e-5))
    inverse = np.float32(1) / size
    trits = np.clip(np.rint(w.astype(np.float32) * inverse), -1, 1)
    size = np.float32(1) / inverse
    if dtype == "BF16":
        size = safetensors_file.to_bf16(size)
    elif dtype == "F16":
        size = np.float16(size)
    return trits.astype(np.float64) * np.float64(size)


def unpack(packed, rows):
    """Four trits in a byte: row m is in packed row m mod quarter, bits 2 (m div quarter) on."""
    return np.concatenate([((packed >> (2 * i)) & 3).astype(np.int8) - 1 for i in range(4)])[:rows]


def pack(trits):
    rows = len(trits)
    quarter = -(-rows // 4)
    codes = np.zeros((4 * quarter, trits.shape[1]), np.uint8)
    codes[:rows] = trits + 1
    return sum(codes[i * quarter:(i + 1) * quarter] << (2 * i) for i in range(4)).astype(np.uint8)


def calm_tokens(model, count=3, tries=200, margin=2e-4, int8=None):
    """Tokens for which no activation of the reference lies so near a rounding border that the last
    bits of a float could push it over: then nothing but these last bits may differ."""
    random = np.random.default_rng(7)
    for _ in range(tries):
        tokens = [int(t) for t in random.integers(0, model.config["vocab_size"], count)]
        model.margin = float("inf")
        model.logits(tokens, int8)
        if model.margin > margin:
            return tokens
    raise AssertionError("no calm tokens")
