# SPDX-License-Identifier: MIT
"""Products with weights of one or two bits, y = x w^T, on NumPy arrays.

    w = trilobit.pack(weights)      # float32 (rows, cols) -> packed, 2 bits a weight
    y = trilobit.matmul(x, w)       # float32 (..., cols) -> float32 (..., rows)
    w.save("w.trilobit"); w = trilobit.load("w.trilobit")

float32 and int8 arrays whose rows are contiguous are used where they lie; others are copied once.
Other Python threads run meanwhile. What cannot be done raises trilobit.Error with one sentence."""

import ctypes
import operator
import os
import weakref

import numpy

from . import _library
from ._library import library as _c

__all__ = ["ACTIVATIONS", "ARCHS", "KERNELS", "LAYOUTS", "Context", "Error", "Matrix", "load",
           "matmul", "pack", "pack_blocks", "view", "version"]

LAYOUTS = _library.names("layout")
ACTIVATIONS = _library.names("activation")
KERNELS = _library.names("kernel")
ARCHS = _library.names("arch")  # that this machine runs, weakest first
_BLOCKS = {"tq1_0": 34, "tq2_0": 35, "q1_0": 41, "q2_0": 42}
_VERIFY = {"everything": 0, "header": 1}
_SCALE_TYPES = {"f32": 0, "f16": 1}


def version():
    """Of the library: "0.1.0"."""
    return _c.trilobit_version().decode()


class Error(ValueError):
    """`code`: the number of trilobit.h, 1 shape, 2 value, 3 format, 4 memory, 5 unsupported."""

    def __init__(self, text, code):
        super().__init__(text)
        self.code = code


def _check(status):
    if status.code != 0:
        raise Error(status.text.decode(), status.code)


def _id(names, name, what):
    try:
        return names[name]
    except (KeyError, TypeError):
        raise Error(f"There is no {what} {name!r}; there are: {', '.join(names)}.", 5) from None


def _new(function, *arguments):
    handle = ctypes.c_void_p()
    _check(function(*arguments, ctypes.byref(handle)))
    return handle


def _size(number, what):
    """An int64; others would lose bits on their way through ctypes."""
    number = operator.index(number)
    if not -2**63 <= number < 2**63:
        raise Error(f"{what} is too large.", 1)
    return number


class Context:
    """A back end and threads, for as many products as you like. Threads may share one, and then
    take turns.

    threads: the calling one among them; None: as many as this process may use.
    arch: one of ARCHS; None: what TRILOBIT_ARCH names in the environment, or the best.
    Error: more than 1024 threads, a back end that is not there."""

    def __init__(self, threads=None, arch=None):
        if threads is None:
            threads = min(len(os.sched_getaffinity(0)), 1024)
        threads = operator.index(threads)
        if not 1 <= threads <= 1024:
            raise Error("A context has 1 to 1024 threads.", 2)
        options = _library.ContextOptions(threads=threads)
        if arch is not None:
            options.arch = str(arch).encode()
        self._handle = _new(_c.trilobit_context_new, ctypes.byref(options))
        weakref.finalize(self, _c.trilobit_context_free, self._handle)

    @property
    def arch(self):
        return _c.trilobit_context_arch(self._handle).decode()

    def __repr__(self):
        return f"<trilobit.Context {self.arch}>"


_default = None


def _context(given):
    global _default
    if given is not None:
        if not isinstance(given, Context):
            raise TypeError("context is a trilobit.Context")
        return given
    if _default is None:
        _default = Context()
    return _default


def _forget_default():
    global _default
    _default = None


# A child has none of the threads.
os.register_at_fork(after_in_child=_forget_default)


def _rows_in_place(array, dtype):
    """The array as (rows, cols) of `dtype` with contiguous rows, itself if it is that already; and
    its stride in elements."""
    array = numpy.asarray(array, dtype=dtype)
    if array.ndim != 2:
        raise Error(f"A matrix has two dimensions, this has {array.ndim}.", 1)
    size = array.itemsize
    row, column = array.strides
    if array.size and not ((array.shape[1] == 1 or column == size) and row % size == 0 and
                           row >= size * array.shape[1] and array.flags.aligned):
        array = numpy.ascontiguousarray(array)
        row = array.strides[0]
    if array.shape[0] <= 1 or array.size == 0:
        row = 0
    return array, row // size


