# SPDX-License-Identifier: MIT
"""The graph of a family that no folder is converted of has the logits that Hugging Face's transformers
computed with the same weights (tests/reference/transformers_graphs.py)."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TRILOBIT_SOURCE_DIR"], "tests", "examples", "huggingface"))
from common import logits, np, path  # noqa: E402
import families  # noqa: E402
import graph  # noqa: E402
import transformers_folder  # noqa: E402
import transformers_graphs  # noqa: E402

golden = transformers_folder.read("gemma3", transformers_graphs.GOLDENS)
file = path("gemma3.gguf")
families.make("gemma3", file)
weights = transformers_graphs.digest(graph.Model(file))
assert weights == golden["weights"], "these are not the weights that transformers had"
found = logits(file, golden["tokens"], "--cache", "f32")
error = np.abs(found - golden["logits"]).max() / np.abs(golden["logits"]).max()
print(f"gemma3 largest difference {error:.1e} of the largest logit")
# Both sum floats of single precision, in another order; keys and values are floats in both.
assert error < 5e-6, error
