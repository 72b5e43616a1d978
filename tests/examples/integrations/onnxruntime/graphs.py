# SPDX-License-Identifier: MIT
"""What the tests of this folder share: models of one node, and what it should say, by definition."""

import sys

try:
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import TensorProto, helper
except ImportError as missing:
    print(f"skipped: {missing} (scripts/fetch-onnxruntime)")
    sys.exit(4)

import os
import pathlib

LIBRARY = os.environ["TRILOBIT_ONNXRUNTIME"]
sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(os.environ["TRILOBIT_ONNXRUNTIME_SOURCES"])))

import trilobit  # noqa: E402  (over libtrilobit)

TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.float16): TensorProto.FLOAT16,
         np.dtype(np.uint8): TensorProto.UINT8, np.dtype(np.int8): TensorProto.INT8}


def session(model, threads=2, severity=4):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = severity
    options.register_custom_ops_library(LIBRARY)
    source = model if isinstance(model, (str, bytes)) else model.SerializeToString()
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def tensor(name, array):
    array = np.ascontiguousarray(array)
    return helper.make_tensor(name, TYPES[array.dtype], array.shape, array.tobytes(), raw=True)


def model_of(nodes, inputs, outputs, initializers):
    """inputs, outputs: (name, dtype, dims)."""
    value = lambda v: helper.make_tensor_value_info(v[0], TYPES[np.dtype(v[1])], v[2])
    graph = helper.make_graph(nodes, "one", [value(v) for v in inputs],
                              [value(v) for v in outputs], initializers)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("trilobit", 1),
              helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def image_of(matrix):
    return np.frombuffer(bytes(matrix), np.uint8)


def packed_model(matrix, dtype=np.float32, bias=None, dims=("tokens", None), image=None, **changed):
    n, k = matrix.shape
    attributes = dict(N=n, K=k, activation="int8", group=0)
    attributes.update(changed)
    initializers = [tensor("W", image_of(matrix) if image is None else image)]
    names = ["X", "W"]
    if bias is not None:
        initializers.append(tensor("bias", bias))
        names.append("bias")
    node = helper.make_node("MatMul", names, ["Y"], name="the_node", domain="trilobit", **attributes)
    dims = [k if i == len(dims) - 1 and d is None else d for i, d in enumerate(dims)]
    return model_of([node], [("X", dtype, dims)], [("Y", dtype, None)], initializers)


def definition(x, values, scales, bias=None, group=0, scale_group=0):
    """Y of int8 activations, in x's type: exact sums of the columns that share scales, each float(sum) *
    (weight scale * activation scale), added in rising order of columns, then the bias, and rounded once
    where x is of 16 bits. x (tokens, K), values int8 (N, K), scales (N, groups of a row)."""
    wide = x.astype(np.float32)
    tokens, k = wide.shape
    group, scale_group = group or k, scale_group or k
    y = np.zeros((tokens, len(values)), np.float32)
    step = min(group, scale_group)
    quantised, x_scales = np.empty((tokens, k), np.int64), []
    for first in range(0, k, group):
        part = wide[:, first:first + group]
        factor = np.float32(127) / np.maximum(np.abs(part).max(axis=1, keepdims=True),
                                              np.float32(1e-5))
        quantised[:, first:first + group] = np.rint(part * factor)
        x_scales.append(np.float32(1) / factor)
    for first in range(0, k, step):
        last = min(first + step, k)
        sums = quantised[:, first:last] @ values[:, first:last].astype(np.int64).T
        factors = scales[:, first // scale_group].astype(np.float32) * x_scales[first // group]
        y += sums.astype(np.float32) * factors
    if bias is not None:
        y += bias.astype(np.float32)
    return y.astype(x.dtype)
