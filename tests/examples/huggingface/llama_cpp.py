# SPDX-License-Identifier: MIT
"""What is converted, run by Debian's llama.cpp, which scripts/fetch-rivals gets: what it predicts is
what the float64 reference does, for each graph that it knows, Qwen3's with YaRN among them."""
import subprocess

from common import folder, must, path
from peer import difference, predictions, program
import forward

# llama.cpp rounds activations to 8 bits beside Q1_0, Q2_0 and TQ types, to halves beside F16 and to
# the 8 bits of a bfloat16's fraction beside BF16, which the head of `llama` is.
for family, form, most in (("llama", "F32", 2e-2), ("trilm", "F16", 1e-2), ("bonsai", "F32", 5e-3),
                           ("bonsai-mlx-1", "F32", 5e-3), ("bonsai-mlx-1", "Q1_0", 0.2),
                           ("bonsai-mlx-2", "Q2_0", 0.2), ("bitnet-large", "TQ2_0", 0.2),
                           ("bitnet-large", "TQ1_0", 0.2), ("llama3-packed", "TQ2_0", 0.2),
                           ("falcon-e", "Q2_0", 0.2), ("maple", "F32", 2e-2), ("maple", "TQ2_0", 0.2)):
    file = path(f"{family}.{form}.gguf")
    must("convert", folder(family), file, "--to", form)
    tokens, found = predictions(file)
    model = forward.Model(folder(family))
    model.halves = False
    # Maple's folder says nothing of activations.
    rounded = True if (family, form) == ("maple", "TQ2_0") else None
    error = difference(found, model.logits(tokens, rounded))
    print(f"{family:18} {form:6} {len(found)} positions, largest difference {error:.1e}")
    assert error < most, (family, form, error)

# Its graph has squared ReLU, which llama.cpp does not compute: it must not load.
must("convert", folder("bitnet-2b-packed"), path("b158.gguf"), "--to", "TQ2_0")
done = subprocess.run([program("llama-bench"), "-m", path("b158.gguf"), "-p", "1", "-n", "1"],
                      capture_output=True, text=True)
assert done.returncode != 0 and "failed to load model" in done.stderr, done.stderr
