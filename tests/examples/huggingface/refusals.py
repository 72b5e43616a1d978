# SPDX-License-Identifier: MIT
"""What is wrong with a folder is told in one line that names file and tensor or field, and nothing is
written. Each case changes one thing of a good folder."""
import json
import os
import shutil
import struct

from common import folder, must, np, path, refused, run
import safetensors_file

count = 0


def case(family, change, *why, to="I2_S"):
    global count
    count += 1
    here = path(f"case{count}")
    shutil.copytree(folder(family), here)
    change(here)
    said = refused("convert", here, path("never"), "--to", to)
    for text in why:
        assert text in said, (why, said)
    left = [name for name in os.listdir(path()) if name.startswith("never")]
    assert not left, left
    shutil.rmtree(here)


def tensors(edit):
    def change(here):
        file = os.path.join(here, "model.safetensors")
        all = safetensors_file.read(file)
        edit(all)
        safetensors_file.write(file, all)
    return change


def config(**more):
    def change(here):
        file = os.path.join(here, "config.json")
        with open(file) as f:
            c = json.load(f)
        c.update(more)
        with open(file, "w") as f:
            json.dump(c, f)
    return change


def setting(name, dtype, values):
    return tensors(lambda all: all.__setitem__(name, (dtype, values)))


def removing(name):
    return tensors(lambda all: all.pop(name))


q = "model.layers.0.self_attn.q_proj."
good = safetensors_file.read(os.path.join(folder("bitnet-2b-packed"), "model.safetensors"))
packed = good[q + "weight"][1]
case("bitnet-2b-packed", removing(q + "weight"), f"lacks tensor '{q}weight'")
case("bitnet-2b-packed", removing(q + "weight_scale"), f"'{q}weight'", f"'{q}weight_scale' is missing")
case("bitnet-2b-packed", setting(q + "weight", "U8", packed | 3), "none of -1, 0, +1", f"'{q}weight'")
case("bitnet-2b-packed", setting(q + "weight", "U8", packed[:-1]), "rows of four")
case("bitnet-2b-packed", setting(q + "weight", "F32", np.zeros((256, 256))), "that the config promises")
case("bitnet-2b-packed", setting(q + "bias", "F32", np.zeros(256)), f"'{q}bias' has no place")
case("bitnet-2b-packed", setting("model.layers.0.mlp.experts.0.w1.weight", "F32", np.zeros((2, 2))),
     "experts.0.w1.weight' has no place")
case("bitnet-2b-packed", setting("lm_head.weight", "F32", np.zeros((3, 2))), "differs from the embedding")
for scale in (0.0, float("nan"), float("inf"), -1.0):
    case("bitnet-2b-packed", setting(q + "weight_scale", "F32", np.array([scale])), "is no size")
case("bitnet-2b-packed", setting(q + "weight_scale", "F32", np.ones(2)), "not one number")
case("bitnet-2b-packed", config(num_hidden_layers=3), "lacks tensor 'model.layers.2.")
case("bitnet-2b-packed", config(num_hidden_layers=1), "'model.layers.1.", "has no place")
case("bitnet-2b-packed", config(intermediate_size=1024), "mlp.")
case("bitnet-2b-packed", config(vocab_size=1000), "embed_tokens.weight' has 269 x 256", "vocabulary of 1000")
case("bitnet-2b-packed", config(surprise=[1]), "config.json: field 'surprise' is a list of 1")
case("bitnet-2b-packed", config(quantization_config={"quant_method": "awq"}), "'awq'")
case("bitnet-2b-packed", lambda here: os.remove(os.path.join(here, "config.json")), "without config.json")
case("bitnet-2b-packed", lambda here: os.remove(os.path.join(here, "tokenizer.json")), "neither tokenizer")
case("bitnet-2b-packed", lambda here: os.remove(os.path.join(here, "model.safetensors")), "has neither model")
case("bitnet-2b-masters",
     setting(q + "weight", "F32", np.full((256, 256), np.nan)), "NaN or infinity", f"'{q}weight'")
case("llama", setting(q + "weight", "F32", np.full((256, 256), np.inf)), "NaN or infinite", to="F32")
case("llama", setting(q + "weight", "F32", np.full((256, 256), 1e6)), "too large", to="F16")
case("gsq", removing(q + "weight_scale"), f"'{q}weight_scale' is missing", to="F16")
case("gsq", setting(q + "weight_scale", "F16", np.ones((256, 3))), "for each 128 columns", to="F16")
case("gsq", config(quantization_config={"quant_method": "humming", "dtype": "int4"}), "'int4'", to="F16")
case("bonsai-mlx-2", removing(q + "biases"), f"'{q}biases' is missing", to="F16")
case("bonsai-mlx-2", removing(q + "scales"), f"'{q}weight'", to="F16")
case("bonsai-mlx-2", config(quantization={"bits": 2, "group_size": 64},
                            quantization_config=None), "for each 64 columns", to="F16")

