# SPDX-License-Identifier: MIT
"""What is converted, run by Debian's llama.cpp, which scripts/fetch-rivals gets: what it predicts is
what the float64 reference does, for each graph that it knows, Qwen3's with YaRN among them.
llama-perplexity writes its log-probabilities to a file, in 16 bits over their range."""
import os
import struct
import subprocess

from common import folder, must, np, path, rivals
import forward

PROGRAMS = rivals()
CONTEXT = 64
text = path("text")
with open(text, "w") as file:
    file.write("The theory in a nutshell: another thing, then one more; on and on. 12 is 12. " * 8)


def predictions(model):
    """Tokens of one context, and log-probabilities of what follows in its second half."""
    out = path("logits")
    done = subprocess.run(
        [os.path.join(PROGRAMS, "llama-perplexity"), "-m", model, "-f", text,
         "-c", str(CONTEXT), "--chunks", "1", "-t", "2", "--no-warmup", "-ctk", "f32", "-ctv", "f32", "-fa", "off",
         "--kl-divergence-base", out],
        capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr[-2000:]
    with open(out, "rb") as file:
        raw = file.read()
    assert raw[:8] == b"_logits_"
    context, vocab, chunks = struct.unpack("<Iii", raw[8:20])
    assert (context, chunks) == (CONTEXT, 1), (context, chunks)
    tokens = np.frombuffer(raw, "<i4", context, 20)
    at, width = 20 + 4 * context, 2 * ((vocab + 1) // 2 + 2)
    rows = []
    while at + 2 * width <= len(raw):
        scale, least = struct.unpack("<ff", raw[at:at + 8])
        rows.append(np.frombuffer(raw, "<u2", vocab, at + 8) * scale + least)
        at += 2 * width
    return list(tokens), np.array(rows)


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


# llama.cpp rounds activations to 8 bits beside Q1_0, Q2_0 and TQ types, to halves beside F16 and to
# the 8 bits of a bfloat16's fraction beside BF16, which the head of `llama` is.
for family, form, most in (("llama", "F32", 2e-2), ("trilm", "F16", 1e-2), ("bonsai", "F32", 5e-3),
                           ("bonsai-mlx-1", "F32", 5e-3), ("bonsai-mlx-1", "Q1_0", 0.2),
                           ("bonsai-mlx-2", "Q2_0", 0.2), ("bitnet-large", "TQ2_0", 0.2),
                           ("bitnet-large", "TQ1_0", 0.2), ("llama3-packed", "TQ2_0", 0.2),
                           ("falcon-e", "Q2_0", 0.2)):
    file = path(f"{family}.{form}.gguf")
    must("convert", folder(family), file, "--to", form)
    tokens, found = predictions(file)
    model = forward.Model(folder(family))
    model.halves = False
    reference = log_softmax(model.logits(tokens))
    first = CONTEXT // 2
    reference = reference[first:first + len(found)]
    # What lies far below is cut off at 16 in the file.
    there = reference > reference.max(-1, keepdims=True) - 12
    error = np.abs(found - reference)[there].max()
    print(f"{family:18} {form:6} {len(found)} positions, largest difference {error:.1e}")
    assert len(found) >= first - 1 and error < most, (family, form, error)

# Its graph has squared ReLU, which llama.cpp does not compute: it must not load.
must("convert", folder("bitnet-2b-packed"), path("b158.gguf"), "--to", "TQ2_0")
done = subprocess.run([os.path.join(PROGRAMS, "llama-bench"), "-m",
                       path("b158.gguf"), "-p", "1", "-n", "1"], capture_output=True, text=True)
assert done.returncode != 0 and "failed to load model" in done.stderr, done.stderr
