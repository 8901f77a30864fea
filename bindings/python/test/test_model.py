"""Models: answers to the bit, batches, threads, pickling, forks, and what is refused."""

import os
import pickle
import tempfile
import threading
import unittest

import help
import numpy
import resnext


def in_worker(job):
    """In a worker: the model came by pickling."""
    model, pixels = job
    return model.infer(pixels).tobytes()


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pixels = help.pictures(6, 45, 61, 3)
        cls.folder = tempfile.TemporaryDirectory()
        cls.files = []
        for i, p in enumerate(cls.pixels):
            cls.files.append(os.path.join(cls.folder.name, f"{i}.png"))
            with open(cls.files[-1], "wb") as file:
                file.write(help.png(p))
        cls.golden = help.logits(help.MODEL, *cls.files)
        cls.model = resnext.Model(help.MODEL)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_to_the_bit(self):
        self.assertEqual(len({row.tobytes() for row in self.golden}), 6)
        for p, want in zip(self.pixels, self.golden):
            self.assertEqual(self.model.infer(p).tobytes(), want.tobytes())
        batch = self.model.infer(self.pixels)
        self.assertEqual((batch.shape, batch.dtype), ((6, self.model.info.classes), numpy.float32))
        self.assertEqual(batch.tobytes(), self.golden.tobytes())

    def test_predictions(self):
        for p, said in zip(self.pixels, help.answers(help.MODEL, *self.files)):
            want = [(x["label"], numpy.float32(x["probability"])) for x in said["predictions"]]
            self.assertEqual([(label, numpy.float32(q)) for label, q in self.model.classify(p)], want)
        several = self.model.classify(self.pixels, 2)
        self.assertEqual(several, [self.model.classify(p, 2) for p in self.pixels])
        self.assertEqual(several[0][0].label, several[0][0][0])
        everything = self.model.classify(self.pixels[0], 1000)
        self.assertEqual(len(everything), self.model.info.classes)
        self.assertAlmostEqual(sum(p.probability for p in everything), 1, places=5)
        self.assertEqual(self.model.classify(self.pixels[0], 1000, threshold=2), [])

    def test_features(self):
        want = [float(x) for line in help.tool("embed", help.MODEL, *self.files).splitlines() for x in line.split("\t")[-1].split()]
        got = self.model.embed(self.pixels)
        self.assertEqual(got.shape, (6, self.model.info.features))
        if len(want) == got.size:
            self.assertEqual(got.tobytes(), numpy.array(want, numpy.float32).tobytes())
        else:
            self.fail(f"resnext embed printed {len(want)} numbers, expected {got.size}")
        self.assertEqual(self.model.embed(self.pixels[2]).tobytes(), got[2].tobytes())
        ones = resnext.normalise(got)
        numpy.testing.assert_allclose((ones * ones).sum(1), 1, rtol=1e-5)
        self.assertEqual(resnext.normalise(numpy.zeros(3, numpy.float32)).tolist(), [0, 0, 0])

    def test_layouts(self):
        rgb, want = self.pixels[0], self.golden[0].tobytes()
        alpha = numpy.dstack([rgb, numpy.zeros(rgb.shape[:2], numpy.uint8)])
        for name, picture, bgr in (
            ("BGR", rgb[:, :, ::-1], True),
            ("BGR in a batch", rgb[None, :, :, ::-1], True),
            ("RGBA", alpha, False),
            ("BGRA", alpha[:, :, [2, 1, 0, 3]], True),
            ("turned in memory", numpy.asfortranarray(rgb), False),
            ("a part of a larger one", numpy.pad(rgb, ((3, 4), (5, 6), (0, 0)))[3:-4, 5:-6], False),
            ("written protected", numpy.frombuffer(rgb.tobytes(), numpy.uint8).reshape(rgb.shape), False),
        ):
            with self.subTest(name):
                self.assertEqual(self.model.infer(picture, bgr=bgr).tobytes(), want)
        self.assertNotEqual(self.model.infer(rgb, bgr=True).tobytes(), want)
        gray = rgb[:, :, 0]
        same = self.model.infer(numpy.dstack([gray] * 3)).tobytes()
        self.assertEqual(self.model.infer(gray).tobytes(), same)
        self.assertEqual(self.model.infer(gray[:, :, None]).tobytes(), same)

    def test_lists(self):
        sizes = [help.pictures(1, h, w, 3)[0] for h, w in ((5, 200), (28, 28), (300, 7))]
        self.assertEqual(self.model.infer(sizes).tobytes(), b"".join(self.model.infer(s).tobytes() for s in sizes))
        self.assertEqual(self.model.infer([]).shape, (0, self.model.info.classes))
        self.assertEqual(self.model.embed(self.pixels[:0]).shape, (0, self.model.info.features))
        self.assertEqual(self.model.classify([]), [])

    def test_other_heads(self):
        model = resnext.Model(help.MULTI)
        self.assertEqual(model.info.head, resnext.Head.MULTI_LABEL)
        for p, said in zip(self.pixels, help.answers(help.MULTI, "--threshold=0", *self.files)):
            want = {x["label"]: numpy.float32(x["probability"]) for x in said["predictions"]}
            got = model.classify(p, len(want))
            self.assertEqual({label: numpy.float32(q) for label, q in got}, want)
            self.assertEqual([q for _, q in got], sorted((q for _, q in got), reverse=True))
            self.assertTrue(all(q >= 0.4 for _, q in model.classify(p, threshold=0.4)))
        model = resnext.Model(help.EMBEDDING)
        self.assertEqual((model.info.head, model.info.classes, model.labels), (resnext.Head.EMBEDDING, 0, []))
        self.assertEqual(model.embed(self.pixels).shape, (6, model.info.features))
        for ask in (model.infer, model.classify):
            for what in (self.pixels, self.pixels[0]):
                with self.assertRaisesRegex(resnext.Error, "classes"):
                    ask(what)

    def test_options(self):
        for options in ({"threads": 1}, {"kernels": "generic"}, {"sessions": 1, "memory_limit": 1 << 30}):
            self.assertEqual(resnext.Model(help.MODEL, **options).infer(self.pixels).tobytes(), self.golden.tobytes())
        self.assertEqual(resnext.Model(help.MODEL, kernels="generic").info.kernels, "generic")
        with open(help.MODEL, "rb") as file:
            model = resnext.Model.from_bytes(file.read())
        self.assertEqual(model.infer(self.pixels).tobytes(), self.golden.tobytes())
        self.assertEqual(pickle.loads(pickle.dumps(model)).infer(self.pixels).tobytes(), self.golden.tobytes())

    def test_threads(self):
        """Twelve threads and two sessions: each answer is that of its picture."""
        model, wrong, begin = resnext.Model(help.MODEL, sessions=2), [], threading.Barrier(12)

        def work(number):
            begin.wait()
            for i in range(30):
                k = (number + i) % 6
                if model.infer(self.pixels[k]).tobytes() != self.golden[k].tobytes():
                    wrong.append((number, i))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertLessEqual(model._made, 2)

    def test_close(self):
        """Closing while threads are busy and waiting: each call is answered, or told that the model is closed."""
        model, ends, begin = resnext.Model(help.MODEL, sessions=1), [], threading.Barrier(5)

        def work():
            model.infer(self.pixels)
            begin.wait()
            try:
                while True:
                    model.infer(self.pixels)
            except resnext.Error as error:
                ends.append(str(error))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        begin.wait()
        model.close()
        for thread in threads:
            thread.join()
        self.assertEqual(ends, ["the model is closed"] * 4)
        model.close()
        with resnext.Model(help.MODEL) as model:
            model.infer(self.pixels)
        with self.assertRaisesRegex(resnext.Error, "closed"):
            model.infer(self.pixels)

    def test_pickled(self):
        here = os.getcwd()
        os.chdir(help.DATA)
        try:
            model = resnext.Model(os.path.basename(help.MODEL), threads=1)
        finally:
            os.chdir(here)
        data = pickle.dumps(model)
        self.assertLess(len(data), 1000)
        again = pickle.loads(data)
        self.assertEqual(again.infer(self.pixels).tobytes(), self.golden.tobytes())
        self.assertEqual((again.info, again.labels, again._threads), (model.info, model.labels, 1))
        error = pickle.loads(pickle.dumps(resnext.Error("words", 3)))
        self.assertEqual((str(error), error.status), ("words", 3))

    def test_workers(self):
        import multiprocessing

        for kind in ("spawn", "forkserver"):
            with self.subTest(kind), multiprocessing.get_context(kind).Pool(2) as pool:
                jobs = [(self.model, p) for p in self.pixels]
                self.assertEqual(pool.map(in_worker, jobs), [g.tobytes() for g in self.golden])


