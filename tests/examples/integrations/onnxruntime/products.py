# SPDX-License-Identifier: MIT
"""trilobit.MatMul in Debian's ONNX Runtime, bit by bit against its definition; and bad models."""

import pathlib
import subprocess
import tempfile
import threading
import unittest

from graphs import (LIBRARY, definition, helper, image_of, model_of, np, onnx, ort, packed_model,
                    session, sys, tensor, trilobit)

rng = np.random.default_rng(19)


def trits(rows, cols):
    return rng.integers(-1, 2, (rows, cols), np.int8)


def floats(*shape, dtype=np.float32):
    return rng.standard_normal(shape, dtype=np.float32).astype(dtype)


def ternary(rows=70, cols=300):
    values, scales = trits(rows, cols), np.abs(floats(rows)) + np.float32(0.1)
    return values, scales[:, None], trilobit.pack(values, scales=scales, scale="row")


class Products(unittest.TestCase):
    def check(self, x, model, wanted, **options):
        y, = session(model, **options).run(None, {"X": x})
        self.assertEqual((y.dtype, y.shape), (wanted.dtype, wanted.shape))
        self.assertEqual(y.tobytes(), wanted.tobytes())

    def test_tokens_types_and_threads(self):
        values, scales, w = ternary(330, 1100)
        for dtype in (np.float32, np.float16):
            bias = floats(330, dtype=dtype)
            for tokens in (0, 1, 8, 128):
                x = floats(tokens, 1100, dtype=dtype)
                for threads in (1, 2, 5):
                    with self.subTest(dtype=dtype, tokens=tokens, threads=threads):
                        self.check(x, packed_model(w, dtype), definition(x, values, scales),
                                   threads=threads)
                self.check(x, packed_model(w, dtype, bias), definition(x, values, scales, bias))

    def test_axes(self):
        values, scales, w = ternary()
        x = floats(2, 3, 300)
        wanted = definition(x.reshape(6, 300), values, scales).reshape(2, 3, 70)
        for dims in ((2, 3, None), ("b", 3, None), ("b", "s", "k"), (None, None, None)):
            self.check(x, packed_model(w, dims=dims), wanted)
        self.check(x[0, 0], packed_model(w, dims=(None,)), wanted[0, 0])
        shape = session(packed_model(w, dims=("b", 3, None))).get_outputs()[0].shape
        self.assertEqual(shape, ["b", 3, 70])

    def test_groups_on_both_sides(self):
        values = trits(40, 512)
        for scale_group in (32, 128):
            scales = np.abs(floats(40, 512 // scale_group)) + np.float32(0.1)
            w = trilobit.pack(values, scales=scales, scale=scale_group)
            for group in (0, 32, 64, 256):
                for dtype in (np.float32, np.float16):
                    x = floats(5, 512, dtype=dtype)
                    self.check(x, packed_model(w, dtype, group=group),
                               definition(x, values, scales, None, group, scale_group))

    def test_every_layout_and_activation(self):
        allowed = {"ternary": [-1, 0, 1], "binary": [-1, 1], "quaternary_2bit": [-1, 0, 1, 2],
                   "quaternary_2bit_low": [-2, -1, 0, 1], "quaternary_2bit_odd": [-3, -1, 1, 3]}
        x = floats(3, 256)
        for layout in trilobit.LAYOUTS:
            values = rng.choice(np.int8(allowed.get(layout) or allowed[layout.split("_")[0]]),
                                (33, 256))
            if layout == "ternary_3of4":  # one zero in four
                values[values == 0] = 1
                values[:, rng.integers(0, 4)::4] = 0
            scales = np.abs(floats(33)) + np.float32(0.1)
            w = trilobit.pack(values, layout, scales=scales, scale="row")
            self.check(x, packed_model(w), definition(x, values, scales[:, None]))
            for activation in trilobit.ACTIVATIONS:
                self.check(x, packed_model(w, activation=activation),
                           trilobit.matmul(x, w, activation=activation))

    def test_numbers_of_16_bits(self):
        w = trilobit.pack(np.eye(64, dtype=np.int8), scales=np.float32(1), scale="tensor")
        with np.errstate(over="ignore"):
            for scale in (2.0**-24, 2.0**-20, 1.0, 500.0):
                x = (floats(70, 64) * np.float32(scale) * 100).astype(np.float16)
                x[~np.isfinite(x)] = np.float16(65504)
                self.check(x, packed_model(w, np.float16),
                           definition(x, np.eye(64, dtype=np.int8), np.ones((64, 1))))
            big = trilobit.pack(np.ones((9, 64), np.int8), scales=np.float32(3), scale="tensor")
            x = np.full((2, 64), 60000, np.float16)
            y, = session(packed_model(big, np.float16)).run(None, {"X": x})
            self.assertTrue(np.isposinf(y).all())

    def test_runs_at_once_and_two_sessions(self):
        values, scales, w = ternary(200, 640)
        other_values, other_scales, other = ternary(90, 640)
        sessions = [session(packed_model(w)), session(packed_model(other))]
        x = floats(9, 640)
        wanted = [definition(x, values, scales), definition(x, other_values, other_scales)]
        wrong = []

        def many(i):
            for _ in range(50):
                y, = sessions[i % 2].run(None, {"X": x})
                if y.tobytes() != wanted[i % 2].tobytes():
                    wrong.append(i)

        threads = [threading.Thread(target=many, args=(i,)) for i in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])
        for _ in range(3):  # loaded, unloaded, loaded again
            sessions = None
            sessions = [session(packed_model(w))]
            self.assertEqual(sessions[0].run(None, {"X": x})[0].tobytes(), wanted[0].tobytes())


class Images(unittest.TestCase):
    def loaded(self, offset):
        """What the runtime's log says of an image at this offset of a file."""
        values, scales, w = ternary(64, 4096)
        image, x = bytes(w), floats(2, 4096)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "weights").write_bytes(bytes(offset) + image)
            model = packed_model(w)
            t = model.graph.initializer[0]
            t.ClearField("raw_data")
            t.data_location = onnx.TensorProto.EXTERNAL
            for key, value in (("location", "weights"), ("offset", offset), ("length", len(image))):
                t.external_data.add(key=key, value=str(value))
            onnx.save(model, path / "m.onnx")
            np.save(path / "x.npy", x)
            code = ("from graphs import *\n"
                    "s = session(sys.argv[1] + '/m.onnx', severity=0)\n"
                    "maps = open('/proc/self/maps').read()\n"
                    "print('mapped' if sys.argv[1] + '/weights' in maps else 'not mapped')\n"
                    "y, = s.run(None, {'X': np.load(sys.argv[1] + '/x.npy')})\n"
                    "np.save(sys.argv[1] + '/y.npy', y)\n")
            ran = subprocess.run(["/bin/sh", "-c", 'exec "$PYTHON" -c "$0" "$1"', code, folder],
                                 capture_output=True, text=True,
                                 cwd=pathlib.Path(__file__).parent)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            self.assertEqual(np.load(path / "y.npy").tobytes(),
                             definition(x, values, scales).tobytes())
            return ran.stdout + ran.stderr

    def test_mapped_files(self):
        for offset in (0, 64, 4096, 4096 * 3 + 128):
            text = self.loaded(offset)
            self.assertIn("the_node uses its packed matrix in place.", text)
            self.assertIn("\nmapped", "\n" + text)
        for offset in (1, 32, 4096 + 8):
            self.assertIn("the_node copied its packed matrix", self.loaded(offset))


