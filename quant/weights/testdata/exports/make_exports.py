#!/usr/bin/env python3
"""Makes the files of this folder: one small ResNeXt as PyTorch's two ONNX exporters write it, the same as a
state dict, and a small ResNet as transformers saves it; and logits.json, what PyTorch computes with each.

Needs torch 2.15, torchvision, onnx, onnxscript and transformers 5.23. Run it in its own folder."""
import json
import os

import numpy as np
import onnx
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models.resnet import Bottleneck, ResNet
from transformers import ConvNextImageProcessor, ResNetConfig, ResNetForImageClassification

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


class SmallBottleneck(Bottleneck):
    expansion = 2


class Small(ResNet):
    """torchvision's own forward pass over narrower layers; its widths are fixed."""

    def __init__(self):
        super().__init__(SmallBottleneck, [1, 1, 1, 1])
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8)
        self.groups, self.base_width, self.inplanes = 4, 16, 8
        for i, (planes, blocks, stride) in enumerate([(8, 2, 1), (8, 1, 2), (12, 1, 2), (12, 1, 2)]):
            setattr(self, f'layer{i + 1}', self._make_layer(SmallBottleneck, planes, blocks, stride))
        self.fc = nn.Linear(24, 5)


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
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ''
    for value in list(model.graph.value_info) + list(model.graph.input) + list(model.graph.output):
        del value.metadata_props[:]
    del model.graph.value_info[:], model.graph.metadata_props[:], model.metadata_props[:]
    onnx.save(model, path)


rgb = ((np.arange(64 * 64 * 3) * 2654435761 % 2**32) >> 24).astype(np.uint8).reshape(64, 64, 3)
x = ((torch.from_numpy(rgb).float() / 255 - MEAN) / STD).permute(2, 0, 1)[None]
logits = {}
with torch.no_grad():
    net = randomise(Small(), 1)
    for name in ['small.safetensors', 'script_folded.onnx', 'script_open.onnx', 'dynamo.onnx', 'dynamo_plain.onnx']:
        logits[name] = net(x)[0].tolist()
    save_file(net.state_dict(), 'small.safetensors')
    torch.onnx.export(net, x, 'script_folded.onnx', opset_version=11, dynamo=False)
    torch.onnx.export(net, x, 'script_open.onnx', opset_version=18, dynamo=False, do_constant_folding=False,
                      training=torch.onnx.TrainingMode.PRESERVE, input_names=['image'],
                      dynamic_axes={'image': {0: 'n', 2: 'h', 3: 'w'}})
    torch.onnx.export(net, (x,), 'dynamo.onnx', opset_version=20, dynamo=True, external_data=True)
    torch.onnx.export(net, (x,), 'dynamo_plain.onnx', opset_version=18, dynamo=True, optimize=False, external_data=False)
    half = randomise(Small(), 1).half()
    torch.onnx.export(half, x.half(), 'half.onnx', opset_version=13, dynamo=False)  # folds in float16 too
    logits['half.onnx'] = half.float()(x)[0].tolist()
    for name in ['dynamo.onnx', 'dynamo_plain.onnx']:
        strip(name)

    os.makedirs('transformers', exist_ok=True)
    names = ['ant', 'bee', 'cat', 'dog', 'eel']
    config = ResNetConfig(embedding_size=8, hidden_sizes=[16, 24, 32], depths=[2, 1, 1], layer_type='bottleneck',
                          stage_names=['stem', 'stage1', 'stage2', 'stage3'], out_features=['stage3'],
                          id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)})
    hub = randomise(ResNetForImageClassification(config), 2)
    hub.save_pretrained('transformers')
    os.chmod('transformers/model.safetensors', 0o644)
    ConvNextImageProcessor(size={'shortest_edge': 64}, crop_pct=0.875, resample=3,
                           image_mean=[0.5, 0.5, 0.5], image_std=[0.25, 0.25, 0.25]).save_pretrained('transformers')
    logits['transformers'] = hub(x).logits[0].tolist()
with open('logits.json', 'w') as f:
    json.dump(logits, f, indent=1)
