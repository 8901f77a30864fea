#!/usr/bin/env python3
"""Makes the files of this folder: small networks of the family as PyTorch's two ONNX exporters write them, with the
forms of stems, shortcuts, gates and heads that timm, torchvision and people's own code give them; and logits.json, what
PyTorch computes with each.

Needs torch 2.15, torchvision, timm 1.0.31, onnx 1.23 and onnxscript. Run it in its own folder."""
import json

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from timm.models.resnet import BasicBlock, Bottleneck, ResNet
from torch import nn
from torchvision.models.regnet import BlockParams, RegNet

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


class PaddedShortcut(nn.Module):
    """Shortcut A of He et al. 2016 in the two forms that are usual in code for CIFAR."""

    def __init__(self, planes, pooled):
        super().__init__()
        self.planes, self.pooled = planes, pooled

    def forward(self, x):
        if self.pooled:
            x = F.avg_pool2d(x, 1, 2)
            return torch.cat((x, x.mul(0)), 1)
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.planes // 4, self.planes // 4), 'constant', 0)


class PlainBlock(nn.Module):
    def __init__(self, inplanes, planes, stride, pooled):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = nn.Conv2d(planes, planes, 3, 1, 1, bias=False), nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential() if stride == 1 else PaddedShortcut(planes, pooled)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ForCIFAR(nn.Module):
    """ResNet for CIFAR, its second stage padding around the channels and its third behind them."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, 1, 1, bias=False), nn.BatchNorm2d(4)
        self.layers = nn.Sequential(PlainBlock(4, 4, 1, False), PlainBlock(4, 8, 2, False), PlainBlock(8, 16, 2, True))
        self.linear = nn.Linear(16, 5)

    def forward(self, x):
        x = self.layers(F.relu(self.bn1(self.conv1(x))))
        x = F.avg_pool2d(x, x.size()[3])
        return self.linear(x.view(x.size(0), -1))


class Excited(nn.Module):
    """Squeeze and excitation with linear layers, as in the first implementations."""

    def __init__(self, channels, **_):
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(nn.Linear(channels, 4, bias=False), nn.ReLU(inplace=True),
                                nn.Linear(4, channels, bias=False), nn.Sigmoid())

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.fc(self.avg_pool(x).view(b, c)).view(b, c, 1, 1)
        return x * y.expand_as(x)


class Neighbours(nn.Module):
    """ECA as its authors wrote it."""

    def __init__(self, channels, **_):
        super().__init__()
        self.avg_pool, self.conv = nn.AdaptiveAvgPool2d(1), nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x):
        y = self.conv(self.avg_pool(x).squeeze(-1).transpose(-1, -2)).transpose(-1, -2).unsqueeze(-1)
        return x * y.sigmoid().expand_as(x)


def timm(block, layers, channels, classes=5, gate=None, **more):
    if gate:
        more['block_args'] = {'attn_layer': gate}
    return ResNet(block, layers, num_classes=classes, channels=channels, stem_type='deep', stem_width=2, **more)


def randomise(net, seed):
    """Statistics far from the mean 0 and variance 1 of a fresh network."""
    g = torch.Generator().manual_seed(seed)
    for p in net.parameters():
        if p.dim() > 1:
            p.data = torch.randn(p.shape, generator=g) * (2 / p[0].numel()) ** 0.5
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data = 0.5 + torch.rand(module.weight.shape, generator=g)
            module.bias.data = 0.3 * torch.randn(module.bias.shape, generator=g)
            module.running_mean = 0.3 * torch.randn(module.running_mean.shape, generator=g)
            module.running_var = 0.3 + torch.rand(module.running_var.shape, generator=g)
    return net.eval()


def strip(path):
    """Drops the exporter's notes about its source lines, which are most of a small file."""
    model = onnx.load(path)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ''
    for value in list(model.graph.value_info) + list(model.graph.input) + list(model.graph.output):
        del value.metadata_props[:]
    del model.graph.value_info[:], model.graph.metadata_props[:], model.metadata_props[:]
    onnx.save(model, path)


def script(net, path, fold=True):
    more = {} if fold else {
        'do_constant_folding': False, 'training': torch.onnx.TrainingMode.PRESERVE, 'input_names': ['image'],
        'dynamic_axes': {'image': {0: 'n'}},
    }
    torch.onnx.export(net, x, path, opset_version=13 if fold else 18, dynamo=False, **more)


def dynamo(net, path, **more):
    torch.onnx.export(net, (x,), path, dynamo=True, external_data=False, **more)
    strip(path)


rgb = ((np.arange(64 * 64 * 3) * 2654435761 % 2**32) >> 24).astype(np.uint8).reshape(64, 64, 3)
x = ((torch.from_numpy(rgb).float() / 255 - MEAN) / STD).permute(2, 0, 1)[None]
NETS = {
    'deep_se': timm(Bottleneck, [2, 1, 1, 1], [2, 3, 4, 4], gate='se', avg_down=True),
    'linear_se': timm(BasicBlock, [1, 1, 1, 1], [4, 6, 6, 8], gate=Excited),
    'eca': timm(BasicBlock, [1, 1, 1, 1], [6, 6, 6, 8], gate='eca'),
    'eca_first': timm(Bottleneck, [1, 1, 1, 1], [2, 2, 3, 3], gate=Neighbours),
    'aa': timm(Bottleneck, [1, 1, 1, 1], [2, 3, 4, 4], classes=0, aa_layer=nn.AvgPool2d),
    'regnety': RegNet(BlockParams.from_init_params(depth=4, w_0=8, w_a=8.0, w_m=2.0, group_width=4, se_ratio=0.25), 5, 8),
    'padded': ForCIFAR(),
}
FORMS = {
    'script': script,
    'open': lambda net, path: script(net, path, fold=False),
    'dynamo': dynamo,
}
EVERY = {'deep_se', 'eca_first', 'padded'}  # the others are not written with open norms
logits = {}
with torch.no_grad():
    for seed, (name, net) in enumerate(NETS.items()):
        randomise(net, seed)
        for form, export in FORMS.items():
            if form != 'open' or name in EVERY:
                export(net, f'{name}_{form}.onnx')
                logits[f'{name}_{form}.onnx'] = net(x)[0].tolist()
    labels = nn.Sequential(NETS['padded'], nn.Sigmoid()).eval()
    script(labels, 'labels_script.onnx')
    logits['labels_script.onnx'] = NETS['padded'](x)[0].tolist()
    classes = nn.Sequential(NETS['aa'], nn.Unflatten(1, (16, 1, 1)), nn.Conv2d(16, 3, 1), nn.Flatten(), nn.LogSoftmax(1))
    dynamo(randomise(classes, 9), 'classes_dynamo.onnx')
    logits['classes_dynamo.onnx'] = classes[:-1](x)[0].tolist()
with open('logits.json', 'w') as f:
    json.dump(logits, f, indent=1)
