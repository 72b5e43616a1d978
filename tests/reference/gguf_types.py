# SPDX-License-Identifier: MIT
"""Reference. Enters: a GGUF file, or entries and tensors. Leaves: tensors as float64, or the file.
Written from the published layouts; nothing here is shared with the program that is tested."""
import struct

import numpy as np

import gguf_file

F32, F16, Q8_0, TQ2_0, I2_S, Q1_0, Q2_0 = 0, 1, 8, 35, 36, 41, 42
NAMES = {"F32": F32, "F16": F16, "Q8_0": Q8_0, "TQ2_0": TQ2_0, "I2_S": I2_S, "Q1_0": Q1_0,
         "Q2_0": Q2_0}
BLOCKS = {F32: (1, 4), F16: (1, 2), Q8_0: (32, 34), TQ2_0: (256, 66), Q1_0: (128, 18),
          Q2_0: (64, 18)}


# Values ----------------------------------------------------------------------------------------

def scalar(value):
    """Type number and bytes of one value; a pair (format, value) says the format."""
    if isinstance(value, tuple):
        number = {"u8": 0, "i8": 1, "u32": 4, "i32": 5, "f32": 6, "u64": 10}[value[0]]
        code = {"u8": "B", "i8": "b", "u32": "I", "i32": "i", "f32": "f", "u64": "Q"}[value[0]]
        return number, struct.pack("<" + code, value[1])
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    raw = value.encode()
    return 8, struct.pack("<Q", len(raw)) + raw


def entry(key, value):
    raw = struct.pack("<Q", len(key)) + key.encode()
    if not isinstance(value, list):
        number, text = scalar(value)
        return raw + struct.pack("<I", number) + text
    items = [scalar(v) for v in value]
    number = items[0][0] if items else 4
    return raw + struct.pack("<IIQ", 9, number, len(items)) + b"".join(text for _, text in items)


# Tensors ---------------------------------------------------------------------------------------

def halves(values):
    return np.asarray(values, np.float16).view(np.uint8).reshape(*np.shape(values), 2)


def encode(kind, w):
    """w: (rows, cols) of float; of few levels the values are exactly levels times scales."""
    w = np.asarray(w, np.float64)
    if kind == F32:
        return w.astype("<f4").tobytes()
    if kind == F16:
        return w.astype("<f2").tobytes()
    if kind == I2_S:
        scale = np.abs(w).max()
        codes = (np.rint(w / scale) + 1).astype(np.uint8).reshape(-1, 4, 32)
        packed = codes[:, 0] << 6 | codes[:, 1] << 4 | codes[:, 2] << 2 | codes[:, 3]
        return packed.tobytes() + np.float32(scale).tobytes() + bytes(28)
    count, _ = BLOCKS[kind]
    blocks = w.reshape(-1, count)
    largest = np.abs(blocks).max(-1)
    if kind == Q8_0:
        d = (largest / 127).astype(np.float16)
        steps = np.where(d == 0, 1, d).astype(np.float64)
        q = np.rint(blocks / steps[:, None]).astype(np.int8)
        return np.concatenate([halves(d), q.view(np.uint8)], 1).tobytes()
    d = largest.astype(np.float16)
    levels = np.rint(blocks / np.where(d == 0, 1, d).astype(np.float64)[:, None]).astype(np.int64)
    if kind == Q1_0:
        bits = np.packbits(levels >= 0, axis=-1, bitorder="little")
        return np.concatenate([halves(d), bits], 1).tobytes()
    codes = (levels + 1).astype(np.uint8)
    if kind == Q2_0:
        codes = codes.reshape(len(blocks), -1, 4)
        return np.concatenate([halves(d), sum(codes[..., i] << 2 * i for i in range(4))],
                              1).tobytes()
    assert kind == TQ2_0
    codes = codes.reshape(len(blocks), 2, 4, 32)
    packed = sum(codes[:, :, i] << 2 * i for i in range(4)).reshape(len(blocks), 64)
    return np.concatenate([packed, halves(d)], 1).tobytes()


def decode(kind, raw, shape):
    """shape: (rows.., cols)"""
    raw = np.frombuffer(raw, np.uint8)
    size = int(np.prod(shape))
    if kind == F32:
        return raw.view("<f4").astype(np.float64).reshape(shape)
    if kind == F16:
        return raw.view("<f2").astype(np.float64).reshape(shape)
    if kind == I2_S:
        packed = raw[:size // 4].reshape(-1, 32)
        codes = np.stack([packed >> shift & 3 for shift in (6, 4, 2, 0)], 1).reshape(shape)
        return (codes.astype(np.float64) - 1) * float(raw[size // 4:size // 4 + 4].view("<f4")[0])
    count, length = BLOCKS[kind]
    blocks = raw.reshape(-1, length)
    tail = kind == TQ2_0
    d = (blocks[:, -2:] if tail else blocks[:, :2]).copy().view("<f2").astype(np.float64)
    q = blocks[:, :-2] if tail else blocks[:, 2:]
    if kind == Q8_0:
        values = q.copy().view(np.int8).astype(np.float64)
    elif kind == Q1_0:
        values = np.unpackbits(q, axis=-1, bitorder="little").astype(np.float64) * 2 - 1
    elif kind == Q2_0:
        values = np.stack([q >> 2 * i & 3 for i in range(4)], -1).reshape(len(q), count) - 1.0
    else:
        values = np.stack([q.reshape(-1, 2, 32) >> 2 * i & 3 for i in range(4)], 2)
        values = values.reshape(len(q), count) - 1.0
    return (values * d).reshape(shape)


def bytes_of(kind, shape):
    size = int(np.prod(shape))
    if kind == I2_S:
        return size // 4 + 32
    count, length = BLOCKS[kind]
    return size // count * length


# Files -----------------------------------------------------------------------------------------

def write(path, entries, tensors, align=32):
    """entries: {key: value}; tensors: {name: (type, array)}, outermost extent first."""
    head, data = b"", b""
    for name, (kind, values) in tensors.items():
        raw = encode(kind, np.reshape(values, (-1, np.shape(values)[-1])))
        assert len(raw) == bytes_of(kind, np.shape(values)), name
        extent = list(reversed(np.shape(values)))
        head += struct.pack("<Q", len(name)) + name.encode()
        head += struct.pack(f"<I{len(extent)}QIQ", len(extent), *extent, kind, len(data))
        data += raw + bytes(-len(raw) % align)
    first = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries))
    first += b"".join(entry(k, v) for k, v in entries.items()) + head
    with open(path, "wb") as file:
        file.write(first + bytes(-len(first) % align) + data)


class Reader:
    def __init__(self, path):
        self.entries, self.tensors = gguf_file.read(path)

    def tensor(self, name):
        kind, extent, raw = self.tensors[name]
        shape = tuple(reversed(extent))
        return decode(kind, raw[:bytes_of(kind, shape)], shape)
