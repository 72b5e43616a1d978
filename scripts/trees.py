# SPDX-License-Identifier: MIT
"""Shared by bench-against and loops: a commit's files, quiet builds of them and of this tree."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
AGAINST = ROOT / "build/against"
DEPENDENCIES = ROOT / "build/deps/usr"  # what scripts/bootstrap unpacked, if it did
COMPILER = os.environ.get("CXX", "c++")
PROGRAM = pathlib.Path(sys.argv[0]).name


def fail(text):
    print(f"{PROGRAM}: {text}", file=sys.stderr)
    raise SystemExit(2)


def say(text):
    print(f"{PROGRAM}: {text}", file=sys.stderr, flush=True)


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            fail(f"needs {tool}, which is not there: see scripts/bootstrap")


def number(text):
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def output(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def must(log, *command):
    """Runs it; what it said is shown, and lies in the log, where it fails."""
    done = output(*command)
    log.write_text(done.stdout + done.stderr)
    if done.returncode != 0:
        lines = [l for l in log.read_text().splitlines() if not re.match(r"\[\d+/\d+\]", l)]
        print("\n".join(lines[-40:]), file=sys.stderr)
        fail(f"{' '.join(str(c) for c in command[:3])} .. failed, see {log.relative_to(ROOT)}")


def files_of(commit):
    """A folder with the commit's files."""
    found = output("git", "-C", ROOT, "rev-parse", "--verify", "--quiet", commit + "^{commit}")
    if found.returncode != 0:
        fail(f"'{commit}' is no commit of this repository")
    name = found.stdout.strip()
    folder = AGAINST / name[:12] / "source"
    if not (folder / "CMakeLists.txt").exists():
        folder.mkdir(parents=True, exist_ok=True)
        archive = subprocess.Popen(["git", "-C", ROOT, "archive", name], stdout=subprocess.PIPE)
        unpacked = subprocess.run(["tar", "-x", "-C", folder], stdin=archive.stdout)
        if archive.wait() != 0 or unpacked.returncode != 0:
            fail(f"the files of {name[:12]} could not be unpacked")
    return folder


def configure(tree, name, archs, compiler=COMPILER, more=()):
    """A folder where only the library's back ends and the benchmarks are to be built."""
    folder = (AGAINST / "here" if tree == ROOT else tree.parent) / name
    folder.mkdir(parents=True, exist_ok=True)
    say(f"building {'this tree' if tree == ROOT else tree.parent.name}")
    must(folder.with_suffix(".configure.log"), "cmake", "-S", tree, "-B", folder, "-G", "Ninja",
         "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_CXX_COMPILER={compiler}", *more,
         f"-DCMAKE_PREFIX_PATH={DEPENDENCIES}", f"-DTRILOBIT_ARCHS={';'.join(archs)}",
         "-DTRILOBIT_BUILD_TESTS=OFF", "-DTRILOBIT_BUILD_EXAMPLES=OFF")
    return folder


def build(folder, target, jobs):
    must(folder.with_suffix(".build.log"), "ninja", "-C", folder, "-j", jobs, target)
