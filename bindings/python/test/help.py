"""What the tests share: the models and the library's own answers, by the tool in the wheel."""

import json
import os
import struct
import subprocess
import sys
import zlib

import numpy

DATA = os.environ["RESNEXT_TEST_DATA"]  # a folder of models and pictures, see run.sh
MODEL, MULTI, EMBEDDING = (os.path.join(DATA, name) for name in ("model", "multilabel", "embedding"))


def png(pixels: numpy.ndarray) -> bytes:
    """A PNG file of [h,w] or [h,w,3|4] pixels of 8 bits, or [h,w] of 16."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    depth, colours = 8 * pixels.itemsize, {2: 0, 3: 2, 4: 6}[pixels.ndim if pixels.ndim == 2 else pixels.shape[2]]
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(len(pixels), -1)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, colours, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pictures(count: int, *shape: int, seed: int = 1) -> numpy.ndarray:
    """Pictures that networks tell apart: noise of few pixels, enlarged."""
    h, w, *samples = shape
    few = numpy.random.default_rng(seed).integers(0, 256, (count, -(-h // 8), -(-w // 8), *samples), numpy.uint8)
    return numpy.ascontiguousarray(few.repeat(8, 1).repeat(8, 2)[:, :h, :w])


def tool(*arguments: str, name: str = "resnext") -> str:
    """What a console script of the wheel prints."""
    path = os.path.join(os.path.dirname(sys.executable), name)
    return subprocess.run([path, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def answers(model: str, *files: str) -> list:
    """What `resnext classify --json` says of each file."""
    return [json.loads(line) for line in tool("classify", "--json", model, *files).splitlines()]


def logits(model: str, *files: str) -> numpy.ndarray:
    """The Go library's logits: its JSON has as many digits as tell float32 numbers apart."""
    return numpy.array([a["logits"] for a in answers(model, *files)], numpy.float32)


def python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """A Python of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def copy_of_package(folder: str) -> str:
    """A copy of the package in a folder, for PYTHONPATH; returns where it is."""
    import shutil

    import resnext

    return shutil.copytree(os.path.dirname(resnext.__file__), os.path.join(folder, "resnext"))
