#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Rewrites the com.microsoft.MatMulNBits nodes of a model into trilobit.MatMul, where that is exact.

    rewrite_matmulnbits.py IN.onnx OUT.onnx [--group 0|32|64|128|256] [--activation int8] [--keep]

Weights become packed matrices in OUT.onnx.data, from which a session maps them. A node fits whose
weights, code less zero point, are ternary or four levels: see docs/layouts.md. What does not fit is
refused with a sentence, and nothing is written; with --keep such nodes stay as they are.
--group: columns of the activations that share a scale; by default those of the weights, as ONNX
Runtime rounds where accuracy_level is 4. Models that were trained so, as BitNet, want 0: the token.
Needs the Python modules numpy, onnx and trilobit (examples/integrations/python)."""

import argparse
import os
import sys

import numpy
import onnx
from onnx import external_data_helper, helper, numpy_helper

import trilobit

# The fastest first.
LAYOUTS = {"ternary_2bit": (-1, 0, 1), "quaternary_2bit": (-1, 0, 1, 2),
           "quaternary_2bit_low": (-2, -1, 0, 1), "quaternary_2bit_odd": (-3, -1, 1, 3)}
INPUTS = ["A", "B", "scales", "zero_points", "g_idx", "bias"]
ATTRIBUTES = {"K", "N", "bits", "block_size", "accuracy_level"}


class Refused(Exception):
    pass


def unpack(data, bits, rows, count):
    """The first `count` codes of each row, lowest bits first."""
    per_byte = 8 // bits
    wanted = rows * -(-count // per_byte)
    if data.dtype != numpy.uint8 or data.size != wanted:
        raise Refused(f"It has {data.size} {data.dtype} of codes or zero points, not {wanted} uint8.")
    shifts = numpy.arange(0, 8, bits, dtype=numpy.uint8)
    codes = (data.reshape(rows, -1)[..., None] >> shifts) & (2**bits - 1)
    return codes.reshape(rows, -1)[:, :count].astype(numpy.int16)


class Node:
    """One MatMulNBits: its weights are doubled / 2 * scales."""

    def __init__(self, node, initializers):
        a = {x.name: helper.get_attribute_value(x) for x in node.attribute}
        if set(a) - ATTRIBUTES:
            raise Refused(f"The attributes {sorted(set(a) - ATTRIBUTES)} are not known.")
        if not {"K", "N", "block_size"} <= set(a):
            raise Refused("It lacks K, N or block_size.")
        self.n, self.k, self.block, bits = a["N"], a["K"], a["block_size"], a.get("bits", 4)
        if bits not in (2, 4):
            raise Refused(f"Weights of {bits} bits have more than four levels.")
        if self.block < 16 or self.block & (self.block - 1) or self.n < 1 or self.k < 1:
            raise Refused("Its block_size is no power of two from 16 on, or N or K is not positive.")
        names = dict(zip(INPUTS, node.input))
        self.x, self.bias = names["A"], names.get("bias", "")

        def constant(name):
            if not names.get(name):
                return None
            if names[name] not in initializers:
                raise Refused(f"Its {name} is no initializer.")
            return numpy_helper.to_array(initializers[names[name]])

        blocks = -(-self.k // self.block)
        codes, scales = constant("B"), constant("scales")
        if codes is None or scales is None:
            raise Refused("It has no weights, or no scales.")
        if scales.dtype not in (numpy.float32, numpy.float16) or scales.size != self.n * blocks:
            raise Refused(f"It has {scales.size} {scales.dtype} scales, not {self.n * blocks} of "
                          "float or float16.")
        codes = unpack(codes, bits, self.n, blocks * self.block)
        zeros = constant("zero_points")
        if zeros is None:
            zeros = numpy.full((self.n, blocks), 2**bits, numpy.int16)  # doubled, as all below
        elif zeros.dtype == numpy.uint8:
            zeros = 2 * unpack(zeros, bits, self.n, blocks)
        else:
            twice = 2 * zeros.astype(numpy.float32).reshape(self.n, -1)
            if twice.shape[1] != blocks or not (numpy.abs(twice) < 64).all() or \
                    (twice != numpy.rint(twice)).any():
                raise Refused("A zero point is no multiple of a half, or there are too few.")
            zeros = twice.astype(numpy.int16)
        order = constant("g_idx")
        if order is not None and (order.reshape(-1) != numpy.arange(self.k) // self.block).any():
            raise Refused("Its columns are in an order of their own (g_idx).")
        self.zeros_differ = (zeros != zeros[0, 0]).any()
        self.doubled = (2 * codes - numpy.repeat(zeros, self.block, axis=1))[:, :self.k]
        self.scales = scales.reshape(self.n, blocks)

    def pack(self):
        unit = int(numpy.gcd.reduce(numpy.abs(self.doubled), axis=None)) or 2
        values = self.doubled // unit
        levels = set(numpy.unique(values).tolist())
        layout = next((l for l, allowed in LAYOUTS.items() if levels <= set(allowed)), None)
        if layout is None:
            raise Refused(
                f"Its weights have the levels {', '.join(f'{v * unit / 2:g}' for v in sorted(levels))}"
                + (", as its zero points differ" if self.zeros_differ else "")
                + "; what fits is -1 0 1, -1 0 1 2, -2 -1 0 1 or -1.5 -0.5 0.5 1.5, times a scale.")
        exact = self.scales.astype(numpy.float64) * (unit / 2)
        scales = exact.astype(numpy.float32)
        if (scales != exact).any():
            raise Refused("Its scales are not exact as floats, or not finite.")
        return trilobit.pack(values.astype(numpy.int8), layout, **self.grouped(scales))

    def grouped(self, scales):
        if (scales == scales[:, :1]).all():
            return dict(scales=scales[:, 0], scale="row")
        block = self.block
        if block == 16:
            even, odd = scales[:, ::2], scales[:, 1::2]
            if (even[:, :odd.shape[1]] != odd).any():
                raise Refused("Its blocks of 16 columns have scales of their own; 32 are the least.")
            scales, block = even, 32
        if block > 256:
            groups = -(-self.k // 256)
            scales, block = numpy.repeat(scales, block // 256, axis=1)[:, :groups], 256
        halves = (scales.astype(numpy.float16) == scales).all()
        return dict(scales=scales, scale=block, scale_type="f16" if halves else "f32")


def rewrite(model, activation="int8", group=None):
    """Changes the model, and returns (how many nodes, sentences about those that do not fit)."""
    graph = model.graph
    inputs = {i.name for i in graph.input}
    initializers = {i.name: i for i in graph.initializer if i.name not in inputs}
    packed, refused, done = {}, [], 0
    for node in graph.node:
        if node.op_type != "MatMulNBits" or node.domain != "com.microsoft":
            continue
        try:
            made = Node(node, initializers)
            key = tuple(node.input[1:5])
            if key not in packed:
                image = numpy.frombuffer(bytes(made.pack()), numpy.uint8)
                packed[key] = numpy_helper.from_array(image, f"{node.input[1]}.trilobit{len(packed)}")
        except (Refused, trilobit.Error) as error:
            refused.append(f"{node.name or node.output[0]}: {error}")
            continue
        columns = min(max(made.block, 32), 256) if group is None else group
        new = helper.make_node(
            "MatMul", [made.x, packed[key].name] + [made.bias] * bool(made.bias), node.output,
            name=node.name, domain="trilobit", N=made.n, K=made.k, activation=activation,
            group=columns)
        node.CopyFrom(new)
        done += 1
    graph.initializer.extend(packed.values())
    for body in (a.g for n in graph.node for a in n.attribute if a.HasField("g")):
        if any(n.op_type == "MatMulNBits" for n in body.node):
            refused.append("The body of a loop or a condition has such nodes, which stay.")
    if done:
        model.opset_import.append(helper.make_opsetid("trilobit", 1))
        drop_unused(graph)
    return done, refused


def drop_unused(graph):
    """Initializers of the old nodes. Those that bodies of loops or conditions may name stay."""
    if any(a.HasField("g") for n in graph.node for a in n.attribute):
        return
    used = {name for n in graph.node for name in n.input} | {o.name for o in graph.output}
    kept = [i for i in graph.initializer if i.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def save(model, path):
    """The model, and beside it one file of all that is large, each from a multiple of 64 bytes on."""
    data = path + ".data"
    with open(data + ".part", "wb") as file:
        for t in model.graph.initializer:
            if not t.HasField("raw_data") or len(t.raw_data) < 1024:
                continue
            file.write(bytes(-file.tell() % 64))
            external_data_helper.set_external_data(t, os.path.basename(data), file.tell(),
                                                   len(t.raw_data))
            file.write(t.raw_data)
            t.ClearField("raw_data")
    onnx.save(model, path + ".part")
    os.replace(data + ".part", data)
    os.replace(path + ".part", path)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("source")
    options.add_argument("target")
    options.add_argument("--group", type=int, choices=(0, 32, 64, 128, 256))
    options.add_argument("--activation", default="int8", choices=list(trilobit.ACTIVATIONS))
    options.add_argument("--keep", action="store_true")
    o = options.parse_args()
    try:
        model = onnx.load(o.source)
    except Exception as error:  # of protobuf's, the system's, onnx's own
        sys.exit(f"{o.source}: {type(error).__name__}: {error}")
    done, refused = rewrite(model, o.activation, o.group)
    for line in refused:
        print(line, file=sys.stderr)
    if not done or (refused and not o.keep):
        sys.exit(f"{o.target} is not written: {done} nodes fit, {len(refused)} do not.")
    try:
        save(model, o.target)
    except OSError as error:
        sys.exit(f"{o.target}: {error}")
    print(f"{done} nodes rewritten, {len(refused)} left as they were")


if __name__ == "__main__":
    main()