class Forks(unittest.TestCase):
    BEFORE = """
import multiprocessing, sys, numpy, resnext
def work(path): return resnext.Model(path).infer(numpy.zeros((9, 9, 3), numpy.uint8)).tobytes()
with multiprocessing.get_context("fork").Pool(2) as pool: there = pool.map(work, [sys.argv[1]] * 4)
assert set(there) == {work(sys.argv[1])}
"""
    AFTER = """
import gc, os, sys, threading, numpy, resnext
picture = numpy.zeros((9, 9, 3), numpy.uint8)
model = resnext.Model(sys.argv[1])
want = model.infer(picture).tobytes()
model._room.acquire()  # as a thread may that is in the midst of a call when another forks
if os.fork() == 0:
    for ask in (lambda: model.infer(picture), lambda: resnext.Model(sys.argv[1])):
        try: ask()
        except resnext.ForkError as error: print(error.status, error, flush=True)
    model.close()
    del model
    gc.collect()
    os._exit(5)
model._room.release()
assert os.waitstatus_to_exitcode(os.wait()[1]) == 5
assert model.infer(picture).tobytes() == want
"""

    def test_fork_before_the_first_model(self):
        ran = help.python(self.BEFORE, help.MODEL)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_fork_afterwards(self):
        ran = help.python(self.AFTER, help.MODEL, PYTHONWARNINGS="ignore")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        said = ran.stdout.splitlines()
        self.assertEqual(len(said), 2, said)
        for line in said:
            self.assertRegex(line, r"^7 .*fork of.*get_context\('spawn'\)")


