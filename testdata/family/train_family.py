#!/usr/bin/env python3
"""train_family.py IDX_FOLDER [NAME ...]: train the networks of family.py (all, or those named) on Fashion-MNIST -> NAME.safetensors.
train_family.py IDX_FOLDER --measure: golden logits and top-1 of every network here -> NAME_golden.npy, family.json.

IDX_FOLDER holds the four gzipped files of Debian's dataset-fashion-mnist. Needs torch, torchvision, timm, safetensors, numpy and Pillow."""
import argparse, gzip, io, json, os, time, zipfile
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from family import NETS

MEAN, STD, BATCH = 0.2860, 0.3530, 256
EPOCHS = {'resnet20_a': 10, 'resnet_d': 20}  # the others take 14
TEST = '../fashion/test.zip'


def idx(path, skip):
    return np.frombuffer(gzip.open(path).read(), np.uint8, offset=skip)


def load(folder, part):
    x = idx(f'{folder}/{part}-images-idx3-ubyte.gz', 16).reshape(-1, 28, 28)
    return normalised(x), torch.from_numpy(idx(f'{folder}/{part}-labels-idx1-ubyte.gz', 8).astype(np.int64))


def normalised(x):
    return torch.from_numpy((x.astype(np.float32) / 255 - MEAN) / STD)


def rgb(x):
    return x[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def augmented(x, rng):
    """Shift each image by up to two pixels and mirror every other one."""
    n, at = len(x), torch.arange(28)
    x = F.pad(x, (2, 2, 2, 2), value=-MEAN / STD)
    rows = at + torch.randint(0, 5, (n, 1), generator=rng)
    cols = at + torch.randint(0, 5, (n, 1), generator=rng)
    cols = torch.where(torch.rand(n, 1, generator=rng) < 0.5, cols.flip(1), cols)
    return x[torch.arange(n)[:, None, None], rows[:, :, None], cols[:, None, :]]


def logits(net, x):
    net.eval()
    with torch.no_grad():
        return torch.cat([net(rgb(x[i:i + 500])) for i in range(0, len(x), 500)])


def top1(y, labels):
    return round(100 * (y.argmax(1) == labels).float().mean().item(), 2)


def train(name, folder):
    torch.manual_seed(0)
    rng = torch.Generator().manual_seed(1)
    (x, labels), (tx, tl) = load(folder, 'train'), load(folder, 't10k')
    net, epochs, steps = NETS[name]().to(memory_format=torch.channels_last), EPOCHS.get(name, 14), len(x) // BATCH
    decay = {True: [], False: []}  # a gate whose weights decay stays at one half for every image
    for k, p in net.named_parameters():
        decay[p.ndim > 1 and '.se.' not in k].append(p)
    opt = torch.optim.SGD([dict(params=decay[True], weight_decay=5e-4), dict(params=decay[False])], lr=0.1, momentum=0.9, nesterov=True)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.2, total_steps=epochs * steps, pct_start=0.2, div_factor=10, final_div_factor=1000)
    start = time.time()
    for epoch in range(epochs):
        net.train()
        order, total = torch.randperm(len(x), generator=rng), 0.0
        for i in range(steps):
            pick = order[i * BATCH:(i + 1) * BATCH]
            with torch.autocast('cpu', torch.bfloat16):
                y = net(rgb(augmented(x[pick], rng)))
            loss = F.cross_entropy(y.float(), labels[pick], label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item()
        print(f'{name} epoch {epoch + 1}/{epochs} loss {total / steps:.4f} top-1 {top1(logits(net, tx), tl):.2f}% {time.time() - start:.0f} s', flush=True)
        save_file({k: v.contiguous() for k, v in net.state_dict().items()}, f'{name}.safetensors')


def measure(folder):
    tx, tl = load(folder, 't10k')
    with zipfile.ZipFile(TEST) as z:
        names = sorted(z.namelist())
        small = normalised(np.stack([np.asarray(Image.open(io.BytesIO(z.read(n)))) for n in names]))
    small_labels, found = torch.tensor([int(n.split('_')[0]) for n in names]), []
    for name in NETS:
        if not os.path.exists(f'{name}.safetensors'):
            continue
        net = NETS[name]()
        net.load_state_dict(load_file(f'{name}.safetensors'))
        y = logits(net, small)
        np.save(f'{name}_golden.npy', y[::20].numpy())  # every 20th in name order, from the first: 5 of each class
        found.append(dict(file=f'{name}.safetensors', top1_10000=top1(logits(net, tx), tl), top1_test_zip=top1(y, small_labels), golden=f'{name}_golden.npy'))
        print(found[-1])
    with open('family.json', 'w') as f:
        f.write('[\n' + ',\n'.join('  ' + json.dumps(e) for e in found) + '\n]\n')


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder')
    p.add_argument('names', nargs='*', metavar='NAME')
    p.add_argument('--measure', action='store_true')
    p.add_argument('--threads', type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    if a.measure:
        return measure(a.folder)
    for name in a.names or NETS:
        train(name, a.folder)


if __name__ == '__main__':
    main()
