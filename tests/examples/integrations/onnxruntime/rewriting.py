# SPDX-License-Identifier: MIT
"""MatMulNBits rewritten: against the integer definition bit by bit, against ONNX Runtime's own kernel
on activations that int8 holds, and what is refused."""

import pathlib
import subprocess
import tempfile
import unittest

from graphs import (TensorProto, definition, helper, model_of, np, onnx, os, session, tensor,
                    trilobit)
import rewrite_matmulnbits

rng = np.random.default_rng(23)


def pack_bits(codes, bits):
    """(rows, count) to bytes, lowest bits first, rows filled up with ones that nobody may read."""
    per_byte = 8 // bits
    filled = np.pad(codes, ((0, 0), (0, -codes.shape[1] % per_byte)), constant_values=1)
    parts = filled.reshape(len(codes), -1, per_byte).astype(np.uint16)
    return (parts << np.arange(0, 8, bits, dtype=np.uint16)).sum(axis=2).astype(np.uint8)


def nbits_model(codes, scales, bits, block, zeros=None, bias=None, g_idx=None, dtype=np.float32,
                **attributes):
    n, k = codes.shape
    blocks = -(-k // block)
    filled = np.pad(codes, ((0, 0), (0, blocks * block - k)), constant_values=1)
    given = {"B": pack_bits(filled, bits).reshape(n, blocks, -1), "scales": scales.astype(dtype)}
    if zeros is not None:
        given["zero_points"] = zeros if zeros.dtype == dtype else pack_bits(zeros, bits).reshape(-1)
    if g_idx is not None:
        given["g_idx"] = g_idx
    if bias is not None:
        given["bias"] = bias
    names = ["X"] + [i if i in given else "" for i in ("B", "scales", "zero_points", "g_idx", "bias")]
    while not names[-1]:
        names.pop()
    node = helper.make_node("MatMulNBits", names, ["Y"], name="the_node", domain="com.microsoft",
                            N=n, K=k, bits=bits, block_size=block, **attributes)
    initializers = [tensor(name, a) if a.dtype != np.int32 else
                    helper.make_tensor(name, TensorProto.INT32, a.shape, a.tobytes(), raw=True)
                    for name, a in given.items()]
    return model_of([node], [("X", dtype, ["t", k])], [("Y", dtype, ["t", n])], initializers)


def rewritten(model, **options):
    new = onnx.ModelProto()
    new.CopyFrom(model)
    done, refused = rewrite_matmulnbits.rewrite(new, **options)
    assert (done, refused) == (1, []), refused
    assert [i.name for i in new.graph.initializer if i.name in ("B", "scales", "zero_points")] == []
    return new


class Exact(unittest.TestCase):
    def check(self, bits, block, low, high, zero, n=48, k=None, given=None, dtype=np.float32,
              bias=None, one_scale=False):
        k = k or 4 * block
        codes = rng.integers(low, high + 1, (n, k))
        codes[0, :high + 1 - low] = np.arange(low, high + 1)
        blocks = -(-k // block)
        scales = (np.abs(rng.standard_normal((n, blocks))) + 0.1).astype(dtype)
        if one_scale:
            scales[:] = scales[:, :1]
        model = nbits_model(codes, scales, bits, block, given, bias, dtype=dtype)
        doubled = (2 * codes - int(2 * zero)).astype(np.int8)
        group = min(max(block, 32), 256)
        repeat = 1 if block <= 256 else block // 256
        unit, wide = (2, 1.0) if int(2 * zero) % 2 == 0 else (1, 0.5)
        for tokens in (1, 8, 128):
            x = rng.standard_normal((tokens, k), dtype=np.float32).astype(dtype)
            for x_group in (None, 0):
                y, = session(rewritten(model, group=x_group)).run(None, {"X": x})
                columns = group if x_group is None else 0
                wanted = definition(
                    x, doubled // unit, (scales * np.float32(wide)).repeat(repeat, axis=1)
                    if not one_scale else scales[:, :1] * np.float32(wide), bias, columns,
                    0 if one_scale or blocks == 1 else min(block, 256))
                self.assertEqual(y.tobytes(), wanted.tobytes())
        return model, codes

    def test_two_bits(self):
        for block in (32, 64, 128, 256, 512):
            for dtype in (np.float32, np.float16):
                self.check(2, block, 0, 3, 2, dtype=dtype)  # no zero points: 2
        blocks = np.ones((48, 4))
        self.check(2, 64, 0, 2, 1, given=(1 * blocks).astype(np.int64))  # ternary
        self.check(2, 64, 0, 3, 1, given=(1 * blocks).astype(np.int64))
        self.check(2, 64, 1, 3, 2)  # ternary
        for dtype in (np.float32, np.float16):
            self.check(2, 64, 0, 3, 1.5, given=(1.5 * blocks).astype(dtype), dtype=dtype)
        self.check(2, 32, 0, 3, 2, one_scale=True)
        self.check(2, 64, 0, 3, 2, n=33, k=200)  # a last block that is not full
        bias = rng.standard_normal(48, dtype=np.float32)
        self.check(2, 64, 0, 3, 2, bias=bias)
        self.check(2, 64, 0, 3, 2, bias=bias.astype(np.float16), dtype=np.float16)

    def test_four_bits(self):
        for block in (32, 128):
            self.check(4, block, 7, 9, 8)
            self.check(4, block, 6, 9, 8)
            self.check(4, block, 7, 10, 8)
        self.check(4, 32, 0, 2, 1, given=np.full((48, 4), 1))
        # -7, 0, 7 of a quantiser to 4 bits: seven times the scale.
        codes, scales = rng.integers(0, 3, (20, 64)) * 7 + 1, np.full((20, 2), 0.25)
        x = rng.standard_normal((3, 64), dtype=np.float32)
        y, = session(rewritten(nbits_model(codes, scales, 4, 32), group=0)).run(None, {"X": x})
        wanted = definition(x, (codes // 7 - 1).astype(np.int8), np.full((20, 1), 1.75))
        self.assertEqual(y.tobytes(), wanted.tobytes())

    def test_blocks_of_16(self):
        codes = rng.integers(0, 4, (20, 128))
        scales = rng.uniform(0.1, 1, (20, 4)).astype(np.float32).repeat(2, axis=1)
        x = rng.standard_normal((3, 128), dtype=np.float32)
        y, = session(rewritten(nbits_model(codes, scales, 2, 16))).run(None, {"X": x})
        wanted = definition(x, (codes - 2).astype(np.int8), scales[:, ::2], None, 32, 32)
        self.assertEqual(y.tobytes(), wanted.tobytes())

    def test_zero_points_that_differ_and_fit(self):
        zeros = rng.integers(0, 3, (20, 4))
        codes = np.clip(zeros.repeat(32, axis=1) + rng.integers(-1, 2, (20, 128)), 0, 3)
        scales, x = np.ones((20, 4)), rng.standard_normal((3, 128), dtype=np.float32)
        y, = session(rewritten(nbits_model(codes, scales, 2, 32, zeros), group=0)).run(None, {"X": x})
        wanted = definition(x, (codes - zeros.repeat(32, axis=1)).astype(np.int8), np.ones((20, 1)))
        self.assertEqual(y.tobytes(), wanted.tobytes())

    def test_against_the_runtimes_own(self):
        """Its reading of codes, zero points and scales is ours: activations are integers, of which the
        largest in each block is 127, so that int8 holds them."""
        compared = 0
        for bits, low, high, zero in ((4, 7, 9, None), (4, 0, 3, 1), (4, 0, 3, 2), (2, 0, 3, None),
                                      (2, 0, 2, 1)):
            codes = rng.integers(low, high + 1, (32, 256))
            codes[0, :high + 1 - low] = np.arange(low, high + 1)
            scales = rng.uniform(0.1, 1, (32, 8)).astype(np.float32)
            zeros = None if zero is None else np.full((32, 8), zero)
            model = nbits_model(codes, scales, bits, 32, zeros)
            x = rng.integers(-126, 127, (4, 256)).astype(np.float32)
            x[:, ::32] = 127
            try:
                theirs, = session(model).run(None, {"X": x})
            except Exception as error:
                print(f"ONNX Runtime has no kernel of {bits} bits itself: {str(error)[:100]}")
                continue
            ours, = session(rewritten(model)).run(None, {"X": x})
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-2)
            compared += 1
        self.assertGreaterEqual(compared, 3)


class Refused(unittest.TestCase):
    def refused(self, words, codes=None, scales=None, bits=2, block=32, change=None, **more):
        codes = rng.integers(0, 4, (8, 64)) if codes is None else codes
        scales = np.ones((8, -(-codes.shape[1] // block))) if scales is None else scales
        model = nbits_model(codes, scales, bits, block, **more)
        if change:
            change(model)
        before = model.SerializeToString()
        done, refused = rewrite_matmulnbits.rewrite(model)
        self.assertEqual((done, len(refused)), (0, 1), refused)
        self.assertIn("the_node: ", refused[0])
        self.assertIn(words, refused[0])
        self.assertEqual(before, model.SerializeToString())

    def test_weights(self):
        full = np.tile(np.arange(4), (8, 16))
        self.refused("as its zero points differ", full, zeros=np.arange(16).reshape(8, 2) % 2 + 1)
        self.refused("levels 0, 1, 2, 3", full, zeros=np.zeros((8, 2), np.int64))
        self.refused("levels -3, -2, -1, 0", full, zeros=np.full((8, 2), 3))
        self.refused("levels -8, -7", np.tile(np.arange(16), (8, 4)), bits=4)
        self.refused("multiple of a half", full, zeros=np.full((8, 2), 1.25, np.float32))
        self.refused("multiple of a half", full, zeros=np.full((8, 2), np.nan, np.float32))
        self.refused("16 columns", full, scales=rng.uniform(1, 2, (8, 4)), block=16)
        for bad in (np.nan, np.inf):
            scales = np.ones((8, 2))
            scales[3, 1] = bad
            self.refused("", full, scales=scales)
        self.refused("g_idx", full, g_idx=np.arange(64, dtype=np.int32)[::-1] // 32)
        self.refused("'secret'", full, secret=1)

    def test_shapes_and_types(self):
        def initializer(name, array):
            def change(model):
                at = next(i for i in model.graph.initializer if i.name == name)
                at.CopyFrom(tensor(name, array))
            return change

        self.refused("127 uint8", change=initializer("B", np.zeros(127, np.uint8)))
        self.refused("128 float32", change=initializer("B", np.zeros(128, np.float32)))
        self.refused("3 float32 scales", change=initializer("scales", np.ones(3, np.float32)))
        self.refused("16 int8 scales", change=initializer("scales", np.ones(16, np.int8)))

        def as_input(model):
            model.graph.input.append(helper.make_tensor_value_info("B", TensorProto.UINT8, [8, 2, 8]))
        self.refused("no initializer", change=as_input)

        def attribute(name, value):
            def change(model):
                at = next(a for a in model.graph.node[0].attribute if a.name == name)
                at.i = value
            return change
        self.refused("8 bits", change=attribute("bits", 8))
        self.refused("power of two", change=attribute("block_size", 48))
        self.refused("power of two", change=attribute("N", 0))
        self.refused("scales", change=attribute("N", 2**40))
        self.refused("scales", change=attribute("K", 2**62))


class Script(unittest.TestCase):
    script = pathlib.Path(rewrite_matmulnbits.__file__)

    def run_it(self, *arguments):
        return subprocess.run(["/bin/sh", "-c", 'exec "$PYTHON" "$@"', "sh", self.script, *arguments],
                              capture_output=True, text=True)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            codes, scales = rng.integers(0, 4, (64, 256)), np.ones((64, 8))
            good = nbits_model(codes, scales, 2, 32)
            onnx.save(good, path / "in.onnx")
            ran = self.run_it(path / "in.onnx", path / "out.onnx", "--group", "0")
            self.assertEqual((ran.returncode, ran.stderr), (0, ""))
            self.assertIn("1 nodes rewritten", ran.stdout)
            self.assertEqual(sorted(os.listdir(path)), ["in.onnx", "out.onnx", "out.onnx.data"])
            x = rng.standard_normal((5, 256), dtype=np.float32)
            y, = session(str(path / "out.onnx")).run(None, {"X": x})
            wanted = definition(x, (codes - 2).astype(np.int8), np.ones((64, 1)))
            self.assertEqual(y.tobytes(), wanted.tobytes())

            bad = nbits_model(codes, scales, 2, 32, np.zeros((64, 8), np.int64))
            onnx.save(bad, path / "bad.onnx")
            (path / "text.onnx").write_text("no model at all, but some text")
            for name in ("bad.onnx", "text.onnx", "missing.onnx"):
                ran = self.run_it(path / name, path / "none.onnx")
                self.assertEqual(ran.returncode, 1, name)
                self.assertNotIn("Traceback", ran.stderr)
                self.assertFalse((path / "none.onnx").exists())


if __name__ == "__main__":
    unittest.main()
