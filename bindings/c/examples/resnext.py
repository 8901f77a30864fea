"""libresnext for Python, by ctypes: numpy arrays in, numpy arrays out.

    model = resnext.Model("model.int8.safetensors")
    for label, probability in model.classify(picture):  # uint8 [height,width,3], R G B, or [height,width]: gray
        print(label, probability)
    features = model.embed(picture)  # to compare pictures: their cosine similarity is
    features @ other / (numpy.linalg.norm(features) * numpy.linalg.norm(other))

A Model may be used by one thread at a time. RESNEXT_LIBRARY names the library where the system does not find it.
"""

import ctypes
import os

import numpy

_lib = ctypes.CDLL(os.environ.get("RESNEXT_LIBRARY", "libresnext.so.0"))
_lib.resnext_last_error.restype = ctypes.c_char_p


class _Info(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t)] + [(n, ctypes.c_uint32) for n in ("width", "height", "classes", "layers")]
    _fields_ += [(n, ctypes.c_uint64) for n in ("macs", "session_bytes")] + [(n, ctypes.c_char_p) for n in ("architecture", "kernels")]


class _Image(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("format", ctypes.c_int32)] + [(n, ctypes.c_uint32) for n in ("width", "height", "reserved")]
    _fields_ += [("pixels", ctypes.c_void_p), ("stride", ctypes.c_size_t), ("chroma", ctypes.c_void_p), ("chroma_stride", ctypes.c_size_t)]


MULTI_LABEL, EMBEDDING = 2, 3  # of resnext_head


class Error(Exception):
    """What the library says went wrong."""


def _check(status):
    if status:
        raise Error(_lib.resnext_last_error().decode())


class Model:
    """An int8 model file with one session. info has width, height, classes, architecture, kernels and more; features is how
    many numbers embed gives, head a resnext_head."""

    def __init__(self, path):
        self._model, self._session, self.info = ctypes.c_void_p(), ctypes.c_void_p(), _Info(ctypes.sizeof(_Info))
        _check(_lib.resnext_model_open(os.fsencode(path), None, ctypes.byref(self._model)))
        _check(_lib.resnext_model_get_info(self._model, ctypes.byref(self.info)))
        _check(_lib.resnext_session_new(self._model, None, ctypes.byref(self._session)))
        head, features = ctypes.c_int32(), ctypes.c_uint32()
        _check(_lib.resnext_model_head(self._model, ctypes.byref(head)))
        _check(_lib.resnext_model_features(self._model, ctypes.byref(features)))
        self.head, self.features = head.value, features.value
        label, self.labels = ctypes.c_char_p(), []
        for i in range(self.info.classes):
            _check(_lib.resnext_model_label(self._model, ctypes.c_uint32(i), ctypes.byref(label)))
            self.labels.append(label.value.decode())

    def _ask(self, function, picture, count):
        """What a function of the library gives for a picture: so many float32."""
        p = numpy.ascontiguousarray(picture)
        if p.dtype != numpy.uint8 or p.ndim not in (2, 3) or p.ndim == 3 and p.shape[2] != 3:
            raise Error(f"a picture of {p.dtype} {list(p.shape)}, expected uint8 [height,width,3] or [height,width]")
        image = _Image(ctypes.sizeof(_Image), 1 if p.ndim == 3 else 5, p.shape[1], p.shape[0], 0, p.ctypes.data)  # RGB, GRAY
        out = numpy.empty(max(count, 1), numpy.float32)
        _check(function(self._session, ctypes.byref(image), out.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(out.size)))
        return out

    def logits(self, picture):
        """One float32 a class for a picture of any size."""
        return self._ask(_lib.resnext_infer, picture, self.info.classes)

    def embed(self, picture):
        """The features of a picture of any size, float32. Every model has them."""
        return self._ask(_lib.resnext_embed, picture, self.features)

    def classify(self, picture, top=5):
        """The most probable classes as (label, probability), best first. Probabilities add up to 1 over all classes; of a
        multi-label model each is the label's own."""
        logits = self.logits(picture).astype(numpy.float64)
        if self.head == MULTI_LABEL:
            p = numpy.exp(-numpy.logaddexp(0, -logits))  # 1 / (1 + exp(-logits))
        else:
            p = numpy.exp(logits - logits.max()) / numpy.exp(logits - logits.max()).sum()
        return [(self.labels[i], float(p[i])) for i in numpy.argsort(-p, kind="stable")[:top]]

    def __del__(self):
        _lib.resnext_session_close(self._session)
        _lib.resnext_model_close(self._model)
