#!/usr/bin/env python3
"""Makes parameters.txt: the number of parameters of every ResNet and RegNet of timm and torchvision that is of the family.

Needs torch, torchvision and timm 1.0.31. Run it in its own folder."""
from functools import partial

import timm
import torch
import torchvision

# What is left out: group normalisation, 3x3 blur pooling, 3x3 projections of reduced blocks, channels pruned one by one, a
# kind of block for each stage, SiLU, pre-activation; and of the legacy networks another squeezing and stem pooling.
OTHERS = {'resnet50_gn', 'resnetblur18', 'resnetblur50', 'resnetblur50d', 'resnetblur101d', 'senet154',
          'ecaresnet50d_pruned', 'ecaresnet101d_pruned', 'test_resnet', 'regnety_040_sgn', 'regnetv_040', 'regnetv_064',
          'regnetz_005', 'regnetz_040', 'regnetz_040_h'}


def count(make):
    """Parameters, without memory for their numbers."""
    with torch.device('meta'):
        return sum(p.numel() for p in make().parameters())


lines = {}
for name in timm.list_models(module='resnet') + timm.list_models(module='regnet'):
    if name not in OTHERS:
        lines[name] = count(lambda: timm.create_model(name))
for name in ['arange', 'tensor']:  # torchvision reads widths off tensors, which must have numbers
    setattr(torch, name, partial(getattr(torch, name), device='cpu'))
for name in torchvision.models.list_models(module=torchvision.models):
    if name.startswith(('resn', 'wide_resn', 'regnet')):
        n = count(lambda: torchvision.models.get_model(name))
        assert lines.setdefault(name, n) == n, name
with open('parameters.txt', 'w') as f:
    f.writelines(f'{name} {n}\n' for name, n in sorted(lines.items()))
