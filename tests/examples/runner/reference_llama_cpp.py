# SPDX-License-Identifier: MIT
"""The reference itself, judged by Debian's llama.cpp: of each family's small random model both predict
the same. llama.cpp rounds activations by its own rules beside weights of few levels, and so does the
reference then; log-probabilities are read in steps of 2.4e-4."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TRILOBIT_SOURCE_DIR"], "tests", "examples", "huggingface"))
from common import path  # noqa: E402
from peer import CONTEXT, difference, predictions  # noqa: E402
import families  # noqa: E402
import graph  # noqa: E402

# Where activations are rounded, one that lies on the border shows at once; of several models some
# have none.
FORMS = (("llama", "TQ2_0", "q8_k"), ("qwen2", "TQ2_0", "q8_k"), ("qwen3", "Q1_0", "q8_0"),
         ("qwen3", "Q2_0", "q8_0"), ("qwen3-rotated", "TQ2_0", "q8_k"), ("minicpm", "TQ2_0", "q8_k"),
         ("maple", "Q1_0", "q8_0"))
for family, kind, rule in (*((f, "F32", "float") for f in (
        "llama", "qwen2", "qwen3", "qwen3-rotated", "qwen3-rotated-tied", "minicpm",
        "minicpm-longrope", "maple", "gemma3")), *FORMS):
    errors = []
    for seed in range(1, 2 if rule == "float" else 5):
        file = path(f"{family}.{kind}.gguf")
        families.make(family, file, kind, seed=seed)
        tokens, found = predictions(file)
        model = graph.Model(file, rule, CONTEXT)
        model.halves = False
        errors.append(difference(found, model.logits(tokens)))
    print(f"{family:18} {kind:6} {len(found)} positions, largest difference",
          ", ".join(f"{e:.1e}" for e in errors))
    # llama.cpp reads GELU from a table of halves.
    assert min(errors) < (3e-3 if family == "gemma3" else 3e-4) and max(errors) < 0.2, (family, kind, errors)
