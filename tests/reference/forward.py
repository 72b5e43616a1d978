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
        c = self.config
        self.root = "model." if "model.norm.weight" in self.tensors else ""
        self.embedding = self.root + ("word_embeddings" if c["architectures"] == ["MapleForCausalLM"]
                                      else "embed_tokens")
        self.gemma = c["architectures"][0].startswith("Gemma3")

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
        if self.has(name + ".norm"):  # bitnet-embedding's
            return absmean(w, "F32"), True
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
        if self.has(name + ".norm"):
            x = self.norm(x, name + ".norm")
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
        w = self.plain(name + ".weight")
        if self.gemma and not name.endswith("_proj.norm"):
            w = 1 + w
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * w

    def is_local(self, layer):
        """Does this layer see a window alone?"""
        return self.config.get("layer_types", {layer: ""})[layer] == "sliding_attention"

    def frequencies(self, d, local=False):
        c = self.config
        scaling = c.get("rope_parameters") or c.get("rope_scaling") or {}
        base = scaling.get("rope_theta", c.get("rope_theta", 10000.0))
        if local and self.gemma:
            return c["rope_local_base_freq"] ** (-np.arange(0, d, 2) / d), 1.0
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

    def turn(self, x, local):
        """x: (tokens, heads, d); halves of a head, or of its first part, are turned together."""
        if self.config.get("nope_on_global_attention") and not local:
            return x
        d = int(x.shape[-1] * self.config.get("partial_rotary_factor", 1))
        f, size = self.frequencies(d, local)
        angle = np.arange(x.shape[0])[:, None, None] * f
        a, b = x[..., :d // 2], x[..., d // 2:d]
        cos, sin = np.cos(angle) * size, np.sin(angle) * size
        return np.concatenate([a * cos - b * sin, b * cos + a * sin, x[..., d:]], -1)

    def has(self, name):
        return name + ".weight" in self.tensors

    def attention(self, h, p, int8, local):
        c = self.config
        heads, kv = c["num_attention_heads"], c["num_key_value_heads"]
        q, k, v = (self.multiply(h, p + n + "_proj", int8).reshape(len(h), count, -1)
                   for n, count in (("q", heads), ("k", kv), ("v", kv)))
        if self.has(p + "q_norm"):
            q, k = self.norm(q, p + "q_norm"), self.norm(k, p + "k_norm")
        q, k = self.turn(q, local), self.turn(k, local)
        if self.halves:
            k, v = (x.astype(np.float16).astype(np.float64) for x in (k, v))
        k, v = np.repeat(k, heads // kv, 1), np.repeat(v, heads // kv, 1)
        scores = np.einsum("thd,shd->hts", q, k) / math.sqrt(q.shape[-1])
        ago = np.arange(len(h))[:, None] - np.arange(len(h))
        seen = (ago >= 0) & (ago < (c["sliding_window"] if local else len(h)))
        scores = np.where(seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = np.einsum("hts,shd->thd", weights, v).reshape(len(h), -1)
        for name in ("attn_sub_norm", "inner_attn_ln"):
            if self.has(p + name):
                mixed = self.norm(mixed, p + name)
        return self.multiply(mixed, p + "o_proj", int8)

    def experts(self, h, p, int8):
        """The likeliest of each token, by softmax; what they are worth sums to 1."""
        scores = h @ self.plain(p + "gate.weight").T
        out, used = np.zeros_like(h), self.config["num_experts_per_tok"]
        for t, row in enumerate(scores):
            chosen = np.argsort(-row, kind="stable")
            self.margin = min(self.margin, float(row[chosen[used - 1]] - row[chosen[used]]))
            share = np.exp(row[chosen[:used]] - row.max())
            for e, part in zip(chosen, share / share.sum()):
                out[t] += part * self.feed_forward(h[t:t + 1], f"{p}experts.{e}.", int8)[0]
        return out

    def feed_forward(self, h, p, int8):
        if self.has(p + "gate"):
            return self.experts(h, p, int8)
        gate, up = (self.multiply(h, p + n, int8) for n in ("gate_proj", "up_proj"))
        if ".experts." in p:  # Maple's class clamps both
            gate, up = np.minimum(gate, 7), np.clip(up, -7, 7)
        act = "gelu" if self.gemma else self.config.get("hidden_act", "silu")
        if act == "relu2":
            gate = np.maximum(gate, 0) ** 2
        elif act == "gelu":
            gate = 0.5 * gate * (1 + np.tanh(math.sqrt(2 / math.pi) * (gate + 0.044715 * gate ** 3)))
        else:
            assert act == "silu"
            gate = gate / (1 + np.exp(-gate))
        inner = gate * up
        for name in ("ffn_sub_norm", "ffn_layernorm"):
            if self.has(p + name):
                inner = self.norm(inner, p + name)
        return self.multiply(inner, p + "down_proj", int8)

    def hidden(self, tokens, int8=None):
        """What the head is given, (tokens, dim)."""
        c = self.config
        x = self.table(self.embedding)[list(tokens)] * c.get("scale_emb", 1)
        if self.gemma:
            x = x * math.sqrt(c["hidden_size"])
        part = c["scale_depth"] / math.sqrt(c["num_hidden_layers"]) if "scale_depth" in c else 1
        for i in range(c["num_hidden_layers"]):
            p = f"{self.root}layers.{i}."
            y = self.attention(self.norm(x, p + "input_layernorm"), p + "self_attn.", int8,
                               self.is_local(i))
            if self.gemma:
                x = x + self.norm(y, p + "post_attention_layernorm")
                y = self.feed_forward(self.norm(x, p + "pre_feedforward_layernorm"), p + "mlp.", int8)
                x = x + self.norm(y, p + "post_feedforward_layernorm")
                continue
            x = x + part * y
            x = x + part * self.feed_forward(self.norm(x, p + "post_attention_layernorm"), p + "mlp.", int8)
        return self.norm(x, self.root + "norm")

    def vector(self, tokens, pooling, int8=None):
        """Of length 1, for the whole text."""
        x = self.hidden(tokens, int8)
        x = {"mean": x.mean(0), "last": x[-1]}[pooling]
        return x / np.linalg.norm(x)

    def logits(self, tokens, int8=None):
        """(tokens, vocabulary). int8: say whether linear layers round their activations."""
        c = self.config
        x = self.hidden(tokens, int8)
        head = "lm_head" if self.has("lm_head") else self.embedding
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
