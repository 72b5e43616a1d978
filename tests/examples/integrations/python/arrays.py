# SPDX-License-Identifier: MIT
"""The module against NumPy: integers exactly, floats bit by bit where the definition is one line."""

import gc
import os
import signal
import sys
import tempfile
import threading
import time
import unittest

try:
    import numpy as np
except ImportError:
    print("skipped: there is no numpy (Debian: python3-numpy)")
    sys.exit(4)

import trilobit

rng = np.random.default_rng(7)


def definition(values, scales, x):
    """int8 activations, a scale for each token and each row."""
    largest = np.maximum(np.abs(x).max(axis=-1, keepdims=True), np.float32(1e-5))
    factor = np.float32(127) / largest
    sums = np.rint(x * factor).astype(np.int32) @ values.astype(np.int32).T
    return np.float32(0) + sums.astype(np.float32) * (scales * (np.float32(1) / factor))


def floats(*shape):
    return rng.standard_normal(shape, dtype=np.float32)


class Products(unittest.TestCase):
    def test_layouts_and_threads(self):
        for layout in trilobit.LAYOUTS:
            if not layout.startswith(("ternary", "binary")):
                continue
            values = rng.integers(0, 2, (70, 300), np.int8)
            values = values if layout.startswith("ternary") else values * 2 - 1
            if layout == "ternary_3of4":  # one zero in four
                values = values * 2 - 1
                values.reshape(-1, 4)[np.arange(70 * 75), rng.integers(0, 4, 70 * 75)] = 0
            scales, x = floats(70), floats(4, 300)
            wanted = definition(values, scales, x)
            w = trilobit.pack(values, layout, scales=scales, scale="row")
            self.assertEqual((w.shape, w.layout), ((70, 300), layout))
            for threads in (1, 3):
                for arch in trilobit.ARCHS:
                    c = trilobit.Context(threads, arch)
                    self.assertEqual(c.arch, arch)
                    y = trilobit.matmul(x, w, context=c)
                    self.assertEqual(y.tobytes(), wanted.tobytes())

    def test_axes_and_out(self):
        w = trilobit.pack(floats(20, 64), scale="row")
        x = floats(2, 3, 64)
        y = trilobit.matmul(x, w)
        self.assertEqual(y.shape, (2, 3, 20))
        np.testing.assert_array_equal(y[1, 2], trilobit.matmul(x[1, 2], w))
        wide = np.zeros((2, 3, 32), np.float32)
        self.assertIs(trilobit.matmul(x[0], w, out=wide[0, :, :20]).base, wide)
        np.testing.assert_array_equal(wide[0, :, :20], y[0])
        self.assertTrue((wide[0, :, 20:] == 0).all())
        self.assertEqual(trilobit.matmul(floats(0, 64), w).shape, (0, 20))
        # What is no float32 in contiguous rows is copied, once.
        np.testing.assert_array_equal(trilobit.matmul(x.astype(np.float64), w), y)
        np.testing.assert_array_equal(trilobit.matmul(np.asfortranarray(x[0]), w), y[0])
        np.testing.assert_array_equal(trilobit.matmul(x[0][::-1], w), y[0][::-1])
        np.testing.assert_array_equal(trilobit.matmul(x[0][::2], w), y[0][::2])

    def test_nothing_is_copied(self):
        x = floats(6, 64)
        for array in (x, x[1:4], x[::2], x[:, :32]):
            same, stride = trilobit._rows_in_place(array, np.float32)
            self.assertEqual(same.ctypes.data, array.ctypes.data)
            self.assertEqual(stride * 4, array.strides[0])
        values = rng.integers(-1, 2, (5, 40), np.int8)
        self.assertIs(trilobit._rows_in_place(values, np.int8)[0], values)

    def test_activations(self):
        w = trilobit.pack(floats(30, 256), scale=128, scale_type="f16")
        x = floats(3, 256)
        for activation in trilobit.ACTIVATIONS:
            for group in (0, 32):
                y = trilobit.matmul(x, w, activation=activation, group=group)
                for kernel in ("generic", "dot"):
                    np.testing.assert_array_equal(
                        trilobit.matmul(x, w, activation=activation, group=group, kernel=kernel), y)

    def test_other_threads_run(self):
        w = trilobit.pack(floats(512, 4096))
        x, turns, stop = floats(256, 4096), [0], threading.Event()

        def count():
            while not stop.is_set():
                turns[0] += 1
                time.sleep(0)

        interval = sys.getswitchinterval()
        thread = threading.Thread(target=count)
        try:
            sys.setswitchinterval(60)  # nobody gives the lock up but who releases it
            thread.start()
            one, before = trilobit.Context(1), turns[0]
            # A busy machine may leave the counting thread asleep for longer than one product.
            give_up = time.monotonic() + 20
            while turns[0] == before and time.monotonic() < give_up:
                trilobit.matmul(x, w, context=one)
            self.assertGreater(turns[0], before)
        finally:
            stop.set()
            sys.setswitchinterval(interval)
            thread.join()

    def test_threads_share_a_context(self):
        w, c = trilobit.pack(floats(64, 512)), trilobit.Context(2)
        wrong = []

        def work(x):
            wanted = trilobit.matmul(x, w, context=trilobit.Context(1))
            for _ in range(50):
                if not (trilobit.matmul(x, w, context=c) == wanted).all():
                    wrong.append(1)

        threads = [threading.Thread(target=work, args=(floats(2, 512),)) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])

    def test_children(self):
        w, x, c = trilobit.pack(floats(64, 4096)), floats(64, 4096), trilobit.Context(3)
        wanted = trilobit.matmul(x, w, context=c)
        trilobit.matmul(x, w)
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            good = (trilobit.matmul(x, w) == wanted).all()
            good = good and (trilobit.matmul(x, w, context=c) == wanted).all()
            del c
            gc.collect()
            os._exit(0 if good else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


class Images(unittest.TestCase):
    def test_files_and_views(self):
        w, x = trilobit.pack(floats(33, 100), "ternary_base3", scale=64), floats(2, 100)
        y = trilobit.matmul(x, w)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "w.trilobit")
            w.save(path)
            self.assertEqual(os.path.getsize(path), w.nbytes)
            for verify in ("everything", "header"):
                np.testing.assert_array_equal(
                    trilobit.matmul(x, trilobit.load(path, verify)), y)
            with open(path, "r+b") as file:
                file.seek(100)
                file.write(b"\x55\xaa")
            with self.assertRaisesRegex(trilobit.Error, "damaged"):
                trilobit.load(path)
            with self.assertRaises(trilobit.Error):
                w.save(os.path.join(folder, "none", "w"))
        image = np.frombuffer(bytes(w) + bytes(64), np.uint8)
        aligned = np.empty(w.nbytes + 64, np.uint8)
        start = -aligned.ctypes.data % 64
        aligned = aligned[start:start + w.nbytes]
        aligned[:] = image[:w.nbytes]
        v = trilobit.view(aligned)
        del aligned
        gc.collect()
        np.testing.assert_array_equal(trilobit.matmul(x, v), y)
        del w, v
        gc.collect()

    def test_blocks(self):
        codes = rng.integers(0, 3, (2, 256), np.uint8)
        blocks = bytearray()
        for row in codes:
            packed = np.zeros(64, np.uint8)
            for i, code in enumerate(row):
                packed[32 * (i // 128) + i % 32] |= int(code) << 2 * (i // 32 % 4)
            blocks += packed.tobytes() + np.float16(0.5).tobytes()
        values = codes.astype(np.int8) - 1
        same = trilobit.pack(values, scales=np.float32([[0.5], [0.5]]), scale=256, scale_type="f16")
        self.assertEqual(bytes(trilobit.pack_blocks(blocks, "tq2_0", 2, 256)), bytes(same))
        one = trilobit.pack_blocks(blocks, "tq2_0", 2, 256, one_scale=True)
        self.assertEqual(bytes(one), bytes(trilobit.pack(values, scales=0.5)))
        with self.assertRaisesRegex(trilobit.Error, "fewer bytes"):
            trilobit.pack_blocks(blocks[:-1], "tq2_0", 2, 256)


class Refusals(unittest.TestCase):
    def refused(self, code, call, *arguments, **named):
        with self.assertRaises(trilobit.Error) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.code, code)
        self.assertRegex(str(caught.exception), r"^.{10,}")

    def test_values_and_shapes(self):
        weights, x = floats(8, 64), floats(2, 64)
        w = trilobit.pack(weights)
        self.refused(1, trilobit.matmul, floats(2, 63), w)
        self.refused(1, trilobit.matmul, np.float32(1), w)
        self.refused(1, trilobit.matmul, x, w, out=np.empty((2, 7), np.float32))
        self.refused(1, trilobit.matmul, x, w, out=np.empty((2, 8), np.float64))
        self.refused(1, trilobit.matmul, x, w, out=np.empty((8, 2), np.float32).T)
        frozen = np.full((2, 8), 3, np.float32)
        frozen.flags.writeable = False
        self.refused(2, trilobit.matmul, x, w, out=frozen)
        x[1, 5] = np.nan
        y = np.full((2, 8), 3, np.float32)
        self.refused(2, trilobit.matmul, x, w, out=y)
        self.assertTrue((y == 3).all())
        weights[0, 0] = np.inf
        self.refused(2, trilobit.pack, weights)
        self.refused(1, trilobit.pack, floats(8))
        self.refused(1, trilobit.pack, floats(2, 64), scale=33)
        self.refused(1, trilobit.pack, floats(2, 64), scale="column")
        self.refused(1, trilobit.pack, np.zeros((1, 2**18 + 1), np.float32))
        self.refused(2, trilobit.pack, np.int8([[1, 2]]), scales=1)
        self.refused(2, trilobit.pack, np.int8([[1, 0]]))
        self.refused(2, trilobit.pack, floats(1, 2), scales=1)
        self.refused(1, trilobit.pack, np.int8([[1, 0]]), scales=[1, 2], scale="row")
        self.refused(1, trilobit.pack, np.int8([[1, 0]]), scales=[1, 2])
        self.refused(1, trilobit.pack_blocks, b"", "tq2_0", 2**70, 256)
        self.refused(1, trilobit.pack_blocks, b"", "tq2_0", -1, 256)

    def test_names(self):
        w, x = trilobit.pack(floats(8, 64)), floats(2, 64)
        self.refused(5, trilobit.pack, floats(8, 64), "octal")
        self.refused(5, trilobit.pack, floats(8, 64), scale_type="f8")
        self.refused(5, trilobit.matmul, x, w, activation="int9")
        self.refused(5, trilobit.matmul, x, w, kernel=[])
        self.refused(5, trilobit.pack_blocks, b"", "q4_0", 1, 256)
        self.refused(5, trilobit.load, "x", "nothing")
        self.refused(5, trilobit.Context, 1, "abacus")
        self.refused(2, trilobit.Context, 0)
        self.refused(2, trilobit.Context, 2**40)
        self.refused(3, trilobit.load, "there is no such file")
        self.refused(3, trilobit.view, b"TRILOBIT")
        with self.assertRaises(TypeError):
            trilobit.matmul(x, x)
        with self.assertRaises(TypeError):
            trilobit.matmul(x, w, context=1)


if __name__ == "__main__":
    unittest.main()