class Refused(unittest.TestCase):
    def refuses(self, words, ask, *arguments, **options):
        with self.subTest(words), self.assertRaisesRegex(resnext.Error, words) as caught:
            ask(*arguments, **options)
        self.assertNotIn("\n", str(caught.exception))

    def test_models(self):
        self.refuses("no such file", resnext.Model, "/nowhere/model")
        self.refuses("zero byte", resnext.Model, help.MODEL + "\0.png")
        self.refuses("resnext_model_open: ", resnext.Model, __file__)
        self.refuses("resnext_model_open_memory: ", resnext.Model.from_bytes, b"")
        self.refuses("kernels", resnext.Model, help.MODEL, kernels="nonesuch")
        self.refuses("threads=-1", resnext.Model, help.MODEL, threads=-1)
        self.refuses("sessions=-1", resnext.Model, help.MODEL, sessions=-1)
        self.refuses("memory", resnext.Model, help.MODEL, memory_limit=1)

    def test_pictures(self):
        model = resnext.Model(help.MODEL)
        for ask in (model.infer, model.embed, model.classify):
            for shape in ((8,), (8, 8, 2), (2, 8, 8, 3, 1), (0, 8, 3), (8, 0, 3), ()):
                self.refuses("picture|pixels|width", ask, numpy.zeros(shape, numpy.uint8))
            for kind in (numpy.float32, numpy.uint16, numpy.int8, bool):
                self.refuses("expected uint8", ask, numpy.zeros((8, 8, 3), kind))
            self.refuses("expected uint8", ask, None)
            self.refuses("picture 1 of 2: .*expected uint8", ask, [numpy.zeros((8, 8), numpy.uint8), numpy.zeros(8)])
        self.refuses("top=0", model.classify, numpy.zeros((8, 8), numpy.uint8), 0)


if __name__ == "__main__":
    unittest.main()
