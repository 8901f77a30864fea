"""The side of a comparison that a Python runtime takes: see bench/compare/protocol.go.

One JSON object comes in on each line of standard input and one goes out for it. Between two of them the process
waits, blocked, and uses no CPU.
"""

import gc
import json
import math
import sys
import time

import numpy


def serve(name, version, runtime):
    """Answer requests until standard input ends. runtime is made anew by each "load"."""
    reply = {"name": name, "version": version}
    loaded = None
    while True:
        print(json.dumps(reply), flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        try:
            request = json.loads(line)
            if request["do"] == "load":
                start = time.perf_counter_ns()
                loaded = runtime(request["model"], request["threads"])
                elapsed = time.perf_counter_ns() - start
                inputs = request["inputs"]
                loaded.set_input(read(inputs, loaded.shape, 1))  # no more, for the sake of the memory measured
                gc.collect()
                gc.disable()
                reply = {"ns": [elapsed]}
            elif request["do"] == "time":
                reply = {"ns": [timed(loaded.run) for _ in range(request["runs"])]}
            elif request["do"] == "logits":
                logits(loaded, read(inputs, loaded.shape, -1), request["out"])
                reply = {}
            elif request["do"] == "profile":
                reply = {"layers": loaded.profile(request["runs"])}
            else:
                reply = {"error": f"unknown request {request['do']!r}"}
        except Exception as e:  # whatever a runtime throws, the other side must hear of it
            reply = {"error": f"{type(e).__name__}: {e}"}


def read(path, shape, count):
    """Read so many images of the graph's input shape, or all for -1."""
    shape = shape[1:]
    return numpy.fromfile(path, numpy.uint8, count * math.prod(shape) if count > 0 else -1).reshape(-1, *shape)


def timed(run):
    start = time.perf_counter_ns()
    run()
    return time.perf_counter_ns() - start


def logits(loaded, images, out):
    """Write the float32 logits of every image, one after the other."""
    with open(out, "wb") as f:
        for i in range(len(images)):
            loaded.set_input(images[i : i + 1])
            loaded.run()
            f.write(numpy.ascontiguousarray(loaded.output(), numpy.float32).tobytes())
    loaded.set_input(images[:1])
