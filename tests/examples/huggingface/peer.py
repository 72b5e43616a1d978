# SPDX-License-Identifier: MIT
"""Debian's llama.cpp, which scripts/fetch-rivals gets. Enters: a GGUF file. Leaves: what it predicts.
llama-perplexity writes its log-probabilities to a file, in 16 bits over their range."""
import os
import struct
import subprocess

from common import np, path, rivals

PROGRAMS = rivals()
CONTEXT = 64


def program(name):
    return os.path.join(PROGRAMS, name)


def text_file():
    text = path("text")
    with open(text, "w") as file:
        file.write("The theory in a nutshell: another thing, then one more; on and on. 12 is 12. " * 8)
    return text


def predictions(model, context=CONTEXT):
    """Tokens of one context, and log-probabilities of what follows in its second half."""
    out = path("logits")
    done = subprocess.run(
        [program("llama-perplexity"), "-m", model, "-f", text_file(), "-c", str(context),
         "--chunks", "1", "-t", "2", "--no-warmup", "-ctk", "f32", "-ctv", "f32", "-fa", "off",
         "--kl-divergence-base", out], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr[-2000:]
    with open(out, "rb") as file:
        raw = file.read()
    assert raw[:8] == b"_logits_"
    said, vocab, chunks = struct.unpack("<Iii", raw[8:20])
    assert (said, chunks) == (context, 1), (said, chunks)
    tokens = np.frombuffer(raw, "<i4", context, 20)
    at, width = 20 + 4 * context, 2 * ((vocab + 1) // 2 + 2)
    rows = []
    while at + 2 * width <= len(raw):
        scale, least = struct.unpack("<ff", raw[at:at + 8])
        rows.append(np.frombuffer(raw, "<u2", vocab, at + 8) * scale + least)
        at += 2 * width
    return [int(t) for t in tokens], np.array(rows)


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def difference(found, logits):
    """The largest, of log-probabilities of the second half; what lies far below is cut off at 16."""
    first = len(logits) // 2
    reference = log_softmax(logits)[first:first + len(found)]
    assert len(found) >= len(logits) - first - 1
    there = reference > reference.max(-1, keepdims=True) - 12
    return np.abs(found - reference)[there].max()