class Matrix:
    """Packed weights (rows, cols), which never change. See pack, pack_blocks, load, view."""

    def __init__(self, handle, keep=None):
        self._handle = handle
        self._keep = keep  # memory that the handle points to
        weakref.finalize(self, _c.trilobit_matrix_free, handle)
        self._info = _library.MatrixInfo()
        _check(_c.trilobit_matrix_get_info(handle, ctypes.byref(self._info)))

    @property
    def shape(self):
        """(rows, cols)"""
        return self._info.rows, self._info.cols

    @property
    def layout(self):
        """One of LAYOUTS, or None: of somebody else's."""
        return next((n for n, i in LAYOUTS.items() if i == self._info.layout), None)

    @property
    def nbytes(self):
        """Bytes of the image, all that a product reads."""
        return self._info.image_bytes

    def __bytes__(self):
        """The image: what save() writes and view() takes."""
        return ctypes.string_at(self._info.image, self._info.image_bytes)

    def save(self, path):
        """Writes the image beside `path` and renames it into place. Error: it cannot be written."""
        _check(_c.trilobit_save(self._handle, os.fsencode(path)))

    def __repr__(self):
        rows, cols = self.shape
        return f"<trilobit.Matrix {self.layout} ({rows}, {cols}), {self.nbytes} bytes>"


def _pack_options(scale, scale_type):
    options = _library.PackOptions()
    options.scale_type = _id(_SCALE_TYPES, scale_type, "scale_type")
    if scale == "row":
        options.scale_per = 1
    elif isinstance(scale, str) and scale != "tensor":
        raise Error("Scales are for the \"tensor\", each \"row\", or a number of columns.", 1)
    elif scale != "tensor":
        options.scale_per = 2
        options.group_cols = min(max(operator.index(scale), -1), 2**31 - 1)
    return options


