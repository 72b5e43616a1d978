# SPDX-License-Identifier: MIT
"""Each family's graph: small random models, which the reference makes, have the logits of its float64
forward pass within a float's error, whatever the type of the weights, at once or token by token."""
import itertools
import json
import os
import sys

sys.path.insert(0, os.path.join(os.environ["TRILOBIT_SOURCE_DIR"], "tests", "examples", "huggingface"))
from common import must, np, path  # noqa: E402
import families  # noqa: E402
import graph  # noqa: E402

# Types of the linear layers, each with types of embedding and head, or with a rule by which
# activations are rounded, which otherwise is BitNet's.
ALL_RULES = ("token", "q8_0", "q8_k", "float")
FORMS = {"llama": {"F32": ("F32",), "I2_S": ("F16", *ALL_RULES), "Q2_0": ALL_RULES},
         "bitnet": {"I2_S": ("F32", *ALL_RULES)},
         "bitnet-b1.58": {"TQ2_0": ("F16", *ALL_RULES)},
         "qwen2": {"F32": ("F32",), "I2_S": ("F16",), "TQ2_0": ("F32", "q8_k")},
         "qwen3": {"F32": ("F32",), "I2_S": ("F16",), "Q1_0": ("F16", "Q1_0", *ALL_RULES),
                   "Q2_0": ("F32", "Q2_0", "q8_0")},
         "qwen3-rotated": {"F32": ("F32",), "TQ2_0": ("F16", *ALL_RULES), "Q1_0": ("Q1_0", "q8_0")},
         "qwen3-rotated-tied": {"F32": ("F32",), "Q2_0": ("F16", "Q2_0", "float")},
         "minicpm": {"F32": ("F32",), "TQ2_0": ("F16", *ALL_RULES)},
         "minicpm-longrope": {"F32": ("F32",), "I2_S": ("F16",)},
         "maple": {"F32": ("F32",), "F16": ("F32",), "TQ2_0": ("F16", *ALL_RULES), "Q2_0": ("F16",)},
         "gemma3": {"F32": ("F32",), "TQ2_0": ("F16", "float")},
         "bitnet-embedding-0.6B": {"F32": ("F32",), "I2_S": ("F16", *ALL_RULES)},
         "bitnet-embedding-270M": {"F32": ("F32",), "I2_S": ("F16", "float")}}
failures, best = [], {}


def logits(model, tokens, *more):
    text = must("logits", "-m", model, "--tokens", ",".join(map(str, tokens)), "-t", 1, *more).stdout
    rows = [part.split()[1:] for part in text.split("pos ")[1:]]
    return np.array(rows, np.float64)


def calm_tokens(model, count, margin=2e-5):
    """Texts for which no activation of the reference lies so near a rounding border that the last
    bits of a float could push it over."""
    random = np.random.default_rng(7)
    while True:
        tokens = [int(t) for t in random.integers(0, model.vocab, count)]
        model.margin = float("inf")
        wanted = model.logits(tokens)
        if model.margin > margin:
            yield tokens, wanted


def near(what, errors, most):
    """A key or value on the border between two halves may still tip an activation: of four texts one
    has none."""
    errors = [float(e) for e in errors]
    best[what] = min(errors)
    print(f"{what:62} largest difference {min(errors):.1e} of the largest logit", flush=True)
    if not min(errors) < most or not max(errors) < 0.1:
        failures.append((what, errors))


def difference(found, wanted):
    return np.abs(found - wanted).max() / np.abs(wanted).max()


def compare(family, kind, tables, rule, context):
    most = 2e-4 if rule == "float" else 2e-5
    file = path(f"{family}.{kind}.{tables}.gguf")
    if not os.path.exists(file):
        families.make(family, file, kind, tables)
    model = graph.Model(file, rule, context)
    more = ["--context", context, "--activations", rule]
    if kind in ("F32", "F16"):
        more = more[:2]
    what = f"{family} {kind}, tables {tables}, {rule}, {context} positions"
    errors = []
    for tokens, wanted in itertools.islice(calm_tokens(model, 3 + model.key("attention.sliding_window", 0)), 4):
        found = logits(file, tokens, *more)
        assert np.array_equal(found, logits(file, tokens, "--step", *more)), what
        errors.append(difference(found, wanted))
        if errors[-1] < most:
            break
    near(what, errors, most)
    if model.key("pooling_type"):
        embed(file, more, rule, context, most)


def embed(file, more, rule, context, most):
    """The vector of a text is that of its tokens, as lines and as JSON."""
    text = "the theory in a nut"
    tokens = [int(t) for t in must("tokenize", "-m", file, "-p", text).stdout.split(",")]
    model = graph.Model(file, rule, context)
    said = must("embed", "-m", file, "-p", text, "-t", 1, *more).stdout
    # One activation may be rounded otherwise.
    near("  its vector", [difference(np.array(said.split(), np.float64), model.vector(tokens))],
         most if rule == "float" else 0.05)
    listed = path("texts")
    with open(listed, "w") as out:
        out.write(f"{text}\n\nanother one\r\n{text}")
    lines = must("embed", "-m", file, "-f", listed, "-t", 1, "-b", 2, *more).stdout.split("\n")
    assert len(lines) == 4 and lines[0] == lines[2] == said.strip() and lines[3] == "", lines
    parsed = json.loads(must("embed", "-m", file, "-p", text, "--json", *more).stdout)
    assert [p["text"] for p in parsed] == [text] and parsed[0]["tokens"] == len(tokens)
    assert np.array_equal(np.float32(parsed[0]["vector"]), np.float32(said.split()))


for family in sys.argv[1:] or FORMS:
    for kind, forms in FORMS[family].items():
        tables = [f for f in forms if f not in ALL_RULES] or ["F32"]
        for form in forms:
            rule = form if form in ALL_RULES else "float" if kind in ("F32", "F16") else "token"
            for context in (32, 64) if family == "minicpm-longrope" else (64,):
                compare(family, kind, tables[0] if form in ALL_RULES else form, rule, context)

assert not failures, failures
