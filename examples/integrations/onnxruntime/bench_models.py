#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Models for onnxruntime-bench: one MatMulNBits of random ternary weights in 2 bits, and the same
rewritten.
    bench_models.py FOLDER ROWS COLS BLOCK"""

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import rewrite_matmulnbits

folder, (rows, cols, block) = pathlib.Path(sys.argv[1]), map(int, sys.argv[2:])
rng, blocks = np.random.default_rng(1), cols // block
codes = rng.integers(0, 3, (rows, cols // 4, 4)).astype(np.uint8)
weights = [("B", (codes << np.uint8([0, 2, 4, 6])).sum(axis=2).reshape(rows, blocks, -1).astype(np.uint8)),
           ("scales", rng.uniform(0.5, 1, (rows, blocks)).astype(np.float32)),
           ("zero_points", np.full(rows * -(-blocks // 4), 0b01010101, np.uint8))]


def model():
    node = helper.make_node("MatMulNBits", ["X", "B", "scales", "zero_points"], ["Y"], name="n",
                            domain="com.microsoft", N=rows, K=cols, bits=2, block_size=block,
                            accuracy_level=4)
    graph = helper.make_graph(
        [node], "bench", [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["t", cols])],
        [helper.make_tensor_value_info("Y", TensorProto.FLOAT, ["t", rows])],
        [numpy_helper.from_array(array, name) for name, array in weights])
    return helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])


onnx.save(model(), folder / "own.onnx")
for name, group in (("blocks", None), ("token", 0)):
    rewritten = model()
    rewrite_matmulnbits.rewrite(rewritten, group=group)
    rewrite_matmulnbits.save(rewritten, str(folder / f"{name}.onnx"))
