# SPDX-License-Identifier: MIT
"""Folders of each family -> GGUF and containers of packed images. Files of the same weights have the
same logits, to the bit; they are those of the reference within a float's error. What the runner has
no graph for is converted, and refused when it is run."""
import os

import numpy as np

from common import bits, calm_tokens, folder, forward, logits, must, path, refused, run

ternary = ("bitnet-2b-packed", "bitnet-2b-masters", "llama3-packed", "falcon-e", "falcon3",
           "bitnet-large", "qwen2")
failures = []


def near(family, form, found, wanted, most=2e-5):
    error = np.abs(found - wanted).max() / np.abs(wanted).max()
    print(f"{family:18} {form:24} largest difference {error:.1e} of the largest logit")
    if not error < most:
        failures.append((family, form, error))


def convert(family, form):
    out = path(f"{family}.{form}.gguf")
    must("convert", folder(family), out, "--to", form)
    return out


for family in ternary:
    model = forward.Model(folder(family))
    tokens = calm_tokens(model)
    wanted = model.logits(tokens)
    whole = {form: logits(convert(family, form), tokens)
             for form in ("I2_S", "packed", "packed:ternary_base3", "packed:ternary_planes",
                          "packed:quaternary_2bit", "IQ2_BN")}
    for form, found in whole.items():
        near(family, form, found, wanted)
        assert bits(found) == bits(whole["I2_S"]), (family, form)
    # A scale that no half is lies in a tensor of its own, and is multiplied by last.
    for form in ("TQ1_0", "TQ2_0", "Q2_0", "PTQ1_0"):
        near(family, form, logits(convert(family, form), tokens), wanted)
    # From one file to the next, and back: the same bytes.
    first = path(f"{family}.I2_S.gguf")
    halves = family.startswith("bitnet") or family == "qwen2"  # scales that TQ2_0 holds in its blocks
    for step in ("packed:ternary_base3", "F32", *(("TQ2_0",) if halves else ()), "packed", "I2_S"):
        last = path("chain." + step.replace(":", "-"))
        must("convert", first, "-o", last, "--to", step)
        first = last
    info = [must("info", "-m", p, "--tensors").stdout.split("\n", 1)[1]
            for p in (path(f"{family}.I2_S.gguf"), last)]
    assert bits(logits(last, tokens)) == bits(whole["I2_S"]), family
    assert info[0] == info[1], family

# Widths that are no whole blocks of any type with blocks: images take them, and numbers one by one.
for family, forms, no in (("bitnet-xl", ("packed", "packed:ternary_base3", "packed:ternary_planes", "F16"),
                           ("I2_S", "TQ2_0", "TQ1_0", "Q2_0", "IQ2_BN")),
                          ("bitnet-3b", ("packed", "packed:ternary_base3", "packed:ternary_planes"),
                           ("TQ2_0", "TQ1_0", "Q2_0"))):
    model = forward.Model(folder(family))
    tokens = calm_tokens(model, margin=3e-5)
    wanted = model.logits(tokens)
    whole = {form: logits(convert(family, form), tokens) for form in forms}
    for form, found in whole.items():
        if form != "F16":
            near(family, form, found, wanted)
            assert bits(found) == bits(whole["packed"]), (family, form)
        else:
            near(family, form, found, model.logits(tokens, int8=False), 2e-3)  # scales become halves
    for form in no:
        said = refused("convert", folder(family), path("never"), "--to", form)
        assert "ffn_down" in said or "attn_q" in said, said

# Several scales in a matrix: kept where the type has room for them, else refused by name.
model = forward.Model(folder("trilm"))
tokens = [3, 80, 200]
model.margin = float("inf")
found = {form: logits(convert("trilm", form), tokens) for form in ("TQ2_0", "packed", "IQ2_BN")}
for form in found:
    assert bits(found[form]) == bits(found["packed"]), form
wanted = model.logits(tokens, int8=True)
if model.margin > 2e-4:
    near("trilm", "packed", found["packed"], wanted)
else:  # one step of an activation may differ
    assert np.abs(found["packed"] - wanted).max() < 0.02 * np.abs(wanted).max()
near("trilm", "F16", logits(convert("trilm", "F16"), tokens), model.logits(tokens, int8=False), 2e-4)
# Its own rule: activations stay floats.
near("trilm", "TQ2_0, float", logits(path("trilm.TQ2_0.gguf"), tokens, "--activations", "float"),
     model.logits(tokens, int8=False), 2e-4)
assert "is packed" in refused("logits", "-m", path("trilm.packed.gguf"), "--tokens", "1",
                              "--activations", "float")
for flags in ([], ["--ternarize"]):
    said = refused("convert", folder("trilm"), path("never"), "--to", "I2_S", *flags)
    assert "blk.0.attn_q.weight" in said and "several scales" in said, said

