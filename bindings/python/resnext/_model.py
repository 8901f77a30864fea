"""Models, and the sessions that threads use."""

from __future__ import annotations

import contextlib
import ctypes
import enum
import os
import threading
from dataclasses import dataclass
from typing import Any, Iterator, NamedTuple, Optional, Union, overload

import numpy
import numpy.typing

from resnext import _library, _pictures
from resnext._library import Error, ForkError, check, lib
from resnext._pictures import Picture, Pictures, Pixels

Floats = numpy.typing.NDArray[numpy.float32]


class Head(enum.IntEnum):
    """What a model makes of a picture's features."""

    ONE_CLASS = 1  # classes of which one is right: probabilities add up to 1
    MULTI_LABEL = 2  # labels any of which may be right: each has a probability of its own
    EMBEDDING = 3  # nothing: the features are the answer


class Prediction(NamedTuple):
    label: str
    probability: float


@dataclass(frozen=True)
class Info:
    """What is known of a model."""

    width: int  # of the network's input, in pixels
    height: int
    classes: int  # 0 of Head.EMBEDDING
    features: int  # how many numbers embed gives
    layers: int  # with weights
    macs: int  # multiply-accumulates for one picture
    session_bytes: int  # what each session needs for activations
    head: Head
    architecture: str  # such as "resnext50_32x4d", or ""
    kernels: str  # the kernel set in use


