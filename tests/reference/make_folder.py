# SPDX-License-Identifier: MIT
"""Reference. Enters: the name of a family, a folder. Leaves: a small model of that family there, as
its publisher lays it out, with random weights: config.json, safetensors, tokenizer.
    python3 make_folder.py FAMILY FOLDER [SEED]"""
import json
import os
import struct
import sys

import numpy as np

import forward
import safetensors_file

LLAMA_3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+"
           r"[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN_2 = LLAMA_3.replace("{1,3}", "")
SIZES = {"hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}


def byte_alphabet():
    """The characters that byte-level BPE spells bytes with."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in own else chr(next(others)) for b in range(256)]


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, ensure_ascii=False, indent=1)


def added_token(number, text, special):
    return {"id": number, "content": text, "special": special, "normalized": False, "lstrip": False,
            "rstrip": False, "single_word": False}


def around(before, after, added):
    """The post-processor that puts these of the added tokens around a text; None: nothing."""
    places = [{"SpecialToken": {"id": before, "type_id": 0}}] if before else []
    places += [{"Sequence": {"id": "A", "type_id": 0}}]
    places += [{"SpecialToken": {"id": after, "type_id": 0}}] if after else []
    ids = {a["content"]: {"id": a["content"], "tokens": [a["content"]], "ids": [a["id"]]}
           for a in added if a["content"] in (before, after)}
    return {"type": "TemplateProcessing", "single": places, "pair": [], "special_tokens": ids}


def byte_level_tokenizer(folder, pattern, specials, bos, eos, ignore_merges, pairs=True, behind=None):
    letters = byte_alphabet()
    space = letters[32]
    merges = [("t", "h"), ("th", "e"), (space, "the"), ("i", "n"), (space, "a"), ("e", "r"),
              ("a", "n"), ("o", "n"), ("1", "2"), ("in", "g")]
    vocab = {t: i for i, t in enumerate(letters)}
    for left, right in merges:
        vocab[left + right] = len(vocab)
    added = [added_token(len(vocab) + i, t, special) for i, (t, special) in enumerate(specials)]
    processor = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                 "use_regex": False}
    after = processor
    if bos or behind:
        after = {"type": "Sequence", "processors": [processor, around(bos, behind, added)]}
    write_json(os.path.join(folder, "tokenizer.json"), {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated",
             "invert": False}, processor]},
        "post_processor": after, "decoder": processor,
        "model": {"type": "BPE", "dropout": None, "unk_token": None,
                  "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "ignore_merges": ignore_merges,
                  "vocab": vocab,
                  "merges": [list(m) if pairs else " ".join(m) for m in merges]}})
    write_json(os.path.join(folder, "tokenizer_config.json"), {
        "bos_token": bos, "eos_token": {"content": eos, "lstrip": False}, "pad_token": eos,
        "chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}",
        "model_max_length": 512, "tokenizer_class": "PreTrainedTokenizerFast"})
    ids = {a["content"]: a["id"] for a in added}
    return len(vocab) + len(added), ids.get(bos), ids[eos]


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3) + varint(value)


def gemma_tokenizer(folder):
    """SentencePiece's pieces in tokenizer.json, as Gemma's folders have them."""
    texts = ["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{b:02X}>" for b in range(256)]
    merges = [("t", "h"), ("th", "e"), ("\u2581", "the"), ("i", "n"), ("\u2581", "a"), ("o", "n")]
    texts += list("\u2581abcdefghijklmnopqrstuvwxyz.,") + [a + b for a, b in merges]
    added = [added_token(i, texts[i], True) for i in range(4)]
    write_json(os.path.join(folder, "tokenizer.json"), {
        "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
        "pre_tokenizer": {"type": "Split", "pattern": {"String": " "},
                          "behavior": "MergedWithPrevious", "invert": False},
        "post_processor": around("<bos>", "<eos>", added),
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "fuse_unk": True,
                  "byte_fallback": True, "vocab": {t: i for i, t in enumerate(texts)},
                  "merges": [list(m) for m in merges]}})
    write_json(os.path.join(folder, "tokenizer_config.json"), {
        "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"})
    return len(texts)


def sentencepiece_tokenizer(folder):
    """tokenizer.model, and the tokens beside it that 1bitLLM's folders add."""
    pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    pieces += [(f"<0x{b:02X}>", 0.0, 6) for b in range(256)]
    merged = ["\u2581t", "he", "\u2581the", "in", "an", "on", "ing", "\u2581a"]
    pieces += [(t, -float(i), 1) for i, t in enumerate(merged)]
    letters = "\u2581abcdefghijklmnopqrstuvwxyz.,"
    pieces += [(t, -float(len(merged) + i), 1) for i, t in enumerate(letters)]
    message = b"".join(field(1, field(1, t.encode()) + field(2, s) + (field(3, k) if k != 1 else b""))
                       for t, s, k in pieces)
    trainer = field(3, 2) + field(40, 0) + field(41, 1) + field(42, 2) + field(43, (1 << 64) - 1)
    normaliser = field(1, b"identity") + field(3, 1) + field(4, 0) + field(5, 1)
    with open(os.path.join(folder, "tokenizer.model"), "wb") as file:
        file.write(message + field(2, trainer) + field(3, normaliser))
    n = len(pieces)
    write_json(os.path.join(folder, "added_tokens.json"), {"</line>": n + 1, "<pad>": n})
    write_json(os.path.join(folder, "tokenizer_config.json"), {
        "add_bos_token": True, "add_eos_token": False, "bos_token": {"content": "<s>"},
        "eos_token": {"content": "</s>"}, "unk_token": {"content": "<unk>"}, "pad_token": "<pad>"})
    return n + 2


class Maker:
    def __init__(self, folder, seed):
        self.folder, self.random, self.tensors = folder, np.random.default_rng(seed), {}

    def trits(self, rows, cols):
        return self.random.integers(-1, 2, (rows, cols)).astype(np.int8)

    def floats(self, dtype, *shape):
        values = self.random.standard_normal(shape).astype(np.float32) / np.float32(shape[-1] ** 0.5)
        return self.kept(dtype, values)

    @staticmethod
    def kept(dtype, values):
        if dtype == "BF16":
            return safetensors_file.to_bf16(values)
        return np.asarray(values, safetensors_file.TYPES[dtype])

    def norm(self, name, width, dtype, middle=1):
        self.tensors[name + ".weight"] = (
            dtype, self.kept(dtype, middle + self.random.standard_normal(width) * 0.1))

    def linear(self, name, rows, cols, how, dtype, gain=1.0):
        if how in ("multiply", "divide"):
            size = self.kept("BF16", np.float32(self.random.uniform(0.8, 1.2) / cols ** 0.5 * 1.2))
            said = size if how == "multiply" else self.kept("BF16", np.float32(1) / size)
            self.tensors[name + ".weight"] = ("U8", forward.pack(self.trits(rows, cols)))
            self.tensors[name + ".weight_scale"] = ("BF16", np.reshape(said, (1,)))
        elif how == "rows":  # Maple: trits with a scale for each row
            size = self.kept(dtype, self.random.uniform(0.8, 1.2, (rows, 1)) / cols ** 0.5 * gain)
            self.tensors[name + ".weight"] = (dtype, self.kept(dtype, size * self.trits(rows, cols)))
        elif how == "several":  # a scale for each of two halves of the rows
            size = np.repeat(self.random.uniform(0.8, 1.2, 2) / cols ** 0.5, rows // 2)[:, None]
            self.tensors[name + ".weight"] = (
                dtype, self.kept(dtype, self.kept(dtype, size) * self.trits(rows, cols)))
        elif how == "groups":  # Bonsai: signs, or trits, with a half for each 128 columns
            size = np.repeat(self.kept("F16", self.random.uniform(0.8, 1.2, (rows, cols // 128)) /
                                       cols ** 0.5), 128, 1)
            self.tensors[name + ".weight"] = (dtype, self.kept(dtype, size * self.trits(rows, cols)))
        elif how.startswith("mlx"):
            self.affine(name, rows, cols, int(how[3:]))
        elif how == "words":  # Humming: -2, -1, 0, 1 with a scale for each 128 columns
            codes = self.random.integers(0, 4, (rows, cols)).astype(np.uint32)
            words = np.zeros((rows, cols // 16), np.uint32)
            for i in range(16):
                words |= codes[:, i::16] << (2 * i)
            size = self.random.uniform(0.6, 0.9, (rows, cols // 128)) / cols ** 0.5
            self.tensors[name + ".weight"] = ("I32", words.astype(np.int32))
            self.tensors[name + ".weight_scale"] = ("F16", size.astype(np.float16))
        else:
            self.tensors[name + ".weight"] = (dtype, self.floats(dtype, rows, cols))

    def affine(self, name, rows, cols, bits):
        size = self.random.uniform(0.8, 1.2, (rows, cols // 128)) / cols ** 0.5
        size = size.astype(np.float16)
        codes = self.random.integers(0, bits + 1, (rows, cols)).astype(np.uint32)
        each = 32 // bits
        words = np.zeros((rows, cols // each), np.uint32)
        for i in range(each):
            words |= codes[:, i::each] << (bits * i)
        self.tensors[name + ".weight"] = ("U32", words)
        self.tensors[name + ".scales"] = ("F16", (size * 2).astype(np.float16) if bits == 1 else size)
        self.tensors[name + ".biases"] = ("F16", -size)

    def table(self, name, rows, cols, how, dtype):
        if how.startswith("mlx"):
            self.affine(name, rows, cols, int(how[3:]))
        else:
            self.tensors[name + ".weight"] = (dtype, self.floats(dtype, rows, cols))

    def experts(self, p, c, how, dtype):
        dim, ffn = c["hidden_size"], c["moe_intermediate_size"]
        self.tensors[p + "gate.weight"] = (dtype, self.kept(
            dtype, 2 * self.floats("F32", c["num_experts"], dim)))
        for e in range(c["num_experts"]):  # with gates and what they let through beyond the clamp
            for name, rows, cols, gain in (("gate_proj", ffn, dim, 6), ("up_proj", ffn, dim, 6),
                                           ("down_proj", dim, ffn, 0.1)):
                self.linear(f"{p}experts.{e}.{name}", rows, cols, how, dtype, gain)

    def model(self, c, how, dtype, sub_norms=(), head_norms=False, biases=False, input_norms=False,
              root="model.", embedding="embed_tokens", gemma=False):
        d = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
        width, kv, ffn = c["num_attention_heads"] * d, c["num_key_value_heads"] * d, \
            c["intermediate_size"]
        dim, middle = c["hidden_size"], 0 if gemma else 1
        experts = "num_experts" in c
        self.table(root + embedding, c["vocab_size"], dim, how, dtype)
        for i in range(c["num_hidden_layers"]):
            p = f"{root}layers.{i}."
            self.norm(p + "input_layernorm", dim, dtype, middle)
            self.norm(p + "post_attention_layernorm", dim, dtype, middle)
            if gemma:
                self.norm(p + "pre_feedforward_layernorm", dim, dtype, middle)
                self.norm(p + "post_feedforward_layernorm", dim, dtype, middle)
            for name, rows, cols in (("self_attn.q_proj", width, dim), ("self_attn.k_proj", kv, dim),
                                     ("self_attn.v_proj", kv, dim), ("self_attn.o_proj", dim, width),
                                     ("mlp.gate_proj", ffn, dim), ("mlp.up_proj", ffn, dim),
                                     ("mlp.down_proj", dim, ffn)):
                if experts and name.startswith("mlp."):
                    continue
                self.linear(p + name, rows, cols, how, dtype)
                if input_norms:
                    self.norm(p + name + ".norm", cols, dtype)
            if experts:
                self.experts(p + "mlp.", c, how, dtype)
            for name, size in (("q", width), ("k", kv), ("v", kv)) if biases else ():
                self.tensors[p + f"self_attn.{name}_proj.bias"] = (
                    dtype, self.kept(dtype, self.random.standard_normal(size)))
            for name, size in zip(sub_norms, (width, ffn)):
                self.norm(p + name, size, dtype)
            if head_norms:
                self.norm(p + "self_attn.q_norm", d, dtype, middle)
                self.norm(p + "self_attn.k_norm", d, dtype, middle)
        self.norm(root + "norm", dim, dtype, middle)
        if not c["tie_word_embeddings"]:
            self.table("lm_head", c["vocab_size"], dim, how, dtype)

    def save(self, config, shards=1):
        write_json(os.path.join(self.folder, "config.json"), config)
        if shards == 1:
            return safetensors_file.write(os.path.join(self.folder, "model.safetensors"), self.tensors)
        places, names = {}, list(self.tensors)
        for n in range(shards):
            file = f"model-{n + 1:05d}-of-{shards:05d}.safetensors"
            part = names[n::shards]
            places.update({name: file for name in part})
            safetensors_file.write(os.path.join(self.folder, file), {t: self.tensors[t] for t in part})
        write_json(os.path.join(self.folder, "model.safetensors.index.json"),
                   {"metadata": {"total_size": 0}, "weight_map": places})


def llama_3_words(folder, **more):
    return byte_level_tokenizer(
        folder, LLAMA_3, [("<|begin_of_text|>", True), ("<|end_of_text|>", True),
                          ("<|eot_id|>", True)], "<|begin_of_text|>", "<|eot_id|>", True, **more)


def qwen_words(folder, behind=None):
    return byte_level_tokenizer(folder, QWEN_2, [("<|endoftext|>", True), ("<|im_end|>", True),
                                                 ("<think>", False)], None, "<|im_end|>", False,
                                behind=behind)


BITNET = ("self_attn.attn_sub_norm", "mlp.ffn_sub_norm")


def bitnet_2b(m, quantisation, how, **more):
    vocab, bos, eos = llama_3_words(m.folder)
    c = {**SIZES, "architectures": ["BitNetForCausalLM"], "model_type": "bitnet",
         "hidden_act": "relu2", "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "vocab_size": vocab,
         "tie_word_embeddings": True, "bos_token_id": bos, "eos_token_id": eos,
         "torch_dtype": "bfloat16", "initializer_range": 0.02, "use_cache": True,
         "attention_bias": False, "attention_dropout": 0.0,
         "quantization_config": {"quant_method": "bitnet", "linear_class": "autobitlinear",
                                 "modules_to_not_convert": None, **quantisation}, **more}
    write_json(os.path.join(m.folder, "generation_config.json"),
               {"bos_token_id": bos, "eos_token_id": [eos - 1, eos], "temperature": 0.6})
    m.model(c, how, "BF16", BITNET)
    m.save(c)


def packed_llama(m, shards=1, **more):
    """HF1BitLLM's, Falcon3's and Falcon-E's: no class named, so that scales divide."""
    vocab, bos, eos = llama_3_words(m.folder, pairs=False)
    c = {**SIZES, "architectures": ["LlamaForCausalLM"], "model_type": "llama",
         "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "vocab_size": vocab,
         "tie_word_embeddings": False, "bos_token_id": bos, "eos_token_id": [eos - 1, eos],
         "pretraining_tp": 1, "mlp_bias": False, "attention_bias": False, "rope_scaling": None,
         "quantization_config": {"quant_method": "bitnet", "modules_to_not_convert": ["lm_head"]},
         **more}
    m.model(c, "divide", "BF16")
    m.save(c, shards)


def one_bit_llm(m, **more):
    vocab = sentencepiece_tokenizer(m.folder)
    c = {**SIZES, "architectures": ["BitnetForCausalLM"], "model_type": "llama",
         "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "vocab_size": vocab,
         "tie_word_embeddings": True, "num_key_value_heads": 4, "weight_bits": 1, "input_bits": 8,
         "rope_scaling": None, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": vocab - 2,
         **more}
    m.model(c, "masters", "F16", ("self_attn.inner_attn_ln", "mlp.ffn_layernorm"))
    m.save(c)


def plain_llama(m, how, dtype, **more):
    vocab, bos, eos = llama_3_words(m.folder)
    c = {**SIZES, "architectures": ["LlamaForCausalLM"], "model_type": "llama",
         "hidden_act": "silu", "rms_norm_eps": 1e-5, "vocab_size": vocab,
         "tie_word_embeddings": False, "bos_token_id": bos, "eos_token_id": eos, **more}
    m.model(c, how, dtype)
    m.save(c)


def bonsai(m, how, dtype, **more):
    vocab, _, eos = qwen_words(m.folder)
    c = {**SIZES, "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 64,
         "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "vocab_size": vocab,
         "tie_word_embeddings": True, "eos_token_id": eos, "attention_bias": False,
         "use_sliding_window": False, "sliding_window": None, "max_window_layers": 2,
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
                          "original_max_position_embeddings": 128}, **more}
    m.model(c, how, dtype, head_norms=True)
    m.save(c)


def vibe_voice(m):
    """The language model of VibeVoice-ASR: Qwen2's graph of BitNet's masters."""
    vocab, _, eos = qwen_words(m.folder)
    c = {**SIZES, "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2",
         "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "vocab_size": vocab,
         "tie_word_embeddings": True, "eos_token_id": eos, "use_sliding_window": False,
         "sliding_window": 512, "max_window_layers": 2, "use_mrope": False,
         "quantization_config": {"quant_method": "bitnet", "linear_class": "autobitlinear",
                                 "quantization_mode": "online", "modules_to_not_convert": None}}
    m.model(c, "masters", "BF16", biases=True)
    m.save(c)


def bit_cpm(m):
    """BitCPM-CANN's: MiniCPM4 with weights that are trits times several scales, in floats."""
    vocab, bos, eos = llama_3_words(m.folder)
    pairs = SIZES["hidden_size"] // SIZES["num_attention_heads"] // 2
    c = {**SIZES, "architectures": ["MiniCPMForCausalLM"], "model_type": "minicpm",
         "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "vocab_size": vocab,
         "tie_word_embeddings": True, "bos_token_id": bos, "eos_token_id": [eos - 1, eos],
         "scale_emb": 12, "scale_depth": 1.4, "dim_model_base": 64, "attention_bias": False,
         "rope_scaling": {"rope_type": "longrope", "original_max_position_embeddings": 256,
                          "short_factor": list(np.linspace(1, 1.4, pairs)),
                          "long_factor": list(np.linspace(1, 9, pairs))}}
    m.model(c, "several", "F16")
    m.save(c)


def maple(m, how="rows", **more):
    vocab, _, eos = qwen_words(m.folder)
    c = {**SIZES, "architectures": ["MapleForCausalLM"], "hidden_act": "silu", "rms_norm_eps": 1e-6,
         "rope_theta": 10000, "vocab_size": vocab, "tie_word_embeddings": False, "head_dim": 64,
         "num_hidden_layers": 4, "eos_token_id": eos, "moe_intermediate_size": 256,
         "num_experts": 8, "num_experts_per_tok": 2, "num_shared_experts": 0,
         "norm_topk_prob": True, "moe_router_enable_expert_bias": False, "router_dtype": "fp32",
         "layer_types": ["sliding_attention"] * 3 + ["full_attention"], "sliding_window": 3,
         "nope_on_global_attention": True, "partial_rotary_factor": 0.5, "use_qk_norm": True,
         "use_rmsnorm": True, "max_window_layers": 4, "embedding_dropout": 0.0,
         "output_dropout": 0.0, "output_router_logits": False, "preaffine": False, "quantize": True,
         "rope_scaling": None, "pad_token_id": None,
         "auto_map": {"AutoConfig": "configuration_maple.MapleConfig"}, **more}
    m.model(c, how, "BF16", head_norms=True, embedding="word_embeddings")
    m.save(c, shards=2)


def embedder(m):
    """bitnet-embedding-0.6B: Qwen3 without a head, and a norm before each projection."""
    vocab, _, eos = qwen_words(m.folder, behind="<|endoftext|>")
    c = {**SIZES, "architectures": ["Qwen3Model"], "model_type": "qwen3", "head_dim": 64,
         "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "vocab_size": vocab,
         "tie_word_embeddings": True, "eos_token_id": eos, "attention_bias": False,
         "use_sliding_window": False, "sliding_window": None, "max_window_layers": 2,
         "layer_types": ["full_attention"] * 2, "rope_scaling": None}
    kinds = ("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")
    write_json(os.path.join(m.folder, "modules.json"),
               [{"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind}
                for i, (kind, path) in enumerate(kinds)])
    os.makedirs(os.path.join(m.folder, "1_Pooling"), exist_ok=True)
    write_json(os.path.join(m.folder, "1_Pooling", "config.json"),
               {"word_embedding_dimension": 256, "pooling_mode_cls_token": False,
                "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False,
                "pooling_mode_lasttoken": False, "include_prompt": True})
    m.model(c, "masters", "BF16", head_norms=True, input_norms=True, root="")
    m.save(c)


def gemma_embedder(m):
    """bitnet-embedding-270M: the same of Gemma 3. Nothing says how tokens become one vector."""
    vocab = gemma_tokenizer(m.folder)
    c = {**SIZES, "architectures": ["Gemma3TextModel"], "model_type": "gemma3_text", "head_dim": 64,
         "num_hidden_layers": 7, "num_key_value_heads": 1, "rms_norm_eps": 1e-6,
         "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 64, "vocab_size": vocab,
         "tie_word_embeddings": True, "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0,
         "sliding_window": 3, "layer_types": ["sliding_attention"] * 5 + ["full_attention"] +
         ["sliding_attention"], "attention_bias": False, "attn_logit_softcapping": None,
         "final_logit_softcapping": None, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}
    m.model(c, "masters", "BF16", head_norms=True, input_norms=True, gemma=True)
    m.save(c)


LLAMA_31 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64}
FAMILIES = {
    "bitnet-2b-packed": lambda m: bitnet_2b(m, {"quantization_mode": "offline"}, "multiply"),
    "bitnet-2b-masters": lambda m: bitnet_2b(m, {"quantization_mode": "online"}, "masters"),
    # 1bitLLM's graph, as the class in transformers has it.
    "bitnet-silu": lambda m: bitnet_2b(m, {"quantization_mode": "online"}, "masters", hidden_act="silu"),
    "llama3-packed": packed_llama,
    "falcon-e": lambda m: packed_llama(m, shards=3, head_dim=128, num_key_value_heads=1,
                                       rope_theta=1e6),
    "bitnet-large": one_bit_llm,
    # 1bitLLM's two whose widths are no whole blocks, at an eighth: ffn 5460 = 4 x 1365, 3200 and 8640.
    "bitnet-xl": lambda m: one_bit_llm(m, hidden_size=256, intermediate_size=4 * 171),
    "bitnet-3b": lambda m: one_bit_llm(m, hidden_size=320, intermediate_size=864),
    # Heads of 256, which together are wider than the stream.
    "falcon3": lambda m: packed_llama(m, head_dim=256, num_key_value_heads=1, num_attention_heads=2,
                                      rope_theta=1000042.0),
    "trilm": lambda m: plain_llama(m, "several", "F16", rope_theta=10000.0),
    "llama": lambda m: plain_llama(m, "floats", "BF16",
                                   rope_parameters={"rope_theta": 10000.0, **LLAMA_31}),
    "gsq": lambda m: plain_llama(m, "words", "F16", rope_theta=10000.0, quantization_config={
        "quant_method": "humming", "dtype": "int2", "group_size": 128}),
    "qwen2": vibe_voice,
    "minicpm": bit_cpm,
    "maple": maple,
    "maple-masters": lambda m: maple(m, "masters"),
    "embedding-qwen": embedder,
    "embedding-gemma": gemma_embedder,
    "bonsai": lambda m: bonsai(m, "groups", "F16"),
    "bonsai-mlx-1": lambda m: bonsai(m, "mlx1", "F16", quantization={"group_size": 128, "bits": 1}),
    "bonsai-mlx-2": lambda m: bonsai(m, "mlx2", "F16", quantization={"group_size": 128, "bits": 2},
                                     quantization_config={"group_size": 128, "bits": 2})}


def make(family, folder, seed=1):
    os.makedirs(folder, exist_ok=True)
    FAMILIES[family](Maker(folder, seed))


if __name__ == "__main__":
    make(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1)
