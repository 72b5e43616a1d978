# SPDX-License-Identifier: MIT
"""Reference. Enters: the name of a family in transformers_folders/. Leaves: the folder that Hugging Face's
transformers wrote of its small model, to the byte, and the logits that it computed."""
import base64
import glob
import hashlib
import json
import os

import numpy as np

import make_folder
import safetensors_file

GOLDENS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "transformers_folders")


def families(folder=GOLDENS):
    return sorted(name[:-5] for name in os.listdir(folder))


def read(family, folder=GOLDENS):
    """Its logits are an array (tokens, vocabulary)."""
    with open(os.path.join(folder, family + ".json")) as file:
        golden = json.load(file)
    golden["logits"] = np.frombuffer(base64.b64decode(golden["logits"]), "<f4").reshape(
        len(golden["tokens"]), -1)
    return golden


def write(golden, folder):
    make_folder.make(golden["family"], folder, golden["seed"])
    tensors = {}
    for path in glob.glob(os.path.join(folder, "*.safetensors")):
        tensors.update(safetensors_file.read(path))
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    for name, value in golden["files"].items():
        if name.endswith(".json"):
            make_folder.write_json(os.path.join(folder, name), value)
        else:
            with open(os.path.join(folder, name), "w") as file:
                file.write(value)
    path = os.path.join(folder, "model.safetensors")
    # The library's own order: larger types first, then by name.
    order = sorted(tensors, key=lambda name: (-("U8", "F16", "BF16").index(tensors[name][0]), name))
    safetensors_file.write(path, {name: tensors[name] for name in order}, {"format": "pt"})
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    assert digest == golden["safetensors"], "these are not the weights that transformers had"
