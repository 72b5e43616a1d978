# SPDX-License-Identifier: MIT
"""What is converted, read by npm's @huggingface/gguf, which scripts/fetch-gguf-parser gets: names,
shapes, metadata and the bytes of tensors are those of the folder."""
import json
import os
import subprocess

from common import SOURCE, fetch, folder, make_folder, must, np, path
import forward
import safetensors_file

PARSER = fetch("gguf-parser")


def parsed(file):
    done = subprocess.run(
        ["node", os.path.join(SOURCE, "tests", "examples", "huggingface", "gguf_parser.mjs"),
         PARSER, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def halves(rows, heads):
    """Rows of q or k as the architecture llama wants them, from Hugging Face's."""
    d = len(rows) // heads
    return rows.reshape(heads, 2, d // 2, -1).swapaxes(1, 2).reshape(rows.shape)


for family, form, architecture in (("bitnet-2b-packed", "F32", "bitnet-b1.58"),
                                   ("llama3-packed", "F32", "llama"), ("falcon-e", "I2_S", "llama"),
                                   ("bitnet-2b-masters", "packed", "bitnet-b1.58"),
                                   ("bitnet-large", "TQ2_0", "bitnet"), ("bonsai", "F32", "qwen3"),
                                   ("llama", "F32", "llama")):
    file = path(f"{family}.gguf")
    must("convert", folder(family), file, "--to", form)
    found = parsed(file)
    model = forward.Model(folder(family))
    c, m = model.config, found["metadata"]
    d = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    assert m["general.architecture"] == architecture, m["general.architecture"]
    for key, value in {"embedding_length": c["hidden_size"], "block_count": c["num_hidden_layers"],
                       "feed_forward_length": c["intermediate_size"], "vocab_size": c["vocab_size"],
                       "attention.head_count": c["num_attention_heads"],
                       "attention.head_count_kv": c["num_key_value_heads"],
                       "attention.key_length": d, "rope.dimension_count": d,
                       "context_length": c["max_position_embeddings"]}.items():
        assert m[f"{architecture}.{key}"] == value, (family, key)
    assert len(m["tokenizer.ggml.tokens"]) == c["vocab_size"], family
    if architecture == "qwen3":
        assert m["qwen3.rope.scaling.type"] == "yarn" and m["qwen3.rope.scaling.factor"] == 4
        assert m["qwen3.rope.scaling.original_context_length"] == 128
    tensors = {name: (shape, dtype, offset) for name, shape, dtype, offset in found["tensors"]}
    alignment = m.get("general.alignment", 32)
    assert alignment == (64 if form == "packed" else 32)
    assert all(offset % alignment == 0 for _, _, offset in tensors.values())
    assert ("rope_freqs.weight" in tensors) == (family == "llama")
    # Of F32 the weights themselves, in their order.
    with open(file, "rb") as f:
        everything = f.read()
    names = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
             "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
             "ffn_down": "mlp.down_proj"}
    for i in range(c["num_hidden_layers"]):
        for ours, theirs in names.items():
            shape, dtype, offset = tensors[f"blk.{i}.{ours}.weight"]
            weights, _ = model.linear(f"model.layers.{i}.{theirs}")
            if ours in ("attn_q", "attn_k") and architecture == "llama":
                heads = c["num_attention_heads" if ours == "attn_q" else "num_key_value_heads"]
                weights = halves(weights, heads)
            if form == "F32":
                begin = found["data"] + offset
                stored = np.frombuffer(everything, "<f4", weights.size, begin)
                assert shape == [weights.shape[1], weights.shape[0]] and dtype == 0
                wanted = weights.astype(np.float32)
                if family == "llama3-packed":  # trits times a rounded 1 / weight_scale
                    scale = model.tensors[f"model.layers.{i}.{theirs}.weight_scale"][1]
                    wanted = np.sign(wanted) * (np.float32(1) / scale.astype(np.float32).reshape(()))
                assert np.array_equal(stored.reshape(weights.shape), wanted), (family, i, ours)
    print(f"{family}: {len(tensors)} tensors, {len(m)} entries")
