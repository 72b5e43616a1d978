# SPDX-License-Identifier: MIT
"""Builds a wheel as pip would, unpacks it and uses it with the library that is inside of it.
    in_a_wheel.py FOLDER_OF_THE_MODULE"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

try:
    import numpy  # noqa: F401
    import setuptools  # noqa: F401
    import wheel  # noqa: F401
except ImportError as error:
    print(f"skipped: {error} (Debian: python3-numpy python3-setuptools python3-wheel)")
    sys.exit(4)

with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    source = shutil.copytree(sys.argv[1], folder / "source",
                             ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    build = ("import sys; from setuptools import build_meta; "
             "print(build_meta.build_wheel(sys.argv[1]))")
    made = subprocess.run([sys.executable, "-c", build, folder], cwd=source, check=True,
                          capture_output=True, text=True).stdout.split()[-1]
    print(made)
    assert made.startswith("trilobit-0.1.0-py3-none-linux_"), made
    with zipfile.ZipFile(folder / made) as archive:
        archive.extractall(folder / "site")
    environment = dict(os.environ, PYTHONPATH=str(folder / "site"))
    del environment["TRILOBIT_LIBRARY"]
    use = ("import numpy, trilobit; "
           "w = trilobit.pack(numpy.eye(64, dtype=numpy.float32)); "
           "x = numpy.arange(64, dtype=numpy.float32); "
           "assert abs(trilobit.matmul(x, w) - x).max() < 0.3; "
           "print(trilobit.__file__, open('/proc/self/maps').read().count('site/trilobit/libtri'))")
    said = subprocess.run([sys.executable, "-c", use], env=environment, cwd=folder, check=True,
                          capture_output=True, text=True).stdout.split()
    print(*said)
    assert said[0].startswith(str(folder)) and int(said[1]) > 0
