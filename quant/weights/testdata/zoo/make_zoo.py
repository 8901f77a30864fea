#!/usr/bin/env python3
"""Makes the files of this folder: small networks of every naming scheme as state dicts, and logits.json, what PyTorch
computes with each from the image of ../exports/make_exports.py. Weights are stored as float16; the logits are those of the
rounded weights.

timm's, torchvision's and transformers' networks are their own classes with narrow layers. The ResNets for CIFAR
are usual code that no library has. OpenMMLab's networks are timm's under its names.

Needs torch 2.15, torchvision, timm 1.0.31 and transformers 5.24. Run it in its own folder."""
import json
import os
import re
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from timm.layers import get_attn
from timm.models.regnet import RegNet as TimmRegNet, RegNetCfg
from timm.models.resnet import BasicBlock, Bottleneck, ResNet
from torch import nn
from torchvision.models.regnet import BlockParams, RegNet
from transformers import RegNetConfig, RegNetForImageClassification, ResNetConfig, ResNetForImageClassification

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


class PaddedBlock(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.stride, self.more = stride, out - channels

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.more:
            half = self.more // 2
            x = F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, half, self.more - half))
        return F.relu(y + x)


class Padded(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 6, 3, 1, 1, bias=False), nn.BatchNorm2d(6)
        self.layer1 = nn.Sequential(PaddedBlock(6, 6, 1), PaddedBlock(6, 6, 1))
        self.layer2 = nn.Sequential(PaddedBlock(6, 11, 2), PaddedBlock(11, 11, 1))  # three channels behind, two before
        self.layer3 = nn.Sequential(PaddedBlock(11, 14, 2))
        self.linear = nn.Linear(14, 5)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class Function(nn.Module):
    """A basic block as a sequence."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.residual_function = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
            nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out))
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        return F.relu(self.residual_function(x) + self.shortcut(x))


class Functions(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, 6, 3, 1, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU())
        self.conv2_x = nn.Sequential(Function(6, 8, 1), Function(8, 8, 1))
        self.conv3_x = nn.Sequential(Function(8, 12, 2))
        self.fc = nn.Linear(12, 5)

    def forward(self, x):
        return self.fc(self.conv3_x(self.conv2_x(self.conv1(x))).mean((2, 3)))


def randomise(net, seed):
    """Statistics far from the mean 0 and variance 1 of a fresh network, and gates that neither open nor close."""
    g = torch.Generator().manual_seed(seed)
    for p in net.parameters():
        if p.dim() > 1:
            p.data = torch.randn(p.shape, generator=g) * (2 / p[0].numel()) ** 0.5
        else:
            p.data = 0.3 * torch.randn(p.shape, generator=g)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data = 0.5 + torch.rand(module.weight.shape, generator=g)
            module.running_mean = 0.3 * torch.randn(module.running_mean.shape, generator=g)
            module.running_var = 0.3 + torch.rand(module.running_var.shape, generator=g)
    return net.half().float().eval()


def timm_resnet(block=Bottleneck, layers=(2, 1, 1, 1), channels=(4, 4, 6, 6), **kwargs):
    return ResNet(block, layers, num_classes=kwargs.pop('num_classes', 5), channels=channels, **kwargs)


def timm_regnet(se_ratio):
    """Four stages, as many as timm wants, two of them with two blocks."""
    return TimmRegNet(RegNetCfg(depth=6, w0=8, wa=4., wm=1.6, group_size=4, se_ratio=se_ratio, stem_width=8), num_classes=5)


def tv_regnet(se_ratio):
    params = BlockParams([1, 2, 2], [8, 16, 24], [4, 8, 8], [1.] * 3, [2] * 3, se_ratio)
    return RegNet(params, num_classes=5, stem_width=8)


RESNET = [(r'^conv1\.(\d)', r'stem.\1'), (r'^bn1', 'stem.7'), (r'^fc', 'head.fc'),
          (r'se\.fc(\d)', r'se_layer.conv\1.conv'), (r'^(stem|layer)', r'backbone.\1')]
REGNET = [(r'^stem.conv', 'conv1'), (r'^stem.bn', 'bn1'), (r'^s(\d)\.b1\.', r'layer\1.0.'), (r'^s(\d)\.b2\.', r'layer\1.1.'),
          (r'conv(\d)\.conv', r'conv\1'), (r'conv(\d)\.bn', r'bn\1'), (r'downsample\.conv', 'downsample.0'),
          (r'downsample\.bn', 'downsample.1'), (r'^(conv|bn|layer)', r'backbone.\1')]


def mm_names(state, rules):
    """OpenMMLab's names for timm's."""
    renamed = {}
    for name, value in state.items():
        for pattern, to in rules:
            name = re.sub(pattern, to, name)
        renamed[name] = value
    return renamed


rgb = ((np.arange(64 * 64 * 3) * 2654435761 % 2**32) >> 24).astype(np.uint8).reshape(64, 64, 3)
x = ((torch.from_numpy(rgb).float() / 255 - MEAN) / STD).permute(2, 0, 1)[None]
logits = {}
se = dict(block_args=dict(attn_layer='se'))
eca = dict(block_args=dict(attn_layer='eca'))
deep = dict(stem_type='deep', stem_width=4, avg_down=True)
nets = {
    'timm_d_se': timm_resnet(**deep, **se),
    'timm_t_eca': timm_resnet(BasicBlock, channels=(6, 6, 8, 10), stem_type='deep_tiered', stem_width=8, avg_down=True, **eca),
    'timm_c': timm_resnet(BasicBlock, channels=(6, 6, 8, 10), stem_type='deep', stem_width=4),
    'timm_rs': timm_resnet(**deep, replace_stem_pool=True, block_args=dict(attn_layer=partial(get_attn('se'), rd_ratio=0.25))),
    'timm_aa': timm_resnet(**deep, aa_layer=nn.AvgPool2d),
    'timm_headless': timm_resnet(**deep, num_classes=0),
    'timm_regnetx': timm_regnet(0.),
    'timm_regnety': timm_regnet(0.25),
    'torchvision_regnetx': tv_regnet(None),
    'torchvision_regnety': tv_regnet(0.25),
    'cifar_padded': Padded(),
    'cifar_functions': Functions(),
}
with torch.no_grad():
    for seed, (name, net) in enumerate(nets.items()):
        randomise(net, seed)
        logits[name + '.safetensors'] = net(x)[0].tolist()
        save_file(net.half().state_dict(), name + '.safetensors')
    for name, source, rules in [('openmmlab', 'timm_d_se', RESNET), ('openmmlab_regnet', 'timm_regnetx', REGNET)]:
        save_file(mm_names(nets[source].state_dict(), rules), name + '.safetensors')
        logits[name + '.safetensors'] = logits[source + '.safetensors']

    labels = ['ant', 'bee', 'cat', 'dog', 'eel']
    named = dict(id2label=dict(enumerate(labels)), label2id={n: i for i, n in enumerate(labels)})
    shape = dict(embedding_size=8, hidden_sizes=[8, 16, 24], depths=[1, 2, 1], **named)
    for name, net in {
            'transformers_regnetx': RegNetForImageClassification(RegNetConfig(layer_type='x', groups_width=4, **shape)),
            'transformers_regnety': RegNetForImageClassification(RegNetConfig(layer_type='y', groups_width=8, **shape)),
            'transformers_basic': ResNetForImageClassification(ResNetConfig(layer_type='basic', **shape)),
    }.items():
        randomise(net, len(logits))
        logits[name] = net(x).logits[0].tolist()
        net.half().save_pretrained(name)
        os.chmod(name + '/model.safetensors', 0o644)
with open('logits.json', 'w') as f:
    json.dump(logits, f, indent=1)
