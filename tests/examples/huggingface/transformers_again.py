# SPDX-License-Identifier: MIT
"""What is kept of transformers is what it writes and computes, where scripts/fetch-transformers has been
(1.4 GB, so that no test fetches it)."""
import os
import subprocess
import sys

from common import SOURCE, np, path
import transformers_folder
import transformers_graphs

PYTHON = os.path.join(SOURCE, "build", "transformers", "bin", "python3")
if not os.path.exists(PYTHON):
    print("skipped: no transformers (scripts/fetch-transformers)")
    sys.exit(4)


def without_version(value):
    """Another version says so in its files; what else it writes otherwise is to be looked at."""
    if isinstance(value, dict):
        return {k: without_version(v) for k, v in value.items() if k not in (
            "transformers", "torch", "transformers_version")}
    return value


script = os.path.join(SOURCE, "tests", "reference", "transformers_goldens.py")
done = subprocess.run([PYTHON, script, path()], stderr=subprocess.PIPE, text=True)
assert done.returncode == 0, done.stderr[-4000:]
for group in (transformers_folder.GOLDENS, transformers_graphs.GOLDENS):
    again = path(os.path.basename(group))
    assert sorted(os.listdir(again)) == sorted(os.listdir(group)), os.listdir(again)
    for family in transformers_folder.families(group):
        kept, made = (transformers_folder.read(family, where) for where in (group, again))
        wanted, found = kept.pop("logits"), made.pop("logits")
        assert without_version(made) == without_version(kept), (family, made, kept)
        # Another processor may sum in another order.
        assert np.abs(found - wanted).max() < 5e-6 * np.abs(wanted).max(), family
