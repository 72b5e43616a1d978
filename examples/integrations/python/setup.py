# SPDX-License-Identifier: MIT
"""A wheel with the shared library inside, for any Python 3 of this kind of machine:

    python3 -m pip wheel --no-deps examples/integrations/python

The library is the one that the module itself would find: TRILOBIT_LIBRARY, or the release build's."""

import os
import pathlib
import shutil
import sysconfig

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # before setuptools 70.1
    from wheel.bdist_wheel import bdist_wheel


def library():
    named = os.environ.get("TRILOBIT_LIBRARY")
    if named:
        return pathlib.Path(named)
    for folder in pathlib.Path(__file__).resolve().parents:
        found = folder / "build/release/lib/libtrilobit.so"
        if found.exists():
            return found
    raise SystemExit("trilobit: build libtrilobit.so, or name it in TRILOBIT_LIBRARY")


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        shutil.copyfile(library(), pathlib.Path(self.build_lib) / "trilobit" / "libtrilobit.so")


class WithLibrary(Distribution):
    def has_ext_modules(self):  # not pure: of this kind of machine
        return True


class AnyPython(bdist_wheel):
    def get_tag(self):
        return "py3", "none", sysconfig.get_platform().replace("-", "_").replace(".", "_")


setup(distclass=WithLibrary, cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": AnyPython})