# GSQ's levels -2, -1, 0, 1: those of Q2_0 the other way round.
model = forward.Model(folder("gsq"))
near("gsq", "F16", logits(convert("gsq", "F16"), tokens), model.logits(tokens, int8=False))
gsq = {form: logits(convert("gsq", form), tokens) for form in ("Q2_0", "PQ2_0", "packed")}
model.margin = float("inf")
wanted = model.logits(tokens, int8=True)
assert bits(gsq["PQ2_0"]) == bits(gsq["packed"])  # Q2_0 sums 64 columns at a time
for form, found in gsq.items():
    assert np.abs(found - wanted).max() < (2e-5 if model.margin > 2e-4 else 0.02) * np.abs(wanted).max()
must("convert", path("gsq.Q2_0.gguf"), path("gsq.back"), "--to", "F32")
must("convert", folder("gsq"), path("gsq.F32"), "--to", "F32")
assert bits(logits(path("gsq.back"), tokens)) == bits(logits(path("gsq.F32"), tokens))

# MiniCPM's scales, and LongRoPE with either set of divisors.
for context in (256, 512):
    model = forward.Model(folder("minicpm"))
    model.context = context
    tokens = calm_tokens(model, int8=True)
    near("minicpm", f"TQ2_0, {context}", logits(convert("minicpm", "TQ2_0"), tokens, "-c", context),
         model.logits(tokens, int8=True))
    near("minicpm", f"F16, {context}", logits(convert("minicpm", "F16"), tokens, "-c", context),
         model.logits(tokens, int8=False), 2e-4)
tokens = [3, 80, 200]

# Ordinary weights, with Llama 3.1's RoPE; ternary only when that is asked for, and then it is told.
model = forward.Model(folder("llama"))
for form in ("BF16", "F32"):
    near("llama", form, logits(convert("llama", form), tokens), model.logits(tokens))
for form in ("TQ2_0", "I2_S", "packed"):
    said = refused("convert", folder("llama"), path("never"), "--to", form)
    assert "blk.0.attn_q.weight" in said and "--ternarize" in said, said
assert "would round" in refused("convert", folder("llama"), path("never"), "--to", "Q8_0")
told = must("convert", folder("llama"), path("llama.t.gguf"), "--to", "I2_S", "--ternarize").stdout
lines = told.strip().split("\n")
assert len(lines) == 14, told
weights = model.tensors["model.layers.0.self_attn.v_proj.weight"][1].astype(np.float64)
rounded = forward.absmean(weights.astype(np.float32), "F32")
error = np.sqrt(((weights - rounded) ** 2).sum() / (weights ** 2).sum())
told = [line for line in lines if line.startswith("blk.0.attn_v.weight: ternarised")]
assert len(told) == 1 and abs(float(told[0].rsplit(" ", 1)[1]) - error) < 1e-3 * error, (told, error)



# Graphs whose keys, values, windows and experts tip an activation more often: of some texts one has
# nothing near a border.
def near_one(family, form, model, count, most, *more, int8=None):
    errors = []
    random = np.random.default_rng(7)
    file = path(f"{family}.{form}.gguf")
    if not os.path.exists(file):
        convert(family, form)
    while len(errors) < 6 and (not errors or min(errors) >= most):
        text = [int(t) for t in random.integers(0, model.config["vocab_size"], count)]
        model.margin = float("inf")
        wanted = model.logits(text, int8)
        if int8 is False or model.margin > 2e-5:
            errors.append(float(np.abs(logits(file, text, *more) - wanted).max() / np.abs(wanted).max()))
    print(f"{family:18} {form:24} largest difference {min(errors):.1e} of the largest logit")
    if not min(errors) < most or not max(errors) < 0.1:
        failures.append((family, form, errors))


# Maple's experts, each row with a scale of its own, are one tensor of each kind in GGUF.
model = forward.Model(folder("maple"))
near_one("maple", "F32", model, 6, 2e-4, int8=False)
near_one("maple", "TQ2_0", model, 6, 2e-5, int8=True)
whole = {form: logits(convert("maple", form), [5, 80, 200, 7, 9, 100])
         for form in ("TQ2_0", "IQ2_BN", "PQ2_0", "packed", "packed:ternary_base3",
                      "packed:quaternary_2bit")}
for form, found in whole.items():
    assert bits(found) == bits(whole["packed"]), form
first, shown = path("maple.TQ2_0.gguf"), []
for step in ("packed", "F32", "packed:ternary_base3", "TQ2_0"):
    last = path("maple.chain." + step.replace(":", "-"))
    must("convert", first, "-o", last, "--to", step)
    first = last
for file in (path("maple.TQ2_0.gguf"), path("maple.chain.packed"), last):
    shown.append(must("info", "-m", file, "--tensors").stdout)
