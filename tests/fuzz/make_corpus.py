# SPDX-License-Identifier: MIT
"""Writes the corpora of safetensors and model_folder: small sound files, and ones with one fault.
    python3 make_corpus.py"""
import json
import os
import struct
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "reference"))
import numpy as np  # noqa: E402
import make_folder  # noqa: E402
import safetensors_file  # noqa: E402


def put(target, name, content):
    folder = os.path.join(here, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def header(text, data=b""):
    return struct.pack("<Q", len(text)) + text.encode() + data


with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "x")
    safetensors_file.write(path, {"a": ("F32", np.ones((2, 3))), "b": ("F16", np.zeros(4)),
                                  "c": ("BF16", np.ones(2)), "d": ("U8", np.zeros((2, 2)))})
    with open(path, "rb") as file:
        good = file.read()
    put("safetensors", "good", good)
    put("safetensors", "cut", good[:-3])
    put("safetensors", "empty", header("{}"))
    put("safetensors", "metadata", header('{"__metadata__":{"format":"pt"}}'))
    put("safetensors", "hole", header('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', b"xx"))
    put("safetensors", "huge", header('{"a":{"dtype":"F64","shape":[4294967296,4294967296],'
                                      '"data_offsets":[0,18446744073709551615]}}'))
    put("safetensors", "twice", header('{"a":{"dtype":"U8","dtype":"I8"}}'))
    put("safetensors", "deep", header('{"a":' + "[" * 80 + "]" * 80 + "}"))
    put("safetensors", "long", struct.pack("<Q", 1 << 62) + b"{}")
    for family in ("bitnet-2b-packed", "falcon-e", "bitnet-large", "bonsai-mlx-2", "llama"):
        where = os.path.join(folder, family)
        make_folder.make(family, where)
        with open(os.path.join(where, "config.json")) as file:
            put("model_folder", "config-" + family, b"c" + json.dumps(json.load(file)).encode())
    with open(os.path.join(folder, "falcon-e", "tokenizer.json")) as file:
        tokenizer = json.load(file)
    few = {t: i for t, i in tokenizer["model"]["vocab"].items() if i in range(60, 64)}
    tokenizer["model"].update(vocab=few, merges=["a b", ["b", "c"]])
    put("model_folder", "tokenizer", b"t" + json.dumps(tokenizer).encode())
    with open(os.path.join(folder, "bitnet-large", "tokenizer.model"), "rb") as file:
        put("model_folder", "sentencepiece", b"s" + file.read()[-400:])
    put("model_folder", "not-json", b"c{")
    put("model_folder", "list", b"t[1,2,{}]")