class Model:
    """An int8 model file. Any number of threads may use it: each call has a session to itself, which is kept for the next.

    path      of the model file
    threads   how many CPU cores one call uses; 0 takes all that the process may use
    kernels   the kernel set, None takes the best of this CPU; the results do not depend on it
    sessions  how many calls run at the same time, others wait; 0 takes the number of CPU cores
    memory_limit  the most bytes that a session may need; 0 takes 512 MiB

    A model is pickled as its path and options: what unpickles it opens the file again.
    """

    info: Info
    labels: list[str]

    def __init__(
        self,
        path: Union[str, bytes, os.PathLike[str]],
        *,
        threads: int = 0,
        kernels: Optional[str] = None,
        sessions: int = 0,
        memory_limit: int = 0,
    ) -> None:
        self._open(os.path.abspath(os.fsencode(path)), None, (threads, kernels, sessions, memory_limit))

    @classmethod
    def from_bytes(
        cls, data: bytes, *, threads: int = 0, kernels: Optional[str] = None, sessions: int = 0, memory_limit: int = 0
    ) -> Model:
        """A model whose file is in memory. It is pickled with all of that."""
        model = cls.__new__(cls)
        model._open(None, bytes(data), (threads, kernels, sessions, memory_limit))
        return model

    def _open(self, path: Optional[bytes], data: Optional[bytes], options: tuple[int, Optional[str], int, int]) -> None:
        self._path, self._data, self._options = path, data, options
        self._model: Optional[ctypes.c_void_p] = None  # as long as it is open
        self._forks = _library.forks()
        self._idle: list[ctypes.c_void_p] = []
        self._made = 0  # sessions, idle ones among them
        self._room = threading.Condition()
        threads, kernels, sessions, memory_limit = options
        if min(threads, sessions, memory_limit) < 0 or threads >= 1 << 32 or memory_limit >= 1 << 64:
            raise Error(f"threads={threads}, sessions={sessions}, memory_limit={memory_limit}: each is a number from 0")
        self._threads = threads
        self._most = sessions or len(os.sched_getaffinity(0))

        if path is not None and b"\0" in path:
            raise Error(f"{os.fsdecode(path)!r} is no path: it has a zero byte")

        wanted = _library.ModelOptions(ctypes.sizeof(_library.ModelOptions), kernels.encode() if kernels else None, memory_limit)
        model = ctypes.c_void_p()
        if data is None:
            check(lib.resnext_model_open(path, wanted, ctypes.byref(model)))
        else:
            check(lib.resnext_model_open_memory(data, len(data), wanted, ctypes.byref(model)))
        self._model = model
        self.info = self._ask()
        label, self.labels = ctypes.c_char_p(), []
        for i in range(self.info.classes):
            check(lib.resnext_model_label(model, i, ctypes.byref(label)))
            self.labels.append((label.value or b"").decode())
        self._give(self._take())  # what a session lacks is found out now

    def _ask(self) -> Info:
        raw, head, features = _library.ModelInfo(ctypes.sizeof(_library.ModelInfo)), ctypes.c_int32(), ctypes.c_uint32()
        check(lib.resnext_model_get_info(self._model, ctypes.byref(raw)))
        check(lib.resnext_model_head(self._model, ctypes.byref(head)))
        check(lib.resnext_model_features(self._model, ctypes.byref(features)))
        return Info(
            width=raw.width,
            height=raw.height,
            classes=raw.classes,
            features=features.value,
            layers=raw.layers,
            macs=raw.macs,
            session_bytes=raw.session_bytes,
            head=Head(head.value),
            architecture=raw.architecture.decode(),
            kernels=raw.kernels.decode(),
        )

    # What a picture is said to be.

    @overload
    def classify(self, picture: Pixels, top: int = 5, *, threshold: float = 0, bgr: bool = False) -> list[Any]: ...
    @overload
    def classify(  # type: ignore[overload-overlap]  # a str is a sequence of str
        self, picture: Picture, top: int = 5, *, threshold: float = 0, bgr: bool = False
    ) -> list[Prediction]: ...
    @overload
    def classify(self, picture: Pictures, top: int = 5, *, threshold: float = 0, bgr: bool = False) -> list[list[Prediction]]: ...
    def classify(self, picture: Any, top: int = 5, *, threshold: float = 0, bgr: bool = False) -> list[Any]:
        """The at most `top` most probable classes as (label, probability), best first, each at least threshold probable; of
        several pictures a list of such lists. Probabilities add up to 1 over all classes; of a multi-label model each is the
        label's own."""
        if top < 1:
            raise Error(f"top={top}: it is a number from 1")
        logits = self.infer(picture, bgr=bgr)
        if logits.ndim == 1:
            return self._best(logits, top, threshold)
        return [self._best(row, top, threshold) for row in logits]

    def infer(self, picture: Union[Picture, Pictures], *, bgr: bool = False) -> Floats:
        """One float32 a class, before they are made probabilities: [classes], or [n,classes] of several pictures. Pictures may
        have any size: they are resized and cropped as the model file says. With bgr=True arrays are in B G R, as OpenCV has them."""
        return self._run(lib.resnext_infer, lib.resnext_infer_batch, picture, bgr, self.info.classes)

    def embed(self, picture: Union[Picture, Pictures], *, bgr: bool = False) -> Floats:
        """The features, float32: [features], or [n,features] of several pictures. Every model has them. Pictures that look
        alike have features that point the same way: see normalise."""
        return self._run(lib.resnext_embed, lib.resnext_embed_batch, picture, bgr, self.info.features)

    def _run(self, one: Any, batch: Any, picture: Any, bgr: bool, count: int) -> Floats:
        many = _pictures.several(picture)
        structs, kept = _pictures.images(picture if many else [picture], bgr)
        n = len(structs)
        # A model without classes has the library say so, and not the array of none.
        out = numpy.empty((n, count), numpy.float32)
        room = out if out.size else numpy.empty(1, numpy.float32)
        with self._session() as session:
            if not many:
                check(one(session, structs, room.ctypes.data, room.size))
            elif n > 0:
                check(batch(session, structs, n, room.ctypes.data, room.size))
        del kept  # the library's pointers were into these
        return out if many else out[0]

    def _best(self, logits: Floats, top: int, threshold: float) -> list[Prediction]:
        count = ctypes.c_size_t(min(top, logits.size))
        best = (_library.Prediction * count.value)()
        check(lib.resnext_top(logits.ctypes.data, logits.size, best, ctypes.byref(count)))
        found = [(p.class_index, p.probability) for p in best[: count.value]]
        if self.info.head == Head.MULTI_LABEL:
            own = numpy.empty_like(logits)
            check(lib.resnext_sigmoid(logits.ctypes.data, logits.size, own.ctypes.data))
            found = [(i, float(own[i])) for i, _ in found]
        return [Prediction(self.labels[i], p) for i, p in found if p >= threshold]

    # Sessions.

    def _take(self) -> ctypes.c_void_p:
        """A session that nobody else uses, an idle one or a new one; waits if there are as many as may be."""
        if self._forks != _library.forks():  # before the lock, which a thread that is not in this process may hold
            raise ForkError(
                "this process is a fork of the one that opened the model. Workers need a Model of their own: make it in the worker, "
                "before the parent makes one, or start workers by multiprocessing.get_context('spawn')",
                _library.EFORK,
            )
        with self._room:
            while self._model and not self._idle and self._made >= self._most:
                self._room.wait()
            if not self._model:
                raise Error("the model is closed")
            if self._idle:
                return self._idle.pop()
            self._made += 1
            # Under the lock, so that nobody closes the model meanwhile.
            session = ctypes.c_void_p()
            options = _library.SessionOptions(ctypes.sizeof(_library.SessionOptions), self._threads, 0)
            try:
                check(lib.resnext_session_new(self._model, options, ctypes.byref(session)))
            except BaseException:
                self._made -= 1
                self._room.notify()  # somebody who waits may be luckier
                raise
            return session

    def _give(self, session: ctypes.c_void_p) -> None:
        with self._room:
            if self._model:
                self._idle.append(session)
                self._room.notify()
                return
        lib.resnext_session_close(session)

    @contextlib.contextmanager
    def _session(self) -> Iterator[ctypes.c_void_p]:
        session = self._take()
        try:
            yield session
        finally:
            self._give(session)

    def close(self) -> None:
        """Gives the model's memory back, once calls that are running are done. Afterwards it cannot be used. A model that
        nothing refers to is closed by itself."""
        if self._forks != _library.forks():
            return
        with self._room:
            model, self._model = self._model, None
            idle, self._idle = self._idle, []
            self._room.notify_all()
        for session in idle:
            lib.resnext_session_close(session)
        if model:
            lib.resnext_model_close(model)

    def __del__(self) -> None:
        if getattr(self, "_room", None) is not None:  # else it was never opened
            self.close()

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (type(self), self._path, self._data, self._options)

    def __repr__(self) -> str:
        name = os.fsdecode(self._path) if self._path is not None else f"{len(self._data or b'')} bytes"
        return f"<resnext.Model {name}: {self.info.architecture or 'a network'}, {self.info.width}x{self.info.height}, {self.info.classes} classes>"


def _reopen(cls: type[Model], path: Optional[bytes], data: Optional[bytes], options: tuple[int, Optional[str], int, int]) -> Model:
    """A model as it was pickled."""
    model = cls.__new__(cls)
    model._open(path, data, options)
    return model


def normalise(features: Floats) -> Floats:
    """Features of length 1, of one picture or of each: `normalise(a) @ normalise(b)` is how much two pictures are alike, at most 1."""
    length = numpy.linalg.norm(features, axis=-1, keepdims=True)
    return (features / numpy.where(length > 0, length, 1)).astype(numpy.float32, copy=False)
