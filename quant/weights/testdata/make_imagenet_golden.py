#!/usr/bin/env python3
"""Makes imagenet_small.pth and imagenet_small_golden.npz: a small ResNeXt with torchvision's names and stem,
random weights and statistics, and what PyTorch computes with it in float64 from one random image.

Weights are stored as float16; the golden numbers are those of the rounded weights. Needs PyTorch and NumPy
(Debian: python3-torch, python3-numpy). Run it in its own folder."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

CARDINALITY = 8
STAGES = [(2, 32, 96), (1, 64, 128), (1, 96, 144), (2, 128, 160)]  # blocks, inner width, output channels
CLASSES, HEIGHT, WIDTH = 21, 40, 48
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Bottleneck(nn.Module):
    def __init__(self, channels, inner, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, groups=CARDINALITY, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample = None
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for i, (blocks, inner, out) in enumerate(STAGES):
            layer = []
            for j in range(blocks):
                layer.append(Bottleneck(channels, inner, out, 2 if i > 0 and j == 0 else 1))
                channels = out
            setattr(self, f'layer{i + 1}', nn.Sequential(*layer))
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x):
        maps = {'stem': F.relu(self.bn1(self.conv1(x)))}
        x = F.max_pool2d(maps['stem'], 3, 2, 1)
        for i in range(len(STAGES)):
            for j, block in enumerate(getattr(self, f'layer{i + 1}')):
                if block.downsample is not None:
                    maps[f'stage{i + 1}.block{j}.shortcut'] = block.downsample(x)
                x = block(x)
                maps[f'stage{i + 1}.block{j}.expand'] = x
        maps['logits'] = self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))[:, :, None, None]
        return maps


def randomise(net):
    """Weights of ordinary size, and statistics far from the mean 0 and variance 1 of a fresh network."""
    g = torch.Generator().manual_seed(2016)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data = 0.2 + torch.rand(module.weight.shape, generator=g)
            module.bias.data = 0.3 * torch.randn(module.bias.shape, generator=g)
            module.running_mean = 0.3 * torch.randn(module.running_mean.shape, generator=g)
            module.running_var = 0.3 + torch.rand(module.running_var.shape, generator=g)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            fan = module.weight[0].numel()
            module.weight.data = torch.randn(module.weight.shape, generator=g) * (2 / fan) ** 0.5
    # A filter that training has switched off.
    net.layer1[1].bn2.weight.data[5] = 0
    net.layer1[1].bn2.running_var[5] = 0


net = Network().eval()
randomise(net)
half = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
torch.save(half, 'imagenet_small.pth')
net.load_state_dict({k: v.float() for k, v in half.items()})
net.double()
image = np.random.RandomState(7).randint(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
x = (torch.from_numpy(image).double() / 255 - torch.tensor(MEAN).double()) / torch.tensor(STD).double()
with torch.no_grad():
    maps = net(x.permute(2, 0, 1)[None])
# Maps as [height, width, channels]. Every map ends a stage or is summed into the next one.
arrays = {k: v[0].permute(1, 2, 0).contiguous().numpy().astype(np.float32) for k, v in maps.items()}
np.savez_compressed('imagenet_small_golden.npz', image=image, **arrays)
print({k: (v.shape, float(v.std())) for k, v in arrays.items()})
