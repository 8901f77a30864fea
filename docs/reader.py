#!/usr/bin/env python3
"""A second reader of int8 model files, written from model-format.md and from nothing else of this project.

    reader.py MODEL IMAGE...       the best classes of images (with Pillow)
    reader.py --raw MODEL INPUT    logits of raw RGB bytes of the input size, little-endian float32, on standard output;
                                   the features, of an embedding. Several pairs MODEL INPUT may follow

It is for reading, and for tests that compare it with the library to the bit: a thousand times slower, and it needs numpy.
"""

import json
import struct
import sys

import numpy as np

TYPES = {"I8": "<i1", "U16": "<u2", "I32": "<i4", "F32": "<f4"}


# Container and metadata


def once(pairs):
    """A JSON object whose keys come once."""
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key comes twice")
    return keys


def parse(data):
    """Metadata, and arrays by name, of a file's bytes."""
    if len(data) < 8:
        raise ValueError("too short")
    (length,) = struct.unpack("<Q", data[:8])
    if length > min(100_000_000, len(data) - 8):
        raise ValueError("the header is longer than the file or the format allows")
    header = json.loads(data[8 : 8 + length].decode(), object_pairs_hook=once)
    body = data[8 + length :]
    metadata = header.pop("__metadata__")
    tensors, end = {}, 0
    for name, info in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = info["data_offsets"]
        dtype = np.dtype(TYPES[info["dtype"]])
        count = int(np.prod(info["shape"], dtype=object))
        if begin != end or stop - begin != count * dtype.itemsize or stop > len(body):
            raise ValueError(f"{name}: its bytes are not where its shape and its neighbours say")
        tensors[name] = np.frombuffer(body, dtype, count, begin).reshape(info["shape"])
        end = stop
    if end != len(body):
        raise ValueError("bytes belong to no tensor")
    check(metadata, header, body)
    return metadata, tensors


def crc32c(data):
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def check(metadata, header, body):
    """Refuses what is not of this format, or damaged."""
    if metadata.get("format") != "libresnext-int8" or metadata.get("format_version") not in ("1", "2"):
        raise ValueError("no int8 model of version 1 or 2")

    def integer(n):
        return struct.pack("<Q", n)

    def text(s):
        return integer(len(s.encode())) + s.encode()

    content = integer(len(header))
    for name in sorted(header, key=str.encode):
        info = header[name]
        begin, end = info["data_offsets"]
        content += text(name) + text(info["dtype"]) + integer(len(info["shape"]))
        content += b"".join(map(integer, info["shape"])) + integer(end - begin) + body[begin:end]
    for key in sorted(metadata, key=str.encode):
        if key != "checksum":
            content += text(key) + text(metadata[key])
    if metadata.get("checksum") != f"crc32c:{crc32c(content):08x}":
        raise ValueError("damaged: another checksum than the file says")


def network(metadata):
    """The configuration, that of version 1 in the words of version 2."""
    config = json.loads(metadata["config"], object_pairs_hook=once)
    if metadata["format_version"] == "2":
        return config
    stem, cardinality = config["stem"], config.pop("cardinality")
    config["stem"] = {
        "convs": [{key: stem[key] for key in ("kernel", "stride", "width")}],
        "pool": "max" if stem["max_pool"] else "",
    }
    gate = {"kind": "", "after": "", "hidden": 0, "kernel": 0}
    for stage in config["stages"]:
        stage.update(kind="", cardinality=cardinality, stride_on="", anti_alias="", shortcut="", gate=gate)
    config["head"] = ""
    return config


# Arithmetic. Maps are int32 arrays [height, width, channels].


def product(values, multiplier):
    """float32(float32(values) * multiplier)"""
    return values.astype(np.float32) * np.asarray(multiplier, np.float32)


def rounded(v, low, high):
    return np.clip(np.rint(v), low, high).astype(np.int32)  # rint: halves to even


def finish(v, r, residual, signed):
    """Adds r, if there is one, and brings v to 8 bits."""
    if r is not None:
        v = v + product(r, residual)
    return rounded(v, -127, 127) if signed else rounded(v, 0, 255)


def pooled(x, how):
    if how == "max":
        return most(x, 2)
    if how == "max_blur":
        return blurred(most(x, 1))
    if how == "blur":
        return blurred(x)
    return averaged(x) if how == "average" else x


def most(x, stride):
    h, w, _ = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))  # 0 is never above an unsigned value
    return np.max([padded[y : y + h : stride, z : z + w : stride] for y in range(3) for z in range(3)], axis=0)


