# SPDX-License-Identifier: MIT
"""Each family's graph: small random models, which the reference makes, have the logits of its float64
forward pass within a float's error, whatever the type of the weights, at once or token by token."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TRILOBIT_SOURCE_DIR"], "tests", "examples", "huggingface"))
from common import must, np, path  # noqa: E402
import families  # noqa: E402
import graph  # noqa: E402

# Types of the linear layers, each with types of embedding and head.
FORMS = {"llama": {"F32": ("F32",), "I2_S": ("F16",)}, "bitnet": {"I2_S": ("F32",)},
         "bitnet-b1.58": {"TQ2_0": ("F16",)},
         "qwen2": {"F32": ("F32",), "I2_S": ("F16",), "TQ2_0": ("F32",)},
         "qwen3": {"F32": ("F32",), "I2_S": ("F16",), "Q1_0": ("F16", "Q1_0"), "Q2_0": ("F32", "Q2_0")}}
failures = []


def logits(model, tokens, *more):
    text = must("logits", "-m", model, "--tokens", ",".join(map(str, tokens)), "-t", 1, *more).stdout
    rows = [part.split()[1:] for part in text.split("pos ")[1:]]
    return np.array(rows, np.float64)


def calm_tokens(model, count=3, tries=300, margin=2e-4):
    """Tokens for which no activation of the reference lies so near a rounding border that the last
    bits of a float could push it over: then nothing but these last bits may differ."""
    random = np.random.default_rng(7)
    for _ in range(tries):
        tokens = [int(t) for t in random.integers(0, model.vocab, count)]
        model.margin = float("inf")
        wanted = model.logits(tokens)
        if model.margin > margin:
            return tokens, wanted
    raise AssertionError("no calm tokens")


def near(what, found, wanted, most):
    error = np.abs(found - wanted).max() / np.abs(wanted).max()
    print(f"{what:40} largest difference {error:.1e} of the largest logit")
    if not error < most:
        failures.append((what, error))


for family in sys.argv[1:] or FORMS:
    for kind, all_tables in FORMS[family].items():
        for tables in all_tables:
            file = path(f"{family}.{kind}.{tables}.gguf")
            families.make(family, file, kind, tables)
            model = graph.Model(file, "float" if kind == "F32" else "token")
            tokens, wanted = calm_tokens(model)
            # Of floats any key or value may lie on the border between two halves.
            most = 2e-4 if kind == "F32" else 2e-5
            near(f"{family} {kind}, tables {tables}", logits(file, tokens), wanted, most)
            near(f"{family} {kind}, step by step", logits(file, tokens, "--step"), wanted, most)

assert not failures, failures
