# SPDX-License-Identifier: MIT
"""Reference. Enters: a folder. Leaves: transformers_folders/FAMILY.json there for each family that Hugging
Face's transformers has a class for: the files that it writes of that family's small model, and the
logits that it computes; and transformers_graphs/ with logits alone.
    build/transformers/bin/python3 tests/reference/transformers_goldens.py tests/reference
Weights are those of make_folder.py and are not kept; transformers_folder.py writes them again."""
import base64
import hashlib
import json
import os
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.integrations import bitnet

import forward
import make_folder
import transformers_graphs

FAMILIES = ("bitnet-2b-packed", "bitnet-2b-masters", "bitnet-silu", "llama3-packed", "falcon-e",
            "falcon3", "trilm", "llama", "qwen2", "bonsai")
SEED, COUNT = 1, 3
TEXT = "the theory: another thing in 1234, then one.\n\n  It's \u00e9t\u00e9 again"


def load(folder, dtype):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype,
                                                              attn_implementation="eager")
    # What publishers write and save_pretrained() refuses.
    model.generation_config.do_sample = True
    return model.eval()


def write(made, folder):
    """What transformers makes of the folder `made`: model, config and tokenizer."""
    path = os.path.join(made, "tokenizer_config.json")
    with open(path) as file:
        config = json.load(file)
    config["eos_token"] = config["eos_token"]["content"]
    make_folder.write_json(path, config)
    transformers.AutoTokenizer.from_pretrained(made).save_pretrained(folder)
    model = load(made, "auto")
    how = getattr(model.config, "quantization_config", None)
    if how is None or how.linear_class == "bitlinear" or how.quantization_mode == "online":
        return model.save_pretrained(folder)
    # 5.12 unpacks these into bytes, where -1 becomes 255, and cannot write them: as published.
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    save_file(load_file(os.path.join(made, "model.safetensors")),
              os.path.join(folder, "model.safetensors"), {"format": "pt"})


def logits(folder, tokens):
    """In float32, but that masters become trits in their own type, as where they are published."""
    with open(os.path.join(folder, "config.json")) as file:
        masters = getattr(torch, json.load(file)["dtype"])
    model = load(folder, torch.float32)
    for module in model.modules():
        if not isinstance(module, bitnet.AutoBitLinear):
            continue
        if module.online_quant:
            weight = bitnet.WeightQuant.apply(module.weight.detach().to(masters))
            module.online_quant, module.weight_scale = False, torch.ones(1)
        else:
            weight = module.weight.view(torch.int8)
        module.weight = torch.nn.Parameter(weight.float(), requires_grad=False)
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0].numpy()


def golden(family, scratch):
    made, folder = os.path.join(scratch, "made", family), os.path.join(scratch, family)
    make_folder.make(family, made, SEED)
    write(made, folder)
    reference = forward.Model(made)
    reference.halves = False
    tokens = forward.calm_tokens(reference, COUNT)
    files = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            raw = file.read()
        if name.endswith(".safetensors"):
            assert name == "model.safetensors", name
            digest = hashlib.sha256(raw).hexdigest()
        else:
            files[name] = json.loads(raw) if name.endswith(".json") else raw.decode()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    kept = {"family": family, "seed": SEED, "files": files, "safetensors": digest, "text": TEXT,
            "ids": tokenizer(TEXT)["input_ids"], "tokens": tokens}
    return kept, logits(folder, tokens), reference.logits(tokens)


def keep(folder, family, kept, found, wanted):
    print(f"{family:18} {abs(found - wanted).max() / abs(wanted).max():.1e} of the largest logit "
          "from the float64 reference")
    kept = {"transformers": transformers.__version__, "torch": torch.__version__, **kept,
            "logits": base64.b64encode(found.astype("<f4").tobytes()).decode()}
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, family + ".json"), "w") as file:
        json.dump(kept, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    here = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        for family in FAMILIES:
            keep(os.path.join(here, "transformers_folders"), family, *golden(family, scratch))
        keep(os.path.join(here, "transformers_graphs"), "gemma3", *transformers_graphs.golden(scratch))
