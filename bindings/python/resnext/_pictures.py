"""What is taken for a picture, and how it becomes pixels for the library."""

from __future__ import annotations

import ctypes
import io
import os
import sys
from typing import TYPE_CHECKING, Any, Sequence, Union

import numpy
import numpy.typing

from resnext._library import BGR, BGRA, GRAY, RGB, RGBA, Error, Image

if TYPE_CHECKING:
    import PIL.Image

Pixels = numpy.typing.NDArray[numpy.uint8]
# One picture: an array [height,width,3], [height,width,4] or [height,width] of uint8, an image of Pillow's, a path, or the
# bytes of a file.
Picture = Union[Pixels, "PIL.Image.Image", str, "os.PathLike[str]", bytes]
# Several: a list of any of them, or an array [n,height,width,3] of uint8.
Pictures = Union[Sequence[Picture], Pixels]


def several(pictures: Any) -> bool:
    """Whether these are several pictures, and not one."""
    return isinstance(pictures, (list, tuple)) or getattr(pictures, "ndim", 0) == 4


def images(pictures: Sequence[Any], bgr: bool) -> tuple[Any, list[Pixels]]:
    """An array of resnext_image, and what its pointers point to."""
    structs = (Image * len(pictures))()
    kept = []
    for i, picture in enumerate(pictures):
        try:
            pixels = numpy.ascontiguousarray(_pixels(picture, bgr))
        except Error as error:
            raise Error(f"picture {i} of {len(pictures)}: {error}") if len(pictures) > 1 else error from None
        samples = pixels.shape[2] if pixels.ndim == 3 else 1
        layout = {1: GRAY, 3: BGR if bgr else RGB, 4: BGRA if bgr else RGBA}[samples]
        structs[i] = Image(ctypes.sizeof(Image), layout, pixels.shape[1], pixels.shape[0], 0, pixels.ctypes.data)
        kept.append(pixels)
    return structs, kept


def _pixels(picture: Any, bgr: bool) -> Pixels:
    if isinstance(picture, (str, os.PathLike, bytes, bytearray, memoryview)):
        _refuse_bgr(bgr)
        return _from_file(picture)
    pillow = sys.modules.get("PIL.Image")  # who has an image of Pillow's has imported it
    if pillow and isinstance(picture, pillow.Image):
        _refuse_bgr(bgr)
        return _from_pillow(picture)
    array = numpy.asarray(picture)
    if array.dtype != numpy.uint8 or not (array.ndim == 2 or array.ndim == 3 and array.shape[2] in (1, 3, 4)):
        raise Error(f"a picture of {array.dtype} {list(array.shape)}, expected uint8 [height,width,3], [height,width,4] or [height,width]")
    return array


def _refuse_bgr(bgr: bool) -> None:
    if bgr:
        raise Error("bgr=True is for arrays: a file or an image of Pillow's says itself how its colours lie")


def _from_file(file: Any) -> Pixels:
    """The picture in a file, which is a path or the file's bytes, upright as its EXIF says."""
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError:
        raise Error(
            "a picture by its path or file needs Pillow (pip install pillow); without it, give the pixels: uint8 [height,width,3]"
        ) from None
    path = isinstance(file, (str, os.PathLike))
    try:
        with PIL.Image.open(file if path else io.BytesIO(file)) as image:
            # Which format it was is lost in the turned image, and tells of 16 bits.
            return _from_pillow(PIL.ImageOps.exif_transpose(image), image.format)
    except Error:
        raise
    except Exception as error:  # Pillow's decoders raise all kinds for damaged files
        raise Error(f"the picture {os.fspath(file)!r} cannot be read: {error}" if path else f"the picture cannot be read: {error}") from error


def _from_pillow(image: PIL.Image.Image, file_format: str | None = None) -> Pixels:
    """The pixels of an image of any mode, as the tool resnext takes them: alpha is dropped, the stored colour stays; of 16
    bits the top ones are kept."""
    mode = image.mode
    if mode in ("L", "RGB"):
        return numpy.asarray(image)
    if mode.startswith("I;16"):
        return (numpy.asarray(image) >> 8).astype(numpy.uint8)
    if mode == "I" and "PNG" in (image.format, file_format):  # how Pillow opened gray of 16 bits before it had I;16 for it
        return (numpy.asarray(image) >> 8).astype(numpy.uint8)
    if mode in ("I", "F"):
        raise Error(f"an image of mode {mode} does not say which of its values is white: bring it to 8 bits first")
    try:
        if mode in ("La", "RGBa"):  # colours multiplied by alpha
            image = image.convert(mode[:-1] + "A")
        return numpy.asarray(image.convert("L" if mode in ("1", "LA", "La") else "RGB"))
    except ValueError as error:
        raise Error(f"an image of mode {mode} cannot be made RGB: {error}") from None
