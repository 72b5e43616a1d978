# SPDX-License-Identifier: MIT
"""The functions of trilobit.h as ctypes knows them, and where the shared library is found.

The library is, in this order: the file that the environment variable TRILOBIT_LIBRARY names; one
beside this module, as in a wheel; the one of the repository's release build; the system's.
ctypes lets other Python threads run while a function of it works."""

import ctypes
import os
import pathlib
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t, c_void_p

ABI = 1


class Status(ctypes.Structure):
    _fields_ = [("code", c_int32), ("text", c_char_p)]


class _Sized(ctypes.Structure):
    """A struct whose first field is its size."""

    def __init__(self, **fields):
        super().__init__(struct_size=ctypes.sizeof(self), **fields)


class ContextOptions(_Sized):
    _fields_ = [("struct_size", c_size_t), ("arch", c_char_p), ("threads", c_int32),
                ("reserved", c_int32)]


PROGRESS = CFUNCTYPE(None, c_void_p, c_double)


class PackOptions(_Sized):
    _fields_ = [("struct_size", c_size_t), ("scale_per", c_int32), ("group_cols", c_int32),
                ("scale_type", c_int32), ("one_scale", c_int32), ("memory", c_void_p),
                ("memory_bytes", c_size_t), ("progress", PROGRESS), ("progress_context", c_void_p)]


class MatrixInfo(_Sized):
    _fields_ = [("struct_size", c_size_t), ("rows", c_int64), ("cols", c_int64),
                ("layout", c_int32), ("scale_per", c_int32), ("group_cols", c_int32),
                ("scale_type", c_int32), ("image", c_void_p), ("image_bytes", c_size_t)]


class MatmulOptions(_Sized):
    _fields_ = [("struct_size", c_size_t), ("activation", c_int32), ("activation_group", c_int32),
                ("kernel", c_int32), ("reserved", c_int32)]


# Arguments by function: h a handle, H a place for one, p an array, s a string, i int32, l int64,
# z size_t; and results: none is Status.
_FUNCTIONS = {
    "context_new": [POINTER(ContextOptions), "H"],
    "context_free": ["h", None],
    "context_arch": ["h", c_char_p],
    "pack_floats": ["h", "i", "p", "l", "l", "l", POINTER(PackOptions), "H"],
    "pack_values": ["h", "i", "p", "l", "l", "l", "p", POINTER(PackOptions), "H"],
    "pack_blocks": ["h", "i", "i", "p", "z", "l", "l", POINTER(PackOptions), "H"],
    "map": ["s", "i", "H"],
    "view": ["p", "z", "i", "H"],
    "save": ["h", "s"],
    "matrix_free": ["h", None],
    "matrix_get_info": ["h", POINTER(MatrixInfo)],
    "matmul": ["h", "h", "p", "l", "l", "p", "l", POINTER(MatmulOptions)],
}
_TYPES = {"h": c_void_p, "H": POINTER(c_void_p), "p": c_void_p, "s": c_char_p, "i": c_int32,
          "l": c_int64, "z": c_size_t}


def _paths():
    named = os.environ.get("TRILOBIT_LIBRARY")
    if named:
        yield named
        return
    here = pathlib.Path(__file__).resolve().parent
    for folder in [here] + [up / "build/release/lib" for up in here.parents]:
        if (folder / "libtrilobit.so").exists():
            yield str(folder / "libtrilobit.so")
            return
    yield f"libtrilobit.so.{ABI}"


def _load():
    path = next(_paths())
    try:
        library = ctypes.CDLL(path)
        library.trilobit_abi_version
    except (OSError, AttributeError) as error:
        raise ImportError(f"trilobit: {path} is not to be had ({error}); name the library in "
                          "TRILOBIT_LIBRARY") from None
    if library.trilobit_abi_version() != ABI:
        raise ImportError(f"trilobit: {path} has ABI {library.trilobit_abi_version()}, "
                          f"this module needs {ABI}")
    for name, types in _FUNCTIONS.items():
        function = getattr(library, "trilobit_" + name)
        function.restype = Status
        if types[-1] in (None, c_char_p):
            function.restype = types[-1]
            types = types[:-1]
        function.argtypes = [_TYPES.get(t, t) if isinstance(t, str) else t for t in types]
    library.trilobit_version.restype = c_char_p
    for name in ("layout", "activation", "kernel", "arch"):
        function = getattr(library, f"trilobit_{name}_name")
        function.restype, function.argtypes = c_char_p, [c_int32]
    return library


library = _load()


def names(kind):
    """Names of one kind, "layout", "activation", "kernel" or "arch", and their ids."""
    name_of = getattr(library, f"trilobit_{kind}_name")
    found = {}
    for i in range(256):
        name = name_of(i)
        if name is not None:
            found[name.decode()] = i
    return found
