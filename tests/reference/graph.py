# SPDX-License-Identifier: MIT
"""Reference. Enters: a GGUF file and tokens. Leaves: the logits after each token, or the vector of
their text, in float64. Written from the published definitions of the families; nothing here is shared
with the program that is tested. Activations meet weights of few levels as `rule` says:
    float  as they are          q8_0  whole numbers up to 127 times a half, for each 32 columns
    token  BitNet's int8        q8_k  the same times a float, for each 256 columns"""
import math

import numpy as np

import gguf_types
from yarn import yarn

LEVELS = {gguf_types.TQ2_0, gguf_types.I2_S, gguf_types.Q1_0, gguf_types.Q2_0}
NEIGHBOURS = {"llama", "minicpm"}  # RoPE turns numbers 2i and 2i + 1 of a head, elsewhere halves


class Model:
    def __init__(self, path, rule="float", context=None):
        self.file = gguf_types.Reader(path)
        self.decoded = {}
        self.arch = self.file.entries["general.architecture"]
        self.rule = rule
        self.context = context  # positions of the run, by which LongRoPE chooses its factors
        self.margin = math.inf  # of all activations so far, from the next rounding border
        self.halves = True      # keys and values are kept as halves, as the runner keeps them
        self.rotation = Rotation(self.file.entries) if self.has_key("prism.hadamard.version") else None

    def has_key(self, name):
        return name in self.file.entries

    def key(self, name, *default):
        return self.file.entries.get(f"{self.arch}.{name}", *default)

    def has(self, name):
        return name in self.file.tensors

    def tensor(self, name):
        if name not in self.decoded:
            self.decoded[name] = self.file.tensor(name)
        return self.decoded[name]

    @property
    def dim(self):
        return self.key("embedding_length")

    @property
    def vocab(self):
        return self.file.tensors["token_embd.weight"][1][-1]

    # Products ----------------------------------------------------------------------------------

    def rounded(self, x):
        if self.rule == "float":
            return x
        group = {"token": x.shape[-1], "q8_0": 32, "q8_k": 256}[self.rule]
        blocks = x.reshape(*x.shape[:-1], -1, group)
        largest = np.abs(blocks).max(-1, keepdims=True)
        if self.rule == "token":
            steps = blocks * (127 / np.maximum(largest, 1e-5))
            size = np.maximum(largest, 1e-5) / 127
        else:
            safe = np.where(largest == 0, 1, largest)
            steps = blocks * (127 / safe)
            size = largest / 127
            if self.rule == "q8_0":
                size = size.astype(np.float16).astype(np.float64)
        self.margin = min(self.margin, float(np.abs(steps - np.floor(steps) - 0.5).min()))
        return (np.rint(steps) * size).reshape(x.shape)

    def product(self, x, name, weights=None):
        """x Wᵀ with all that stands beside W: norm, rotation, rounding, scale, bias."""
        kind = self.file.tensors[name + ".weight"][0]
        w = self.tensor(name + ".weight") if weights is None else weights
        if self.has(name + "_norm_in.weight"):
            x = self.norm(x, name + "_norm_in")
        if self.rotation and name + ".weight" in self.rotation.names:
            x = self.rotation.forward(x)
        y = (self.rounded(x) if kind in LEVELS else x) @ w.T
        if self.has(name + ".scale"):
            y = y * self.tensor(name + ".scale")
        return y + self.tensor(name + ".bias") if self.has(name + ".bias") else y

    def norm(self, x, name):
        eps = self.key("attention.layer_norm_rms_epsilon")
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * self.tensor(name + ".weight")

    # Attention ---------------------------------------------------------------------------------

    def is_local(self, layer):
        """Does this layer see a window alone?"""
        if not self.key("attention.sliding_window", 0):
            return False
        pattern = self.key("attention.sliding_window_pattern", 6)
        return bool(pattern[layer]) if isinstance(pattern, list) else (layer + 1) % pattern != 0

    def frequencies(self, d, local):
        base = self.key("rope.freq_base", 10000.0)
        if local:
            base = self.key("rope.freq_base_swa", 10000.0 if self.arch == "gemma3" else base)
        f = base ** (-np.arange(0, d, 2) / d)
        if self.has("rope_freqs.weight"):
            f = f / self.tensor("rope_freqs.weight")
        kind = self.key("rope.scaling.type", "linear")
        factor = self.key("rope.scaling.factor", 1.0) or 1.0
        original = self.key("rope.scaling.original_context_length", self.key("context_length"))
        if kind == "none" or (local and self.arch == "gemma3"):
            return f, 1.0
        if kind == "linear":
            return f / factor, 1.0
        if kind == "longrope":
            size = "long" if self.context > original else "short"
            return f / self.tensor(f"rope_factors_{size}.weight"), \
                self.key("rope.scaling.attn_factor", 1.0)
        assert kind == "yarn"
        return yarn(f, base, factor, original)

    def turn(self, x, local):
        """x: (tokens, heads, d)"""
        if self.arch == "maple" and not local:
            return x
        d = self.key("rope.dimension_count", x.shape[-1])
        f, size = self.frequencies(d, local)
        angle = np.arange(x.shape[0])[:, None, None] * f
        first, second = (slice(0, d, 2), slice(1, d, 2)) if self.arch in NEIGHBOURS else \
            (slice(0, d // 2), slice(d // 2, d))
        a, b = x[..., first], x[..., second]
        cos, sin = np.cos(angle) * size, np.sin(angle) * size
        out = x.copy()
        out[..., first], out[..., second] = a * cos - b * sin, b * cos + a * sin
        return out

    def attention(self, h, layer):
        p = f"blk.{layer}.attn_"
        heads = self.key("attention.head_count")
        kv = self.key("attention.head_count_kv", heads)
        q, k, v = (self.product(h, p + n).reshape(len(h), count, -1)
                   for n, count in (("q", heads), ("k", kv), ("v", kv)))
        if self.has(p + "q_norm.weight"):
            q, k = self.norm(q, p + "q_norm"), self.norm(k, p + "k_norm")
        local = self.is_local(layer)
        q, k = self.turn(q, local), self.turn(k, local)
        if self.halves:
            k, v = (x.astype(np.float16).astype(np.float64) for x in (k, v))
        k, v = np.repeat(k, heads // kv, 1), np.repeat(v, heads // kv, 1)
        scores = np.einsum("thd,shd->hts", q, k) / math.sqrt(q.shape[-1])
        ago = np.arange(len(h))[:, None] - np.arange(len(h))
        seen = (ago >= 0) & (ago < (self.key("attention.sliding_window") if local else len(h)))
        scores = np.where(seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = np.einsum("hts,shd->thd", weights, v).reshape(len(h), -1)
        if self.has(p + "sub_norm.weight"):
            mixed = self.norm(mixed, p + "sub_norm")
        return self.product(mixed, p + "output")

    # Feed-forward ------------------------------------------------------------------------------

    def gated(self, gate, up):
        kind = self.key("hidden_activation", "relu2" if self.arch == "bitnet-b1.58" else "silu")
        if self.arch == "gemma3":
            inner = math.sqrt(2 / math.pi) * (gate + 0.044715 * gate ** 3)
            return 0.5 * gate * (1 + np.tanh(inner)) * up
        if self.arch == "maple":
            most = self.key("swiglu_clamp_exp", 7.0)
            most = most[0] if isinstance(most, list) else most
            gate, up = np.minimum(gate, most), np.clip(up, -most, most)
        if kind == "relu2":
            return np.maximum(gate, 0) ** 2 * up
        return gate / (1 + np.exp(-gate)) * up

    def feed_forward(self, h, layer):
        p = f"blk.{layer}.ffn_"
        if self.has(p + "gate_inp.weight"):
            return self.experts(h, p)
        inner = self.gated(self.product(h, p + "gate"), self.product(h, p + "up"))
        if self.has(p + "sub_norm.weight"):
            inner = self.norm(inner, p + "sub_norm")
        return self.product(inner, p + "down")

    def experts(self, h, p):
        """The likeliest experts of each token, their weights made to sum to 1."""
        scores = self.product(h, p + "gate_inp")
        share = np.exp(scores - scores.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        out = np.zeros_like(h)
        gates, ups, downs = (self.tensor(f"{p}{n}_exps.weight") for n in ("gate", "up", "down"))
        for t, x in enumerate(h):
            chosen = np.argsort(-share[t], kind="stable")[:self.key("expert_used_count")]
            for e in chosen:
                inner = self.gated(self.product(x[None], p + "gate_exps", gates[e]),
                                   self.product(x[None], p + "up_exps", ups[e]))
                out[t] += share[t, e] / share[t, chosen].sum() * \
                    self.product(inner, p + "down_exps", downs[e])[0]
        return out

    # The whole ---------------------------------------------------------------------------------

    def scale(self, name):
        """MiniCPM's, with what llama.cpp takes where a file says nothing."""
        usual = 1.0
        if self.arch == "minicpm":
            usual = {"embedding_scale": 12.0, "logit_scale": 256 / self.dim,
                     "residual_scale": 1.4 / math.sqrt(self.key("block_count"))}[name]
        if self.arch == "gemma3" and name == "embedding_scale":
            return math.sqrt(self.dim)
        return self.key(name, usual) or 1.0

    def hidden(self, tokens):
        """What the head is given, (tokens, dim)."""
        x = self.tensor("token_embd.weight")[list(tokens)]
        if self.rotation and "token_embd.weight" in self.rotation.inverse:
            x = self.rotation.backward(x)
        x = x * self.scale("embedding_scale")
        residual = self.scale("residual_scale")
        for layer in range(self.key("block_count")):
            p = f"blk.{layer}."
            y = self.attention(self.norm(x, p + "attn_norm"), layer)
            if self.has(p + "post_attention_norm.weight"):
                y = self.norm(y, p + "post_attention_norm")
            x = x + residual * y
            y = self.feed_forward(self.norm(x, p + "ffn_norm"), layer)
            if self.has(p + "post_ffw_norm.weight"):
                y = self.norm(y, p + "post_ffw_norm")
            x = x + residual * y
        return self.norm(x, "output_norm")

    def logits(self, tokens):
        head = "output" if self.has("output.weight") else "token_embd"
        return self.product(self.hidden(tokens), head) / self.scale("logit_scale")

    def vector(self, tokens):
        """Of length 1: what the pooling of the file makes of all tokens."""
        hidden = self.hidden(tokens)
        kind = self.key("pooling_type")
        pooled = {1: hidden.mean(0), 3: hidden[-1]}[kind]
        return pooled / np.linalg.norm(pooled)


class Rotation:
    """Weights in another basis: W H (s x), H for each block of columns; its own inverse."""
    def __init__(self, entries):
        def key(name):
            return entries["prism.hadamard." + name]
        self.block = key("block_size")
        self.names = set(key("weight_names"))
        self.inverse = set(entries.get("prism.hadamard.inverse_weight_names", []))
        self.signs, at = {}, 0
        if key("sign_mode") == "explicit":
            for width in key("sign_widths"):
                self.signs[width] = np.array(key("sign_values")[at:at + width], np.float64)
                at += width
        if entries.get("prism.hadamard.tied_output"):
            self.names.add("token_embd.weight")
        h = np.ones((1, 1))
        while len(h) < self.block:
            h = np.block([[h, h], [h, -h]]) / math.sqrt(2)
        self.matrix = h

    def mixed(self, x):
        return (x.reshape(*x.shape[:-1], -1, self.block) @ self.matrix).reshape(x.shape)

    def forward(self, x):
        return self.mixed(x * self.signs.get(x.shape[-1], 1.0))

    def backward(self, x):
        return self.mixed(x) * self.signs.get(x.shape[-1], 1.0)