class BadModels(unittest.TestCase):
    """The runtime's own error, with our sentence or its own; the process goes on."""

    def setUp(self):
        self.values, self.scales, self.w = ternary()

    def refused(self, model, *words):
        with self.assertRaises(Exception) as caught:
            session(model)
        self.assertIsInstance(caught.exception, tuple(
            getattr(ort.capi.onnxruntime_pybind11_state, name)
            for name in ("Fail", "InvalidArgument", "InvalidGraph", "NotImplemented",
                         "RuntimeException")))
        for word in ("the_node",) + words:
            self.assertIn(word, str(caught.exception))

    def test_images(self):
        image = image_of(self.w)
        for keep in (0, 1, 63, 64, 65, len(image) // 2, len(image) - 1):
            self.refused(packed_model(self.w, image=image[:keep]), "truncated")
        for at, words in ((0, "TRILOBIT"), (8, "version"), (26, "header"), (100, "damaged"),
                          (len(image) - 1, "damaged")):
            bad = image.copy()
            bad[at] ^= 255
            self.refused(packed_model(self.w, image=bad), words)
        for seed in range(40):
            r = np.random.default_rng(seed)
            self.refused(packed_model(self.w, image=r.integers(0, 256, 300).astype(np.uint8)),
                         "TRILOBIT")
        self.refused(packed_model(self.w, image=image.astype(np.int8)), "int8")
        self.refused(packed_model(self.w, image=image.astype(np.float32)), "float")
        self.refused(packed_model(self.w, image=image.reshape(2, -1)), "dimensions")

    def test_attributes(self):
        for changed, words in ((dict(N=71), "N is 71"), (dict(N=-1), "N is -1"),
                               (dict(activation="int9"), "int9"), (dict(activation=""), "''"),
                               (dict(group=33), "33"), (dict(group=-32), "-32"),
                               (dict(group=2**40 + 32), str(2**40 + 32)),
                               (dict(group="32"), ""), (dict(activation=8), ""),
                               (dict(N=70.0), ""), (dict(K=None), ""), (dict(activation=None), "")):
            self.refused(packed_model(self.w, dims=("t", "k"), **changed), words)
        self.refused(packed_model(self.w, dims=("t", "k"), K=299), "K is 299")
        self.refused(packed_model(self.w, K=299), "299")

    def test_inputs(self):
        self.refused(packed_model(self.w, np.int8))
        self.refused(packed_model(self.w, bias=floats(70, dtype=np.float16)), "type")
        with self.assertRaisesRegex(Exception, "last dimension of X"):
            session(packed_model(self.w, dims=("t", 299))).run(None, {"X": floats(4, 299)})
        node = helper.make_node("MatMul", ["X", "W"], ["Y"], name="the_node", domain="trilobit", N=70,
                                K=300, activation="int8", group=0)
        self.refused(model_of([node], [("X", np.float32, ["t", 300]), ("W", np.uint8, ["w"])],
                              [("Y", np.float32, None)], []), "initializer")

    def test_runs(self):
        x = floats(4, 300)
        for dtype in (np.float32, np.float16):
            s = session(packed_model(self.w, dtype, dims=("t", "k")))
            for bad in (np.nan, np.inf, -np.inf):
                y = x.astype(dtype)
                y[3, 299] = bad
                with self.assertRaisesRegex(Exception, "NaN or infinite"):
                    s.run(None, {"X": y})
            for shape in ((4, 299), (4, 0), (300, 4)):
                with self.assertRaisesRegex(Exception, "last dimension of X"):
                    s.run(None, {"X": np.zeros(shape, dtype)})
            y, = s.run(None, {"X": x.astype(dtype)})
            wanted = definition(x.astype(dtype), self.values, self.scales)
            self.assertEqual(y.tobytes(), wanted.tobytes())
        with self.assertRaisesRegex(Exception, "last dimension of X"):
            session(packed_model(self.w, dims=())).run(None, {"X": np.array(1, np.float32)})
        for bias in (floats(69), floats(70, 1), floats(0)):
            with self.assertRaisesRegex(Exception, "bias"):
                session(packed_model(self.w, bias=bias)).run(None, {"X": x})


if __name__ == "__main__":
    print(f"ONNX Runtime {ort.__version__}, {LIBRARY}")
    unittest.main()
