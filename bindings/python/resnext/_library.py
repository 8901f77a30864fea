"""libresnext by ctypes: where it is found, its structs and functions, and its words when something fails.

resnext.h says what they promise. Loading starts nothing, so that a program may still fork.
"""

from __future__ import annotations

import ctypes
import os
import sys
import warnings
from ctypes import POINTER, Structure, c_char_p, c_float, c_int, c_int32, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Optional

ABI = 2  # the least interface version that has what is called here
EFORK = 7
RGB, BGR, RGBA, BGRA, GRAY = 1, 2, 3, 4, 5  # of resnext_format
SONAME = "libresnext.so.0"


class Error(Exception):
    """What went wrong, in words. status is the library's resnext_status, 0 if it was found out before the library was asked."""

    status: int

    def __init__(self, words: str, status: int = 0) -> None:
        super().__init__(words)
        self.status = status


class ForkError(Error):
    """This process is a fork of one that used the library."""


class ModelOptions(Structure):
    _fields_ = [("size", c_size_t), ("kernels", c_char_p), ("memory_limit", c_uint64)]


class ModelInfo(Structure):
    _fields_ = [
        ("size", c_size_t),
        *((n, c_uint32) for n in ("width", "height", "classes", "layers")),
        *((n, c_uint64) for n in ("macs", "session_bytes")),
        *((n, c_char_p) for n in ("architecture", "kernels")),
    ]


class SessionOptions(Structure):
    _fields_ = [("size", c_size_t), ("threads", c_uint32), ("reserved", c_uint32)]


class Image(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("format", c_int32),
        *((n, c_uint32) for n in ("width", "height", "reserved")),
        ("pixels", c_void_p),
        ("stride", c_size_t),
        ("chroma", c_void_p),
        ("chroma_stride", c_size_t),
    ]


class Prediction(Structure):
    _fields_ = [("class_index", c_uint32), ("probability", c_float), ("logit", c_float)]


# The arguments of each function that gives a status.
_FUNCTIONS: dict[str, list[Any]] = {
    "model_open": [c_char_p, POINTER(ModelOptions), POINTER(c_void_p)],
    "model_open_memory": [c_char_p, c_size_t, POINTER(ModelOptions), POINTER(c_void_p)],
    "model_get_info": [c_void_p, POINTER(ModelInfo)],
    "model_head": [c_void_p, POINTER(c_int32)],
    "model_features": [c_void_p, POINTER(c_uint32)],
    "model_label": [c_void_p, c_uint32, POINTER(c_char_p)],
    "model_close": [c_void_p],
    "session_new": [c_void_p, POINTER(SessionOptions), POINTER(c_void_p)],
    "session_close": [c_void_p],
    "infer": [c_void_p, POINTER(Image), c_void_p, c_size_t],
    "embed": [c_void_p, POINTER(Image), c_void_p, c_size_t],
    "infer_batch": [c_void_p, POINTER(Image), c_size_t, c_void_p, c_size_t],
    "embed_batch": [c_void_p, POINTER(Image), c_size_t, c_void_p, c_size_t],
    "sigmoid": [c_void_p, c_size_t, c_void_p],
    "top": [c_void_p, c_size_t, POINTER(Prediction), POINTER(c_size_t)],
}

_MACHINES = {3: "i686", 40: "armv7l", 62: "x86_64", 183: "aarch64"}


def _machine(path: str) -> Optional[str]:
    """The kind of machine that a program or library is for; None if it is neither."""
    with open(path, "rb") as file:
        header = file.read(20)
    if len(header) < 20 or header[:4] != b"\x7fELF":
        return None
    number = int.from_bytes(header[18:20], "little")
    return _MACHINES.get(number, f"machine {number}")


def _glibc() -> Optional[str]:
    """The version of glibc that runs here, None if the C library is another one."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):
        return None


def _why(name: str, error: OSError) -> str:
    """Why the library could not be loaded, and what to do about it."""
    if os.sep not in name:
        return f"{name} is neither in this package nor in the system: install the wheel again, or name a libresnext in RESNEXT_LIBRARY ({error})"
    if not os.path.isfile(name):
        return f"there is no library {name}, which RESNEXT_LIBRARY names"
    library, here = _machine(name), _machine("/proc/self/exe")
    if library is None:
        return f"{name} is no library: its file is damaged, or another one; install the wheel again"
    if library != here:
        return f"{name} is for {library}, and this Python is for {here}: install the wheel for {here}"
    if not _glibc():
        return f"{name} needs glibc, and this Python has another C library, such as musl, in which a Go library cannot be loaded"
    return f"{name} cannot be loaded: {error}"


def _load() -> ctypes.CDLL:
    if sys.platform != "linux":
        raise ImportError(f"resnext is for Linux, and this is {sys.platform}")
    own = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib", SONAME)
    name = os.environ.get("RESNEXT_LIBRARY") or (own if os.path.exists(own) else SONAME)
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise ImportError(_why(name, error)) from None
    try:
        has = library.resnext_abi_version()
    except AttributeError:
        raise ImportError(f"{name} is another library, and not libresnext") from None
    library.resnext_version_string.restype = c_char_p
    if has < ABI:
        raise ImportError(
            f"{name} is libresnext {library.resnext_version_string().decode()}, whose interface is version {has}; this package needs {ABI} or later"
        )
    library.resnext_last_error.restype = c_char_p
    for function, arguments in _FUNCTIONS.items():
        entry = getattr(library, "resnext_" + function)
        entry.argtypes, entry.restype = arguments, c_int
    return library


def _others() -> list[tuple[str, str]]:
    """Path and version of every other libresnext in this process that is not of the same version."""
    with open("/proc/self/maps") as file:
        paths = {line.split(None, 5)[5].rstrip("\n") for line in file if "/libresnext.so" in line}
    found = []
    for path in sorted(paths):
        try:
            other = ctypes.CDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        except OSError:
            continue  # its file is not there any more
        other.resnext_version_string.restype = c_char_p
        its = other.resnext_version_string().decode()
        if its != version:
            found.append((path, its))
    return found


lib = _load()
version: str = lib.resnext_version_string().decode()
for _path, _version in _others():
    warnings.warn(
        f"this process has two versions of libresnext, {version} for Python and {_version} ({_path}): both work, each with memory and threads of its own",
        RuntimeWarning,
        stacklevel=2,
    )

_forks = 0  # how often this process is a fork of the one that imported this


def _forked() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_forked)


def forks() -> int:
    """A number that is another one in a fork of the process."""
    return _forks


def check(status: int) -> None:
    """Raises what the library says of its last call, unless its status is 0."""
    if status == 0:
        return
    words = lib.resnext_last_error().decode()
    if status == EFORK:
        raise ForkError(f"{words}. Workers need a Model of their own: start them by multiprocessing.get_context('spawn')", status)
    raise Error(words, status)
