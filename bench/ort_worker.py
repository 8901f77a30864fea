"""ONNX Runtime's side of a comparison."""

import json
import os
import statistics
import tempfile

import onnxruntime

import worker

INPUT, OUTPUT = "image", "logits"


class Runtime:
    """A session on the CPU with everything that makes it fast: all graph optimisations, operators one after the
    other, as many threads inside an operator as asked for, input and output bound once. Its threads may spin
    between operators, as they do by default."""

    def __init__(self, model, threads):
        self.model, self.threads = model, threads
        self.session = onnxruntime.InferenceSession(model, self.options(), providers=["CPUExecutionProvider"])
        self.shape = self.session.get_inputs()[0].shape
        self.binding = self.session.io_binding()
        self.binding.bind_output(OUTPUT, "cpu")

    def options(self):
        o = onnxruntime.SessionOptions()
        o.intra_op_num_threads = self.threads
        o.inter_op_num_threads = 1
        o.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        o.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        return o

    def set_input(self, image):
        self.image = image
        self.binding.bind_cpu_input(INPUT, image)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def output(self):
        return self.binding.get_outputs()[0].numpy()

    def profile(self, runs):
        """Median nanoseconds of each node, by its name."""
        with tempfile.TemporaryDirectory() as folder:
            o = self.options()
            o.enable_profiling = True
            o.profile_file_prefix = os.path.join(folder, "profile")
            session = onnxruntime.InferenceSession(self.model, o, providers=["CPUExecutionProvider"])
            for _ in range(runs):
                session.run([OUTPUT], {INPUT: self.image})
            with open(session.end_profiling()) as f:
                events = json.load(f)
        nodes = {}
        for e in events:
            if e.get("cat") == "Node" and e["name"].endswith("_kernel_time"):
                nodes.setdefault(e["name"], []).append(e["dur"] * 1000)
        return {name: statistics.median(ns) for name, ns in nodes.items()}


if __name__ == "__main__":
    worker.serve("ONNX Runtime", onnxruntime.__version__, Runtime)
