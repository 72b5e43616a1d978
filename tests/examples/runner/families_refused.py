# SPDX-License-Identifier: MIT
"""What is wrong with the parts that only some families have is told in one line. Each case changes one
thing of a good model."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TRILOBIT_SOURCE_DIR"], "tests", "examples", "huggingface"))
from common import np, path, refused  # noqa: E402
import families  # noqa: E402

count = 0


def case(family, change, *why):
    global count
    count += 1
    file = path("wrong.gguf")
    families.make(family, file, change=change)
    said = refused("logits", "-m", file, "--tokens", "1,2")
    for text in why:
        assert text in said, (why, said)


def key(name, value):
    def change(entries, _):
        if value is None:
            del entries[name]
        else:
            entries[name] = value
    return change


def without(name):
    return lambda _, tensors: tensors.pop(name)


def prism(name, value):
    return key("prism.hadamard." + name, value)


case("qwen2", without("blk.1.attn_k.bias"), "blk.1.attn_k.bias")
case("qwen2", lambda _, t: t.update({"blk.0.attn_output.bias": (0, np.zeros(256))}), "attn_output.bias")
case("qwen3", without("blk.0.attn_q_norm.weight"), "attn_q_norm.weight")
case("qwen3", key("qwen3.rope.scaling.original_context_length", ("i32", -4)), "YaRN")
case("qwen3", key("general.architecture", "qwen35"), "recurrent layers", "plug-in")
for name in ("embedding_scale", "residual_scale", "logit_scale"):
    case("minicpm", key("minicpm." + name, None), "minicpm." + name)
    case("minicpm", key("minicpm." + name, 0.0), "not above 0")
case("minicpm-longrope", without("rope_factors_long.weight"), "divisors")
case("minicpm-longrope", lambda _, t: t.update({"rope_factors_short.weight": (0, np.zeros(32))}),
     "not above 0")
case("maple", key("maple.expert_used_count", 9), "9 of 8 experts")
case("maple", key("maple.rope.dimension_count_swa", 66), "is 66, not an even number up to")
case("maple", key("maple.expert_used_count", 0), "0 of 8 experts")
case("maple", key("maple.expert_count", 4), "ffn_gate_inp.weight")
case("maple", key("maple.attention.sliding_window_pattern", [True]), "says it of 1 layers")
case("maple", key("maple.attention.sliding_window", ("i32", -1)), "no window")
case("maple", key("maple.swiglu_clamp_exp", [1.0, 2.0, 1.0, 1.0]), "differs from layer to layer")
case("maple", without("blk.0.ffn_up_exps.weight"), "ffn_up_exps.weight")
case("gemma3", without("blk.3.post_ffw_norm.weight"), "post_ffw_norm.weight")
case("gemma3", key("gemma3.final_logit_softcapping", 30.0), "softcapping")
case("bitnet-embedding-0.6B", key("qwen3.pooling_type", 2), "pooling_type is 2")
case("llama", key("llama.logit_scale", 2.0), "logit_scale")
case("qwen3-rotated", prism("version", None), "prism.hadamard.version")
case("qwen3-rotated", prism("version", 3), "version is 3")
case("qwen3-rotated", prism("tied_output", True), "tied_output true")
case("qwen3-rotated", prism("block_size", 96), "no power of two")
case("qwen3-rotated", prism("block_size", 1024), "no multiple of")
case("qwen3-rotated", prism("transform", "other"), "'other'")
case("qwen3-rotated", prism("axis", "rows"), "'rows'")
case("qwen3-rotated", prism("sign_mode", "implicit"), "'implicit'")
case("qwen3-rotated", prism("sign_widths", [("i32", 256)]), "does not fit")
case("qwen3-rotated", prism("sign_values", [("i32", 1)] * 767 + [("i32", 0)]), "other numbers")
case("qwen3-rotated", prism("sign_values", [("i32", 1)] * 10), "does not fit")
case("qwen3-rotated", prism("weight_names", ["blk.0.attn_norm.weight"]), "no product reads")
case("qwen3-rotated", prism("weight_names", ["blk.9.attn_q.weight"]), "blk.9.attn_q.weight")
case("qwen3-rotated", prism("inverse_weight_names", ["output.weight"]), "no table")
case("qwen3-rotated", prism("gdn_v_grouped", True), "layers that are not known")
case("qwen3-rotated-tied", prism("inverse_weight_names", None), "no table is rotated")
print(count, "cases")
