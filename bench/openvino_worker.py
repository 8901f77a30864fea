"""OpenVINO's side of a comparison."""

import statistics

import openvino

import worker


class Runtime:
    """A model compiled for the least latency on so many threads: one stream, one request at a time."""

    def __init__(self, model, threads):
        self.model, self.threads = model, threads
        self.request = self.compile({})
        self.shape = list(self.request.get_compiled_model().input(0).shape)

    def compile(self, more):
        settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": self.threads}
        return openvino.Core().compile_model(self.model, "CPU", settings | more).create_infer_request()

    def set_input(self, image):
        self.image = image
        self.request.set_input_tensor(openvino.Tensor(image, shared_memory=True))

    def run(self):
        self.request.infer()

    def output(self):
        return self.request.get_output_tensor(0).data

    def profile(self, runs):
        """Median nanoseconds of each node, by its name."""
        request = self.compile({"PERF_COUNT": True})
        request.set_input_tensor(openvino.Tensor(self.image, shared_memory=True))
        nodes = {}
        for _ in range(runs):
            request.infer()
            for info in request.get_profiling_info():
                nodes.setdefault(info.node_name, []).append(info.real_time.total_seconds() * 1e9)
        return {name: statistics.median(ns) for name, ns in nodes.items()}


if __name__ == "__main__":
    worker.serve("OpenVINO", openvino.__version__.split("-")[0], Runtime)
