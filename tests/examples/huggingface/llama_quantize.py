# SPDX-License-Identifier: MIT
"""Types of GGUF, held to Debian's llama-quantize, which scripts/fetch-rivals gets: what it writes is
read as the floats that it reads, bit for bit, and what has a type's values is written as it does."""
import json
import os
import subprocess

from common import SOURCE, must, path, rivals
from gguf_file import tensors

QUANTIZE = os.path.join(rivals(), "llama-quantize")


def quantize(source, out, kind):
    done = subprocess.run([QUANTIZE, "--allow-requantize", "--pure", source, out, kind],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr[-2000:]
    return out


def matrices(file, kind):
    """Bytes of those with this type's number, without padding."""
    found = {name: raw for name, (number, _, raw) in tensors(file).items() if number == kind}
    assert len(found) >= 7, (file, len(found))
    return found


with open(path("config.json"), "w") as file:
    json.dump({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 256,
               "intermediate_size": 768, "num_hidden_layers": 1, "num_attention_heads": 4,
               "num_key_value_heads": 2, "vocab_size": 320, "rms_norm_eps": 1e-5, "rope_theta": 1e4,
               "max_position_embeddings": 256, "tie_word_embeddings": False}, file)
must("make-dummy", "-o", path("ternary"), "--config", path("config.json"), "--type", "F32")
# Halves hold these scales.
halves = quantize(quantize(path("ternary"), path("halves"), "TQ2_0"), path("source"), "F32")

F32 = 0
for kind, number in (("Q4_0", 2), ("Q8_0", 8), ("Q4_K", 12), ("Q5_K", 13), ("Q6_K", 14), ("IQ4_NL", 20),
                     ("TQ1_0", 34), ("TQ2_0", 35), ("Q1_0", 41), ("Q2_0", 42)):
    theirs = quantize(halves, path(kind), kind)
    floats = quantize(theirs, path(kind + ".floats"), "F32")
    must("convert", theirs, path(kind + ".ours"), "--to", "F32")
    ours, expected = matrices(path(kind + ".ours"), F32), matrices(floats, F32)
    layers = [name for name in matrices(theirs, number) if name.startswith("blk.")]
    assert len(layers) == 7, layers
    for name in layers:
        assert ours[name] == expected[name], (kind, name)
    if kind in ("TQ1_0", "TQ2_0", "Q2_0", "Q1_0"):
        # Q1_0 has two levels, so its own floats are written again.
        must("convert", floats if kind == "Q1_0" else halves, path(kind + ".written"), "--to", kind)
        written = matrices(path(kind + ".written"), number)
        for name in layers:
            assert written[name] == matrices(theirs, number)[name], (kind, name)
    print(f"{kind:7} read as llama.cpp reads it: {len(layers)} matrices")
