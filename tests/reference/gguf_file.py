# SPDX-License-Identifier: MIT
"""Enters: a GGUF file that is sound. Leaves: the number of each tensor's type, its shape and its
bytes. Written from the format's description; shares nothing with the C++ reader."""
import math
import struct

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, ARRAY = 8, 9


class Reader:
    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def number(self, form):
        value = struct.unpack_from("<" + form, self.raw, self.at)[0]
        self.at += struct.calcsize("<" + form)
        return value

    def text(self):
        size = self.number("Q")
        self.at += size
        return self.raw[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == TEXT:
            return self.text()
        if kind == ARRAY:
            inner, count = self.number("I"), self.number("Q")
            return [self.value(inner) for _ in range(count)]
        return self.number(NUMBERS[kind])


def read(path):
    """Metadata, and name -> (type, shape with the columns first, bytes with the padding behind)."""
    with open(path, "rb") as file:
        reader = Reader(file.read())
    assert reader.raw[:4] == b"GGUF"
    reader.at = 8
    count, entries = reader.number("q"), reader.number("q")
    metadata = {}
    for _ in range(entries):
        key = reader.text()
        metadata[key] = reader.value(reader.number("I"))
    found = []
    for _ in range(count):
        name = reader.text()
        shape = [reader.number("Q") for _ in range(reader.number("I"))]
        kind = reader.number("I")
        found.append((name, kind, shape, reader.number("Q")))
    alignment = metadata.get("general.alignment", 32)
    base = math.ceil(reader.at / alignment) * alignment
    ends = [at for *_, at in found[1:]] + [len(reader.raw) - base]
    return metadata, {name: (kind, shape, reader.raw[base + at:base + end])
                      for (name, kind, shape, at), end in zip(found, ends)}


def tensors(path):
    return read(path)[1]