def averaged(x):
    h, w, _ = x.shape
    even = np.pad(x, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge")  # the mean of a pixel twice is that of it once
    total = even[0::2, 0::2] + even[0::2, 1::2] + even[1::2, 0::2] + even[1::2, 1::2]
    return np.rint(total / 4).astype(np.int32)


def blurred(x):
    h, w, _ = x.shape

    def at(side, by):
        """Indices of the pixels beside the centres, reflected at the edges."""
        last = side - 1
        centres = np.arange(0, side, 2) + by
        return np.zeros_like(centres) if last == 0 else last - np.abs(last - np.abs(centres))

    total = 0
    for y, rows in enumerate((1, 2, 1)):
        for z, columns in enumerate((1, 2, 1)):
            total = total + rows * columns * x[at(h, y - 1)][:, at(w, z - 1)]
    return np.rint(total / 16).astype(np.int32)


def means(x):
    pixels = x.shape[0] * x.shape[1]
    total = x.sum(axis=(0, 1), dtype=np.int64)
    if 255 * pixels <= 32767:
        return total
    return rounded(product(total, np.float32(32767 / (255 * pixels))), -32767, 32767)


class Network:
    """A model file that runs on one image at a time."""

    def __init__(self, data):
        self.metadata, self.tensors = parse(data)
        self.config = network(self.metadata)
        self.preprocess = json.loads(self.metadata["preprocess"])
        self.labels = json.loads(self.metadata["labels"]) or []

    def number(self, name):
        return self.tensors[name][0]

    def layer(self, name):
        return (self.tensors[f"{name}.{what}"] for what in ("weight", "bias", "multiplier"))

    def conv(self, name, x, stride=1, pad=0, r=None, residual=0, signed=False):
        """pad is what is around x: a number, or one for each channel."""
        weight, bias, multiplier = self.layer(name)
        out, kernel, _, per_group = weight.shape
        groups, half = x.shape[2] // per_group, kernel // 2
        around = np.empty((x.shape[0] + 2 * half, x.shape[1] + 2 * half, x.shape[2]), np.int32)
        around[:] = pad
        around[half : half + x.shape[0], half : half + x.shape[1]] = x
        h, w = (x.shape[0] - 1) // stride + 1, (x.shape[1] - 1) // stride + 1
        # Sums of integers of this size are exact in float64, whatever the order.
        acc = np.zeros((h, w, groups, out // groups)) + bias.reshape(groups, -1)
        by_group = weight.reshape(groups, out // groups, kernel, kernel, per_group).astype(np.float64)
        for y in range(kernel):
            for z in range(kernel):
                taps = around[y : y + h * stride : stride, z : z + w * stride : stride][:h, :w]
                taps = taps.reshape(h * w, groups, per_group).astype(np.float64)
                for g in range(groups):
                    acc[:, :, g] += (taps[:, g] @ by_group[g, :, y, z].T).reshape(h, w, -1)
        v = product(acc.reshape(h, w, out).astype(np.int64), multiplier)
        return finish(v, r, residual, signed)

    def linear(self, name, x):
        weight, bias, multiplier = self.layer(name)
        return product(weight.astype(np.int64) @ x + bias, multiplier)

    def gate(self, block, kind, x, r=None, residual=0, signed=False):
        mean = means(x).astype(np.int64)
        if kind == "se":
            index = self.linear(f"{block}.excite", rounded(self.linear(f"{block}.squeeze", mean), 0, 32767))
        else:
            weight, bias, multiplier = self.layer(f"{block}.neighbours")
            kernel = weight.shape[1]
            line = np.pad(mean, kernel // 2)
            acc = [bias[0] + int(line[c : c + kernel] @ weight[0].astype(np.int64)) for c in range(len(mean))]
            index = product(np.array(acc, np.int64), multiplier[0])
        gates = self.tensors["sigmoid"][4096 + rounded(index, -4096, 4095)].astype(np.int64)
        v = product(x * gates, self.number(f"{block}.gate.multiplier"))
        return finish(v, r, residual, signed)

    def projection(self, block, stage, x, stride, **add):
        """The shortcut that brings x to the shape of its block's output, and the layer's name."""
        if stride != 1 and stage["shortcut"] == "average":
            x, stride = averaged(x), 1
        signed = not add and stage["shortcut"] != "padded"
        return self.conv(f"{block}.shortcut", x, stride, signed=signed, **add)

    def block(self, block, stage, x, stride):
        """One block, and the name of the layer that wrote its output."""
        branch = ["first", "second"] if stage["kind"] == "basic" else ["reduce", "transform", "expand"]
        strided = stage["stride_on"] or ("first" if stage["kind"] == "basic" else "transform")
        gate, last = stage["gate"], branch[-1]
        residual, entered = self.number(f"{block}.residual"), x
        projects = stride != 1 or x.shape[2] != stage["out"]
        gated_last = gate["kind"] != "" and gate["after"] == last
        shortcut = x
        if projects and not gated_last:
            shortcut = self.projection(block, stage, x, stride)
        for role in branch:
            step = stride if role == strided else 1
            blur = step != 1 and stage["anti_alias"] != ""
            adds = {"r": shortcut, "residual": residual} if role == last and not gated_last else {}
            x = self.conv(f"{block}.{role}", x, 1 if blur else step, signed=role == last and gated_last, **adds)
            if blur:
                x = pooled(x, stage["anti_alias"])
            if gate["kind"] and gate["after"] == role and role != last:
                x = self.gate(block, gate["kind"], x)
        if not gated_last:
            return x, f"{block}.{last}"
        if not projects:
            return self.gate(block, gate["kind"], x, shortcut, residual), f"{block}.gate"
        x = self.gate(block, gate["kind"], x, signed=True)
        return self.projection(block, stage, entered, stride, r=x, residual=residual), f"{block}.shortcut"

    def last_map(self, rgb):
        """The map that the head averages, and the name of the layer that wrote it; rgb is uint8 [height,width,3]."""
        mean = np.array(self.preprocess["mean"], np.float32).astype(np.float64)
        x, pad = rgb.astype(np.int32), np.rint(np.clip(mean * 255, 0, 255)).astype(np.int32)
        for i, conv in enumerate(self.config["stem"]["convs"]):
            x, pad = self.conv(f"stem{i or ''}", x, conv["stride"], pad), 0
        x = pooled(x, self.config["stem"]["pool"])
        for i, stage in enumerate(self.config["stages"]):
            for j in range(stage["blocks"]):
                x, name = self.block(f"stage{i + 1}.block{j}", stage, x, stage["stride"] if j == 0 else 1)
        return x, name

    def logits(self, rgb):
        return self.linear("classifier", means(self.last_map(rgb)[0]))

    def features(self, rgb):
        x, name = self.last_map(rgb)
        total = x.sum(axis=(0, 1), dtype=np.int64).astype(np.float64)
        return (total * np.float64(self.number(f"{name}.scale")) / (x.shape[0] * x.shape[1])).astype(np.float32)

    def prepare(self, path):
        """The network's input from an image file."""
        from PIL import Image

        filters = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "nearest": Image.NEAREST}
        if self.preprocess["filter"] not in filters:
            raise ValueError(f"resizing by {self.preprocess['filter']} is not in Pillow")
        chosen, width, height = filters[self.preprocess["filter"]], self.config["width"], self.config["height"]
        image, resize = Image.open(path).convert("RGB"), self.preprocess["resize"]
        if not resize:
            return np.asarray(image.resize((width, height), chosen))
        short, long = min(image.size), max(image.size)
        size = (resize, resize * long // short)
        image = image.resize(size if image.width <= image.height else size[::-1], chosen)
        left, top = round((image.width - width) / 2), round((image.height - height) / 2)
        return np.asarray(image.crop((left, top, left + width, top + height)))


def main(args):
    if len(args) < 2:
        sys.exit(__doc__.strip())
    if args[0] == "--raw":
        for model, image in zip(args[1::2], args[2::2]):
            with open(model, "rb") as file:
                net = Network(file.read())
            size = (net.config["height"], net.config["width"], 3)
            rgb = np.fromfile(image, np.uint8).reshape(size)
            answer = net.features(rgb) if net.config["head"] == "embedding" else net.logits(rgb)
            sys.stdout.buffer.write(answer.astype("<f4").tobytes())
        return
    with open(args[0], "rb") as file:
        net = Network(file.read())
    for path in args[1:]:
        logits = net.logits(net.prepare(path)).astype(np.float64)
        shares = np.exp(logits - logits.max())
        if net.config["head"] == "multilabel":
            shares, total = 1 / (1 + np.exp(-logits)), 1
        else:
            total = shares.sum()
        for c in np.argsort(-logits)[:3]:
            print(f"{100 * shares[c] / total:6.2f}%  {net.labels[c] if net.labels else f'class {c}'}")


if __name__ == "__main__":
    main(sys.argv[1:])