assert shown[0].split("\n", 1)[1] == shown[2].split("\n", 1)[1]
assert "256 x 256 x 8" in shown[1] and "ternary_2bit" in shown[1], shown[1]
for source in (folder("maple"), path("maple.TQ2_0.gguf"), path("maple.chain.packed")):
    said = refused("convert", source, path("never"), "--to", "I2_S")
    assert "blk.0.attn_q.weight" in said and "several scales" in said, said

# Masters of experts are rounded each by its own mean, which is a float: of halves the type is refused.
model = forward.Model(folder("maple-masters"))
for name, (_, w) in model.tensors.items():
    if name.endswith("_proj.weight"):
        model.tensors[name] = ("F32", forward.absmean(w, "F32").astype(np.float32))
for form in ("IQ2_BN", "packed"):
    must("convert", folder("maple-masters"), path(f"maple-masters.{form}.gguf"), "--to", form, "--ternarize")
    near_one("maple-masters", form, model, 6, 2e-5, int8=True)
must("convert", path("maple-masters.packed.gguf"), path("maple-masters.back"), "--to", "IQ2_BN")
text = [5, 80, 20, 7, 9, 100]
assert bits(logits(path("maple-masters.back"), text)) == bits(logits(path("maple-masters.IQ2_BN.gguf"), text))
for form, why in (("I2_S", "I2_S: its 8 matrices have several scales"), ("TQ2_0", "TQ2_0 has halves for scales")):
    said = refused("convert", folder("maple-masters"), path("never"), "--to", form, "--ternarize")
    assert "blk.0.ffn_gate_exps.weight: " + why in said, said

# bitnet-embedding's: a norm before each projection, masters, and no head but the embedding.
for family, count, pooling in (("embedding-qwen", 4, "mean"), ("embedding-gemma", 6, "last")):
    model = forward.Model(folder(family))
    near_one(family, "I2_S", model, count, 2e-5)
    near_one(family, "F32", model, count, 2e-4, int8=False)
    text = [5, 80, 20, 7, 9, 100]
    assert bits(logits(convert(family, "packed"), text)) == bits(logits(convert(family, "I2_S"), text))
    # The end is added as the folder says, and the vector is that of its tokens.
    ids = [int(t) for t in must("tokenize", "-m", path(f"{family}.I2_S.gguf"), "-p", "the theory").stdout.split(",")]
    end = {"embedding-qwen": "<|endoftext|>", "embedding-gemma": "<eos>"}[family]
    assert must("tokenize", "-m", path(f"{family}.I2_S.gguf"), "-p", end).stdout.split(",")[-1].strip() == str(ids[-1])
    said = must("embed", "-m", path(f"{family}.F32.gguf"), "-p", "the theory", "-t", 1).stdout.split()
    wanted = model.vector(ids, pooling, int8=False)
    error = np.abs(np.array(said, np.float64) - wanted).max() / np.abs(wanted).max()
    print(f"{family:18} its vector               largest difference {error:.1e}")
    if not error < 2e-4:
        failures.append((family, "vector", error))

# A dummy of the same config has the same tensors, but for those that no config tells of.
for family in ("maple", "embedding-gemma"):
    must("make-dummy", "--config", os.path.join(folder(family), "config.json"), "-o", path("dummy"), "--type", "I2_S")
    said = [{tuple(line.split()[0:1] + line.split()[2:-2])
             for line in must("info", "-m", file, "--tensors").stdout.split("\n")
             if line.startswith(("  blk.", "  output")) and "norm_in" not in line}
            for file in (path("dummy"), path(f"{family}.F32.gguf"))]
    assert said[0] == said[1] and len(said[0]) > 20, sorted(said[0] ^ said[1])
    assert np.isfinite(logits(path("dummy"), text)).all()

# Qwen3 with a scale for each 128 weights. TQ2_0 has one for 256. Of floats any key or value may lie
# on the border between two halves, which these are kept as.
for family, forms in (("bonsai", ("F16", "F32")), ("bonsai-mlx-1", ("F16",)), ("bonsai-mlx-2", ("F16",))):
    model = forward.Model(folder(family))
    for form in forms:
        near(family, form, logits(convert(family, form), tokens), model.logits(tokens, int8=False),
             2e-4)
for family, forms in (("bonsai", ("Q2_0", "PQ2_0", "PTQ1_0", "packed")), ("bonsai-mlx-1", ("Q1_0", "packed")),
                      ("bonsai-mlx-2", ("Q2_0", "PTQ1_0", "packed"))):
    model = forward.Model(folder(family))
    calm = calm_tokens(model, int8=True)
    wanted = model.logits(calm, int8=True)
    whole = {form: logits(convert(family, form), calm) for form in forms}
    for form, found in whole.items():
        near(family, form, found, wanted)
        assert form == "Q2_0" or bits(found) == bits(whole["packed"]), (family, form)
    assert "several scales" in refused("convert", folder(family), path("never"), "--to", "TQ2_0")

assert not failures, failures
