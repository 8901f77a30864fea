"""The small networks of this folder: NETS maps a name to a function that builds the untrained network.

Five are timm's or torchvision's own classes with smaller numbers, so that names and arithmetic are those of the real
checkpoints. ResNet-20 is in neither and is written out here, with the names of the common CIFAR code."""
import torch.nn as nn
import torch.nn.functional as F
from timm.models.regnet import RegNet as TimmRegNet, RegNetCfg
from timm.models.resnet import Bottleneck, ResNet as TimmResNet
from torchvision.models.regnet import BlockParams, RegNet as VisionRegNet


class CifarBlock(nn.Module):
    """A basic block with shortcut A: every second pixel, and the new channels zero, half in front and half behind."""
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        self.stride, self.pad = stride, (cout - cin) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        s = self.stride
        return F.relu(y + F.pad(x[:, :, ::s, ::s], (0, 0, 0, 0, self.pad, self.pad)))


class CifarResNet(nn.Module):
    """The ResNet for CIFAR of He et al., section 4.2, of depth 6n+2."""
    def __init__(self, n, widths, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0])
        cin = widths[0]
        for i, w in enumerate(widths):
            setattr(self, f'layer{i + 1}', nn.Sequential(*[
                CifarBlock(cin if b == 0 else w, w, 2 if b == 0 and i > 0 else 1) for b in range(n)]))
            cin = w
        self.linear = nn.Linear(cin, classes)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


def resnet20_a():
    return CifarResNet(3, (12, 24, 48), 10)


def resnet_d():
    return TimmResNet(Bottleneck, (2, 2, 2, 1), 10, channels=(16, 24, 40, 56), stem_type='deep', stem_width=16, avg_down=True)


def seresnext():
    return TimmResNet(Bottleneck, (2, 2, 2, 1), 10, channels=(20, 24, 32, 48), cardinality=8, base_width=16,
                      block_args=dict(attn_layer='se'))


def ecaresnet():
    net = TimmResNet(Bottleneck, (2, 2, 2, 1), 10, channels=(12, 24, 40, 56), stem_type='deep_tiered', stem_width=16, avg_down=True,
                     block_args=dict(attn_layer='eca'))
    for name, p in net.named_parameters():
        if '.se.' in name:
            p.data *= 10  # so short a training else leaves every gate near one half
    return net


def regnetx():
    return VisionRegNet(BlockParams([1, 2, 3, 1], [24, 48, 96, 184], [8] * 4, [1.0] * 4, [2] * 4), 10, stem_width=16)


def regnety():
    return TimmRegNet(RegNetCfg(depth=7, w0=32, wa=16.0, wm=1.7, group_size=12, se_ratio=0.25, stem_width=16), num_classes=10)


NETS = {f.__name__: f for f in (resnet20_a, resnet_d, seresnext, ecaresnet, regnetx, regnety)}
