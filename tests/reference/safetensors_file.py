# SPDX-License-Identifier: MIT
"""Reference. Enters: arrays by name, or a file. Leaves: a safetensors file, or the arrays in it.
bfloat16, which NumPy lacks, is float32 whose lower half is zero, marked by the type's name."""
import json
import struct

import numpy as np

TYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "U8": np.uint8, "U32": np.uint32, "I32": np.int32}


def to_bf16(values):
    """float32 rounded to bfloat16, half to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16).astype(np.uint32).view(np.float32)


def bytes_of(dtype, values):
    if dtype == "BF16":
        bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
        assert not (bits & 0xFFFF).any()
        return (bits >> 16).astype("<u2").tobytes()
    return np.ascontiguousarray(values, TYPES[dtype]).tobytes()


def write(path, tensors, metadata=None):
    """tensors: {name: (dtype, array)}"""
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, (dtype, values) in tensors.items():
        raw = bytes_of(dtype, values)
        header[name] = {"dtype": dtype, "shape": list(np.shape(values)),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def read(path):
    """{name: (dtype, array)}, of bfloat16 as float32"""
    with open(path, "rb") as file:
        everything = file.read()
    length = struct.unpack("<Q", everything[:8])[0]
    tensors = {}
    for name, entry in json.loads(everything[8:8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = everything[8 + length + begin:8 + length + end]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw, TYPES[entry["dtype"]])
        tensors[name] = (entry["dtype"], values.reshape(entry["shape"]))
    return tensors
