"""PyTorch's static quantisation (FX graph mode) of the float network."""

import copy
import sys
import warnings

import numpy
import torch
from torch import nn
from torch.ao.quantization import QConfigMapping, default_per_channel_weight_observer, get_default_qconfig_mapping
from torch.ao.quantization.observer import HistogramObserver, MinMaxObserver
from torch.ao.quantization.qconfig import QConfig
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

from network import Network, Results, note


def conv(network, name):
    l = network.layers[name]
    c = nn.Conv2d(l["in"], l["out"], l["kernel"], l["stride"], l["kernel"] // 2, groups=l["groups"])
    c.weight.data = torch.from_numpy(network.weight(name).copy())
    c.bias.data = torch.from_numpy(network.bias(name).copy())
    return c


class Block(nn.Module):
    def __init__(self, network, name, projection):
        super().__init__()
        self.shortcut = conv(network, name + ".shortcut") if projection else None
        self.reduce = nn.Sequential(conv(network, name + ".reduce"), nn.ReLU())
        self.transform = nn.Sequential(conv(network, name + ".transform"), nn.ReLU())
        self.expand = conv(network, name + ".expand")
        self.relu = nn.ReLU()

    def forward(self, x):
        y = self.expand(self.transform(self.reduce(x)))
        return self.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNeXt(nn.Module):
    def __init__(self, network):
        super().__init__()
        about = network.about
        self.stem = nn.Sequential(conv(network, "stem"), nn.ReLU())
        self.pool = nn.MaxPool2d(3, 2, 1) if about["max_pool"] else nn.Identity()
        self.blocks = nn.Sequential(*[Block(network, b["name"], b["projection"]) for b in about["blocks"]])
        self.average, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.classifier = nn.Linear(network.weight("classifier").shape[1], network.classes)
        self.classifier.weight.data = torch.from_numpy(network.weight("classifier").copy())
        self.classifier.bias.data = torch.from_numpy(network.bias("classifier").copy())

    def forward(self, x):
        return self.classifier(self.flatten(self.average(self.blocks(self.pool(self.stem(x))))))


def batches(x, size):
    return (torch.from_numpy(x[i : i + size]) for i in range(0, len(x), size))


def logits(model, network):
    with torch.inference_mode():
        return numpy.concatenate([model(b).numpy() for b in batches(network.pictures("evaluation"), 16)])


def quantise(model, network, qconfig):
    calibration = network.pictures("calibration")
    prepared = prepare_fx(copy.deepcopy(model), qconfig, (torch.from_numpy(calibration[:1]),))
    with torch.inference_mode():
        for b in batches(calibration, 16):
            prepared(b)
    return convert_fx(prepared)


def per_channel(observer):
    return QConfigMapping().set_global(
        QConfig(activation=observer.with_args(quant_min=0, quant_max=255), weight=default_per_channel_weight_observer)
    )


def main():
    folder = sys.argv[1]
    warnings.simplefilter("ignore")
    torch.set_num_threads(2)
    network, results = Network(folder), Results(folder, "PyTorch")
    model = ResNeXt(network).eval()
    results.measure("float", lambda: model, lambda m: logits(m, network))
    for engine in ("fbgemm", "onednn", "qnnpack"):
        if engine not in torch.backends.quantized.supported_engines:
            continue
        torch.backends.quantized.engine = engine
        for name, qconfig in (
            ("default", get_default_qconfig_mapping(engine)),
            ("per-channel, Histogram", per_channel(HistogramObserver)),
            ("per-channel, MinMax", per_channel(MinMaxObserver)),
        ):
            note(f"PyTorch: {engine}, {name}")
            results.measure(f"{engine}, {name}", lambda: quantise(model, network, qconfig), lambda m: logits(m, network))


main()
