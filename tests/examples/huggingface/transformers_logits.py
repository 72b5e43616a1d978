# SPDX-License-Identifier: MIT
"""Folders that Hugging Face's transformers wrote -> GGUF and containers. Their logits are those that
transformers computed of them (tests/reference/transformers_goldens.py), their texts have its tokens."""
from common import bits, logits, must, np, path
import transformers_folder

# Both sum floats of single precision, in another order: each is within 1.4e-6 of the float64 reference.
# Tokens are such that no activation lies near enough a rounding border for that to push it over, and
# keys and values are kept as floats, as there.
MOST = 5e-6
ternary = ("I2_S", "packed", "packed:ternary_base3", "TQ2_0")
FORMS = {"llama": ("BF16", "F32"), "trilm": ("F16", "F32"), "bonsai": ("F16", "F32")}
# TriLM and Bonsai are defined with activations that are floats.
FLOAT = {"trilm": ("TQ2_0",), "bonsai": ("Q2_0",)}
failures = []
families = transformers_folder.families()
assert len(families) == 10, families

for family in families:
    golden = transformers_folder.read(family)
    folder = path(family)
    transformers_folder.write(golden, folder)
    wanted = golden["logits"]
    whole = []
    for form in FORMS.get(family, ternary) + FLOAT.get(family, ()):
        file = path(f"{family}.{form}.gguf".replace(":", "-"))
        must("convert", folder, file, "--to", form)
        rule = ("--activations", "float") if form in FLOAT.get(family, ()) else ()
        found = logits(file, golden["tokens"], "--cache", "f32", *rule)
        error = np.abs(found - wanted).max() / np.abs(wanted).max()
        print(f"{family:18} {form:24} largest difference {error:.1e} of the largest logit")
        if not error < MOST:
            failures.append((family, form, error))
        if form.startswith(("I2_S", "packed")):
            whole.append(bits(found))
    assert len(set(whole)) <= 1, family
    said = must("tokenize", "-m", file, "-p", golden["text"]).stdout
    assert [int(i) for i in said.split(",")] == golden["ids"], (family, said, golden["ids"])

assert not failures, failures