# Of experts each one counts.
expert = "model.layers.2.mlp.experts.{}.up_proj.weight"


def shards(edit):
    """The same of a folder whose tensors lie in several files."""
    def change(here):
        index = os.path.join(here, "model.safetensors.index.json")
        with open(index) as f:
            where = json.load(f)
        for name in sorted(set(where["weight_map"].values())):
            file = os.path.join(here, name)
            all = safetensors_file.read(file)
            edit(all)
            safetensors_file.write(file, all)
            where["weight_map"] = {k: v for k, v in where["weight_map"].items() if v != name or k in all}
        with open(index, "w") as f:
            json.dump(where, f)
    return change


def reshaping(all):
    if expert.format(3) in all:
        all[expert.format(3)] = ("F32", np.zeros((256, 128)))


case("maple", shards(lambda all: all.pop(expert.format(7), None)),
     f"lacks tensor '{expert.format(7)}'", to="TQ2_0")
case("maple", shards(lambda all: all.pop(expert.format(0), None)),
     f"lacks tensor '{expert.format(0)}'", to="packed")
case("maple", shards(reshaping), f"'{expert.format(3)}' has 256 x 128 values", "256 x 256", to="TQ2_0")
case("maple", config(num_experts=9), "mlp.gate.weight' has 8 x 256 values", to="TQ2_0")
case("maple", config(num_experts=7), "mlp.gate.weight' has 8 x 256 values", to="TQ2_0")
case("maple", config(num_experts_per_tok=9), "'num_experts_per_tok' is 9", to="TQ2_0")
case("maple", config(moe_intermediate_size=512), "experts.0.gate_proj.weight' has 256 x 256", to="TQ2_0")
case("maple", config(num_shared_experts=1), "'num_shared_experts' is 1", to="TQ2_0")
case("maple", config(layer_types=["full_attention"] * 3), "'layer_types' does not name a kind", to="TQ2_0")
case("embedding-qwen", removing("layers.1.mlp.down_proj.norm.weight"),
     "lacks tensor 'layers.1.mlp.down_proj.norm.weight'")
case("embedding-gemma", config(query_pre_attn_scalar=168), "'query_pre_attn_scalar' is not head_dim")
case("embedding-gemma", config(use_bidirectional_attention=True), "'use_bidirectional_attention' is true")


def module(**more):
    def change(here):
        with open(os.path.join(here, "modules.json"), "w") as f:
            json.dump([{"idx": 0, "name": "0", "path": "1_Pooling",
                        "type": "sentence_transformers.models.Pooling", **more}], f)
    return change


def pooling(**more):
    def change(here):
        with open(os.path.join(here, "1_Pooling", "config.json"), "w") as f:
            json.dump(more, f)
    return change


case("embedding-qwen", module(type="sentence_transformers.models.Dense"), "models.Dense'")
case("embedding-qwen", module(path="../elsewhere"), "'../elsewhere', which is no folder of this one")
case("embedding-qwen", module(path="2_Nowhere"), "2_Nowhere")
case("embedding-qwen", pooling(pooling_mode_cls_token=True), "'cls_token'; only the mean")
case("embedding-qwen", pooling(pooling_mode_mean_tokens=True, pooling_mode_lasttoken=True),
     "'pooling_mode_lasttoken' is not the only one")

# A file that is cut anywhere near its start, or at its end, or while it is mapped.
whole = os.path.join(folder("bitnet-2b-packed"), "model.safetensors")
size, header = os.path.getsize(whole), struct.unpack("<Q", open(whole, "rb").read(8))[0]
for length in (*range(10), 8 + header - 1, 8 + header, 8 + header + 1, size - 1):
    case("bitnet-2b-packed",
         lambda here: os.truncate(os.path.join(here, "model.safetensors"), length), "model.safetensors: ")

# The folder itself is safe from the file that is made of it.
inside = os.path.join(folder("bitnet-2b-packed"), "model.safetensors")
assert "is a file of the model" in refused("convert", folder("bitnet-2b-packed"), inside, "--to", "I2_S")
assert os.path.getsize(inside) == size
assert "convert the folder" in refused("convert", inside, path("never"), "--to", "I2_S")
assert "--to" in refused("convert", folder("bitnet-2b-packed"), path("never"))
assert run("convert", folder("bitnet-2b-packed"), path("never"), "--to", "Q3").returncode == 2
print(count, "cases")
