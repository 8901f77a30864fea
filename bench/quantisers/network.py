"""What bench/quantisers wrote for the Python quantisers: a float network and pictures."""

import json
import os
import struct
import sys
import time

import numpy


class Network:
    """network.json beside weights.safetensors: the steps in order, float32, batch normalisation folded."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "network.json")) as f:
            self.about = json.load(f)
        self.steps = self.about["steps"]
        self.tensors = safetensors(os.path.join(folder, "weights.safetensors"))
        self.classes = self.about["classes"]
        self.height, self.width = self.about["height"], self.about["width"]

    def weight(self, name):
        """The layer's weights [out,in/groups,kernel,kernel], the classifier's [out,in]."""
        return self.tensors[name + ".weight"]

    def bias(self, name):
        return self.tensors[name + ".bias"]

    def pictures(self, which, count=None):
        """Normalised pictures [n,3,height,width], float32: "calibration" or "evaluation"."""
        path = os.path.join(self.folder, which + ".rgb")
        size = self.height * self.width * 3
        if count is None:
            count = os.path.getsize(path) // size
        rgb = numpy.fromfile(path, numpy.uint8, count * size).reshape(-1, self.height, self.width, 3)
        x = (rgb.astype(numpy.float32) / 255 - numpy.float32(self.about["mean"])) / numpy.float32(self.about["std"])
        return numpy.ascontiguousarray(x.transpose(0, 3, 1, 2))


def safetensors(path):
    with open(path, "rb") as f:
        data = f.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, t in header.items():
        if name != "__metadata__":
            assert t["dtype"] == "F32", name
            begin, end = (8 + length + offset for offset in t["data_offsets"])
            tensors[name] = numpy.frombuffer(data[begin:end], numpy.float32).reshape(t["shape"])
    return tensors


class Results:
    """Reports each quantiser's logits as one line of JSON, with a file of float32 [pictures,classes]."""

    def __init__(self, folder, runtime):
        self.folder, self.runtime = folder, runtime
        # Quantisers talk on standard output.
        self.out, sys.stdout = sys.stdout, sys.stderr

    def measure(self, method, quantise, run):
        """quantise() makes what run(made) turns into logits. What fails is reported with its reason."""
        report = {"runtime": self.runtime, "method": method}
        try:
            start = time.perf_counter()
            made = quantise()
            report["seconds"] = time.perf_counter() - start
            logits = numpy.ascontiguousarray(run(made), numpy.float32)
            report["file"] = os.path.join(self.folder, f"{self.runtime}-{method}.f32".replace(" ", "-").replace(",", ""))
            logits.tofile(report["file"])
        except Exception as e:  # whatever a quantiser throws is its result
            report["error"] = f"{type(e).__name__}: {e}".splitlines()[0]
        print(json.dumps(report), file=self.out, flush=True)


def note(text):
    print(text, file=sys.stderr, flush=True)
