# SPDX-License-Identifier: MIT
"""Tests of folders. Enters: the program of this build. Leaves: what it does with folders that the
reference makes, and the logits that it prints."""
import fcntl
import os
import struct
import subprocess
import sys
import tempfile

SOURCE = os.environ["TRILOBIT_SOURCE_DIR"]
sys.path.insert(0, os.path.join(SOURCE, "tests", "reference"))

try:
    import numpy as np
except ImportError:
    print("skipped: no NumPy (Debian's python3-numpy)")
    sys.exit(4)

import forward  # noqa: E402
import make_folder  # noqa: E402
from forward import calm_tokens  # noqa: E402, F401

PROGRAM = os.environ["TRILOBIT_PROGRAM"]
scratch = tempfile.TemporaryDirectory()


def path(*names):
    return os.path.join(scratch.name, *names)


def run(*arguments, **more):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, **more)


def must(*arguments):
    done = run(*arguments)
    assert done.returncode == 0, (arguments, done.stderr)
    return done


def refused(*arguments):
    """The one line."""
    done = run(*arguments)
    assert done.returncode == 1, (arguments, done.returncode, done.stdout, done.stderr)
    assert done.stderr.startswith("trilobit: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def logits(model, tokens, *more):
    text = must("logits", "-m", model, "--tokens", ",".join(map(str, tokens)), "-t", 1, *more).stdout
    rows = [part.split()[1:] for part in text.split("pos ")[1:]]
    return np.array(rows, np.float64).astype(np.float32)


def fetch(what):
    """Runs scripts/fetch-WHAT; where that fails the test ends as skipped. Returns build/WHAT. Tests of
    one build may all ask at once."""
    os.makedirs(os.path.join(SOURCE, "build"), exist_ok=True)
    with open(os.path.join(SOURCE, "build", f".{what}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetched = subprocess.run([os.path.join(SOURCE, "scripts", f"fetch-{what}")],
                                 capture_output=True, text=True)
    if fetched.returncode != 0:
        print(f"skipped: {what} cannot be had:", fetched.stderr.strip())
        sys.exit(4)
    return os.path.join(SOURCE, "build", what)


def rivals():
    """Where the programs of Debian's llama.cpp are."""
    return os.path.join(fetch("rivals"), "bin")


def folder(family, seed=1):
    where = path(f"{family}-{seed}")
    if not os.path.exists(where):
        make_folder.make(family, where, seed)
    return where


def bits(values):
    return np.ascontiguousarray(values, np.float32).tobytes()
