# SPDX-License-Identifier: MIT
"""Reference. Enters: nothing. Leaves: the logits that Hugging Face's transformers computes of a GGUF
file of families.py, for a family that no folder is read of. transformers_goldens.py writes them down."""
import hashlib
import os

import numpy as np

import families
import graph

GOLDENS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "transformers_graphs")
LAYER = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
         "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
         "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
         "post_ffw_norm": "post_feedforward_layernorm"}


def digest(model):
    """Of all weights, so that other ones are told."""
    hashed = hashlib.sha256()
    for name in sorted(model.file.tensors):
        hashed.update(name.encode() + np.asarray(model.tensor(name), "<f4").tobytes())
    return hashed.hexdigest()


def gemma3(model):
    """The class with the file's weights; its norms multiply by 1 and what is kept."""
    import torch
    import transformers
    heads = model.key("attention.head_count")
    config = transformers.Gemma3TextConfig(
        vocab_size=model.vocab, hidden_size=model.dim, head_dim=model.key("attention.key_length"),
        intermediate_size=model.key("feed_forward_length"), num_attention_heads=heads,
        num_hidden_layers=model.key("block_count"),
        num_key_value_heads=model.key("attention.head_count_kv"),
        max_position_embeddings=model.key("context_length"),
        rms_norm_eps=model.key("attention.layer_norm_rms_epsilon"),
        query_pre_attn_scalar=model.key("attention.key_length"),
        sliding_window=model.key("attention.sliding_window"), bos_token_id=1, eos_token_id=2,
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": model.key("rope.freq_base")},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}},
        attn_implementation="eager")
    weights = {}
    for name in model.file.tensors:
        parts = name.removesuffix(".weight").split(".")
        if parts[0] == "blk":
            theirs = f"model.layers.{parts[1]}.{LAYER[parts[2]]}"
        else:
            theirs = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}[parts[0]]
        value = np.asarray(model.tensor(name), np.float32)
        weights[theirs + ".weight"] = torch.from_numpy(value - 1 if value.ndim == 1 else value.copy())
    made = transformers.Gemma3ForCausalLM(config).eval()
    missing, unknown = made.load_state_dict(weights, strict=False)
    assert missing == ["lm_head.weight"] and not unknown, (missing, unknown)
    return made


def golden(scratch):
    """Tokens, their logits and what the weights were."""
    import torch
    file = os.path.join(scratch, "gemma3.gguf")
    families.make("gemma3", file)
    model = graph.Model(file)
    model.halves = False
    # More than the window sees.
    tokens = [int(t) for t in np.random.default_rng(7).integers(0, model.vocab, 6)]
    with torch.no_grad():
        found = gemma3(model)(torch.tensor([tokens])).logits[0].numpy()
    return {"weights": digest(model), "tokens": tokens}, found, model.logits(tokens)