def pack(weights, layout="ternary_2bit", *, scales=None, scale="tensor", scale_type="f32",
         context=None):
    """Packs a matrix (rows, cols).

    weights: float32, rounded to the layout's values; or int8, which are such values already, beside
        `scales`: a float for the tensor, (rows,), or (rows, groups of a row).
    layout: one of LAYOUTS.
    scale: which weights share one: "tensor", "row", or 32, 64, 128 or 256 columns of a row.
    scale_type: "f32" or "f16", as scales are stored.
    Error: NaN, infinity, int8 values that the layout has not, shapes that do not fit."""
    context = _context(context)
    options = _pack_options(scale, scale_type)
    layout = _id(LAYOUTS, layout, "layout")
    if scales is None:
        if getattr(weights, "dtype", None) == numpy.int8:
            raise Error("int8 weights are values already: they need scales.", 2)
        weights, stride = _rows_in_place(weights, numpy.float32)
        return Matrix(_new(_c.trilobit_pack_floats, context._handle, layout, weights.ctypes.data,
                           *weights.shape, stride, ctypes.byref(options)))
    if getattr(weights, "dtype", None) != numpy.int8:
        raise Error("With scales, weights are int8 values.", 2)
    values, stride = _rows_in_place(weights, numpy.int8)
    scales = numpy.ascontiguousarray(scales, dtype=numpy.float32)
    rows, cols = values.shape
    wanted = {0: (), 1: (rows,), 2: (rows, -(-cols // max(options.group_cols, 1)))}
    if scales.shape != wanted[options.scale_per]:
        if scales.size != 1 or options.scale_per != 0:
            raise Error(f"Scales are {wanted[options.scale_per]}, these {scales.shape}.", 1)
    return Matrix(_new(_c.trilobit_pack_values, context._handle, layout, values.ctypes.data, rows,
                       cols, stride, scales.ctypes.data, ctypes.byref(options)))


def _bytes_in_place(buffer):
    array = numpy.frombuffer(buffer, dtype=numpy.uint8)
    return array, array.ctypes.data, array.nbytes


def pack_blocks(blocks, type, rows, cols, layout="ternary_2bit", *, one_scale=False, context=None):
    """Packs a tensor of ggml's (rows, cols), rounding nothing.

    blocks: anything with a buffer, rows of whole blocks.
    type: "tq1_0", "tq2_0", "q1_0" or "q2_0".
    one_scale: True keeps one scale where all blocks have the same, as BitNet's have.
    Error: fewer bytes than that, values that the layout has not, scales that are not finite."""
    context = _context(context)
    options = _library.PackOptions(one_scale=bool(one_scale))
    array, data, size = _bytes_in_place(blocks)
    return Matrix(_new(_c.trilobit_pack_blocks, context._handle, _id(LAYOUTS, layout, "layout"),
                       _id(_BLOCKS, type, "type of blocks"), data, size,
                       _size(rows, "The number of rows"), _size(cols, "The number of columns"),
                       ctypes.byref(options)))


def load(path, verify="everything"):
    """Maps a file that Matrix.save wrote, read-only. verify: "header" reads 64 bytes and the scales
    instead of all. Error: no file, or no packed matrix."""
    return Matrix(_new(_c.trilobit_map, os.fsencode(path), _id(_VERIFY, verify, "verification")))


def view(image, verify="everything"):
    """The matrix in a buffer that starts on a multiple of 64 bytes, which is not copied and must not
    change. Error: the buffer holds no packed matrix."""
    array, data, size = _bytes_in_place(image)
    return Matrix(_new(_c.trilobit_view, data, size, _id(_VERIFY, verify, "verification")), array)


def matmul(x, w, out=None, *, activation="int8", group=0, kernel="automatic", context=None):
    """y = x w^T: x (..., cols of w), y (..., rows of w), float32.

    out: where y goes, float32 of y's shape with contiguous rows; it may overlap x.
    activation: what x is rounded to, one of ACTIVATIONS, with a scale for each token (one index of
        all but the last axis), or for each `group` of 32, 64, 128 or 256 columns of it.
    kernel: one of KERNELS; all give the same bits.
    Error: NaN or infinity in x, which leaves out as it was; shapes that do not fit."""
    context = _context(context)
    if not isinstance(w, Matrix):
        raise TypeError("w is a trilobit.Matrix: see trilobit.pack")
    rows, cols = w.shape
    x = numpy.asarray(x, dtype=numpy.float32)
    if x.ndim == 0 or x.shape[-1] != cols:
        raise Error(f"x has the shape {x.shape}, its last axis should have {cols} columns.", 1)
    shape = x.shape[:-1] + (rows,)
    tokens = 1
    for length in x.shape[:-1]:
        tokens *= length
    flat, x_stride = _rows_in_place(x.reshape(tokens, cols), numpy.float32)
    if out is None:
        out = numpy.empty(shape, numpy.float32)
    elif not isinstance(out, numpy.ndarray) or out.dtype != numpy.float32 or out.shape != shape:
        raise Error(f"out is no float32 array of the shape {shape}.", 1)
    elif not out.flags.writeable:
        raise Error("out cannot be written.", 2)
    y = out.reshape(tokens, rows)
    if out.size and not numpy.may_share_memory(y, out):
        raise Error("out has gaps between its tokens that no stride describes.", 1)
    same, y_stride = _rows_in_place(y, numpy.float32)
    if same is not y:
        raise Error("out needs contiguous rows.", 1)
    options = _library.MatmulOptions(
        activation=_id(ACTIVATIONS, activation, "activation"),
        activation_group=min(max(operator.index(group), -1), 2**31 - 1),
        kernel=_id(KERNELS, kernel, "kernel"))
    _check(_c.trilobit_matmul(context._handle, w._handle, flat.ctypes.data, tokens, x_stride,
                              y.ctypes.data, y_stride, ctypes.byref(options)))
    return out
