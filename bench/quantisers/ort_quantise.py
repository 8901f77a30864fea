"""ONNX Runtime's static quantisation of the float network, by all its calibration methods."""

import logging
import os
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from network import Network, Results, note

INPUT, OUTPUT = "image", "logits"


class Exporter:
    """Writes the float network as ONNX."""

    def __init__(self, network):
        self.network, self.nodes, self.constants = network, [], []

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    def conv(self, step, tensors):
        name = step["name"]
        inputs = [
            tensors[step["in"]],
            self.constant(name + ".weight", self.network.weight(name)),
            self.constant(name + ".bias", self.network.bias(name)),
        ]
        k, pad = step["kernel"], step["kernel"] // 2
        y = self.node(
            "Conv", inputs, name + ".conv", kernel_shape=[k, k], pads=[pad] * 4, strides=[step["stride"]] * 2, group=step["groups"]
        )
        if step["add"] >= 0:
            name = step["block"]
            y = self.node("Add", [y, tensors[step["add"]]], name + ".sum")
        return self.node("Relu", [y], name) if step["relu"] else y

    def gate(self, step, tensors):
        x, name = tensors[step["in"]], step["name"]
        means = self.node("GlobalAveragePool", [x], name + ".means")
        if len(step["layers"]) == 2:
            for layer in step["layers"]:
                weight = self.network.weight(layer)[:, :, None, None]
                inputs = [means, self.constant(layer + ".weight", weight), self.constant(layer + ".bias", self.network.bias(layer))]
                means = self.node("Conv", inputs, layer, kernel_shape=[1, 1])
                if layer == step["layers"][0]:
                    means = self.node("Relu", [means], layer + ".relu")
        else:  # channels become the places of a convolution
            layer, k = step["layers"][0], self.network.weight(step["layers"][0]).shape[1]
            turned = self.node("Transpose", [means], layer + ".in", perm=[0, 2, 1, 3])
            weight = self.constant(layer + ".weight", self.network.weight(layer)[:, None, :, None])
            inputs = [turned, weight, self.constant(layer + ".bias", self.network.bias(layer))]
            turned = self.node("Conv", inputs, layer, kernel_shape=[k, 1], pads=[k // 2, 0, k // 2, 0])
            means = self.node("Transpose", [turned], layer + ".out", perm=[0, 2, 1, 3])
        y = self.node("Mul", [x, self.node("Sigmoid", [means], name + ".sigmoid")], name + ".product")
        if step["add"] < 0:
            return y
        return self.node("Relu", [self.node("Add", [y, tensors[step["add"]]], name + ".sum")], name)

    def export(self, path):
        tensors = {0: INPUT}
        for step in self.network.steps:
            x, name = tensors[step["in"]], step["name"]
            if step["op"] == "conv":
                tensors[step["out"]] = self.conv(step, tensors)
            elif step["op"] == "max_pool":
                tensors[step["out"]] = self.node("MaxPool", [x], name, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
            elif step["op"] == "average_pool":
                tensors[step["out"]] = self.node("AveragePool", [x], name, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
            elif step["op"] == "gate":
                tensors[step["out"]] = self.gate(step, tensors)
            else:
                x = self.node("Flatten", [self.node("GlobalAveragePool", [x], "average")], "features")
                weight = self.constant(name + ".weight", self.network.weight(name))
                self.node("Gemm", [x, weight, self.constant(name + ".bias", self.network.bias(name))], OUTPUT, transB=1)
        graph = helper.make_graph(
            self.nodes,
            "resnext",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", 3, self.network.height, self.network.width])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", self.network.classes])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)


class Pictures(CalibrationDataReader):
    def __init__(self, network, batch):
        x = network.pictures("calibration")
        self.batches = iter([{INPUT: x[i : i + batch]} for i in range(0, len(x), batch)])

    def get_next(self):
        return next(self.batches, None)


def session(path, optimised):
    o = onnxruntime.SessionOptions()
    level = onnxruntime.GraphOptimizationLevel
    o.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
    o.log_severity_level = 3
    return onnxruntime.InferenceSession(path, o, providers=["CPUExecutionProvider"])


def logits(path, network, optimised):
    s, x = session(path, optimised), network.pictures("evaluation")
    return numpy.concatenate([s.run([OUTPUT], {INPUT: x[i : i + 16]})[0] for i in range(0, len(x), 16)])


def main():
    folder, methods = sys.argv[1], sys.argv[2].split(",")
    logging.getLogger().setLevel(logging.ERROR)
    network, results = Network(folder), Results(folder, "ONNX Runtime")
    path, prepared = (os.path.join(folder, name) for name in ("float.onnx", "float-prepared.onnx"))
    Exporter(network).export(path)
    quant_pre_process(path, prepared, skip_symbolic_shape=True)
    results.measure("float", lambda: path, lambda p: logits(p, network, True))
    for method in methods:
        for reduce_range in (False, True):
            name = f"{method}, 7-bit weights" if reduce_range else method
            note(f"ONNX Runtime: {name}")
            out = os.path.join(folder, f"{method}{'-7' if reduce_range else ''}.onnx")

            def quantise():
                quantize_static(
                    prepared, out, Pictures(network, 16), quant_format=QuantFormat.QDQ, per_channel=True,
                    reduce_range=reduce_range, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    calibrate_method=CalibrationMethod[method],
                )
                return out

            results.measure(name, quantise, lambda p: logits(p, network, True))
            if not reduce_range and os.path.exists(out):
                # In float32, where nothing saturates: what the numbers are worth on other CPUs.
                results.measure(f"{name}, exact sums", lambda: out, lambda p: logits(p, network, False))


main()
