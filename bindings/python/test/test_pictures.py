"""Images of Pillow's and files: of every mode the pixels that the tool resnext sees; without Pillow, words."""

import io
import os
import pathlib
import tempfile
import unittest

import help
import numpy
import resnext

try:
    import PIL.Image as pillow
except ImportError:
    pillow = None


@unittest.skipIf(pillow, "Pillow is here: the other environment tests this")
class WithoutPillow(unittest.TestCase):
    def test_words(self):
        model = resnext.Model(help.MODEL)
        for picture in ("a.png", pathlib.Path("a.png"), b"\x89PNG"):
            with self.assertRaisesRegex(resnext.Error, "needs Pillow .pip install pillow."):
                model.classify(picture)


@unittest.skipUnless(pillow, "Pillow is not here: the other environment tests this")
class WithPillow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = resnext.Model(help.MODEL)
        cls.rgb, cls.gray = help.pictures(1, 40, 50, 3)[0], help.pictures(1, 40, 50)[0]

    def same(self, picture, pixels):
        self.assertEqual(self.model.infer(picture).tobytes(), self.model.infer(numpy.ascontiguousarray(pixels)).tobytes())

    def test_modes(self):
        rgb, gray = pillow.fromarray(self.rgb), pillow.fromarray(self.gray)
        alpha = pillow.fromarray(self.rgb[:, :, 1])
        paletted = rgb.quantize(16)
        palette = numpy.asarray(paletted.convert("RGB"))
        rgba, la = rgb.copy(), gray.copy()
        rgba.putalpha(alpha)
        la.putalpha(alpha)
        seen = paletted.copy()
        seen.info["transparency"] = 3
        pa = pillow.new("PA", paletted.size)
        pa.putpalette(paletted.getpalette())
        pa.putdata([(int(i), 9) for i in numpy.asarray(paletted).ravel()])
        bits = gray.point(lambda v: 255 * (v > 99)).convert("1", dither=pillow.Dither.NONE)
        deep = (self.gray.astype(numpy.uint16) << 8) + 77
        cases = {
            "RGB": (rgb, self.rgb),
            "L": (gray, self.gray),
            "P": (paletted, palette),
            "P with a transparent colour": (seen, palette),
            "P of gray": (pillow.fromarray(self.gray).convert("P"), self.gray),
            "PA": (pa, palette),
            "RGBA": (rgba, self.rgb),
            "RGBX": (rgb.convert("RGBX"), self.rgb),
            "LA": (la, self.gray),
            "1": (bits, numpy.where(self.gray > 99, 255, 0).astype(numpy.uint8)),
            "I;16": (pillow.frombytes("I;16", (50, 40), deep.astype("<u2").tobytes()), self.gray),
            "I;16B": (pillow.frombytes("I;16B", (50, 40), deep.astype(">u2").tobytes()), self.gray),
            "CMYK": (rgb.convert("CMYK"), rgb.convert("CMYK").convert("RGB")),
            "YCbCr": (rgb.convert("YCbCr"), rgb.convert("YCbCr").convert("RGB")),
            "HSV": (rgb.convert("HSV"), rgb.convert("HSV").convert("RGB")),
        }
        for name, (image, pixels) in cases.items():
            with self.subTest(name):
                self.assertEqual(image.mode, name.split()[0])
                self.same(image, pixels)
        premultiplied = rgba.convert("RGBa")
        self.same(premultiplied, numpy.asarray(premultiplied.convert("RGBA"))[:, :, :3])
        for mode in ("I", "F"):
            with self.assertRaisesRegex(resnext.Error, f"mode {mode} "):
                self.model.infer(gray.convert(mode))
        with self.assertRaisesRegex(resnext.Error, "bgr=True is for arrays"):
            self.model.infer(rgb, bgr=True)

    def test_files(self):
        """Files of all kinds give the logits that the tool gives for them, to the bit."""
        deep = (self.gray.astype(numpy.uint16) << 8) + 200
        alpha = numpy.dstack([self.rgb, self.rgb[:, :, 0]])
        files = {"rgb.png": help.png(self.rgb), "gray.png": help.png(self.gray), "deep.png": help.png(deep), "alpha.png": help.png(alpha)}
        image = pillow.fromarray(self.rgb)
        turned = pillow.Exif()
        turned[0x0112] = 6
        for name, saved, options in (
            ("palette.png", image.quantize(7), {}),
            ("transparent.png", image.quantize(7), {"transparency": 2}),
            ("bits.png", pillow.fromarray(self.gray).convert("1"), {}),
            ("la.png", pillow.fromarray(self.gray).convert("LA"), {}),
            ("turned.png", image, {"exif": turned}),
            ("palette.gif", image.quantize(9), {}),
            ("plain.bmp", image, {}),
            ("lossless.webp", image, {"lossless": True}),
            ("plain.tiff", image, {}),
        ):
            out = io.BytesIO()
            saved.save(out, name.rsplit(".")[1], **options)
            files[name] = out.getvalue()
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in files]
            for path, data in zip(paths, files.values()):
                with open(path, "wb") as file:
                    file.write(data)
            for path, want in zip(paths, help.logits(help.MODEL, *paths)):
                with self.subTest(os.path.basename(path)):
                    self.assertEqual(self.model.infer(path).tobytes(), want.tobytes())
            self.assertEqual(self.model.classify(paths[:3]), [self.model.classify(pathlib.Path(p)) for p in paths[:3]])
            self.assertEqual(self.model.classify(files["rgb.png"]), self.model.classify(self.rgb))
            self.assertEqual(self.model.embed(bytearray(files["gray.png"])).tobytes(), self.model.embed(self.gray).tobytes())

    def test_samples(self):
        """The bundled pictures."""
        folder = os.path.join(help.DATA, "sample")
        paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        self.assertEqual(len(paths), 10)
        self.assertEqual(self.model.infer(paths).tobytes(), help.logits(help.MODEL, *paths).tobytes())
        right = sum(best[0].label in path for path, best in zip(paths, self.model.classify(paths, 1)))
        self.assertGreaterEqual(right, 9)

    def test_bad_files(self):
        whole = help.png(self.rgb)
        for words, file in (
            ("'/nowhere/a.png' cannot be read", "/nowhere/a.png"),
            ("cannot be read", b""),
            ("cannot be read", b"no picture"),
            ("cannot be read", whole[: len(whole) // 2]),
            ("cannot be read", __file__),
        ):
            with self.assertRaisesRegex(resnext.Error, words):
                self.model.infer(file)


if __name__ == "__main__":
    unittest.main()
