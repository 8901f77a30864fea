"""Writes opencv.txt: images resized by OpenCV (opencv-python-headless) and by PyTorch without antialiasing.

A line is the library, the seed of the source, both sizes, and the result's RGB bytes in hex.
"""

import cv2
import numpy as np
import torch



def noise(seed, n):
    """n bytes, as in make_golden.py."""
    out = bytearray(n)
    for i in range(n):
        seed = (1664525 * seed + 1013904223) & 0xFFFFFFFF
        out[i] = seed >> 24
    return out


SIZES = [((1, 1), (3, 2)), ((5, 4), (5, 4)), ((9, 7), (4, 3)), ((4, 3), (9, 7)), ((40, 30), (8, 6)), ((33, 50), (7, 9)),
         ((100, 8), (6, 5)), ((3, 60), (5, 4)), ((64, 64), (28, 28))]


def main():
    with open('opencv.txt', 'w') as f:
        f.write('# make_opencv.py, OpenCV %s, PyTorch %s\n' % (cv2.__version__, torch.__version__.split('+')[0]))
        for seed, ((w, h), (w2, h2)) in enumerate(SIZES):
            x = np.frombuffer(noise(seed, 3 * w * h), np.uint8).reshape(h, w, 3)
            y = cv2.resize(x, (w2, h2), interpolation=cv2.INTER_LINEAR)
            f.write('opencv %d %dx%d %dx%d %s\n' % (seed, w, h, w2, h2, y.tobytes().hex()))
            t = torch.from_numpy(x.copy()).permute(2, 0, 1)[None].float()
            z = torch.nn.functional.interpolate(t, (h2, w2), mode='bilinear', align_corners=False, antialias=False)
            z = z[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
            f.write('torch %d %dx%d %dx%d %s\n' % (seed, w, h, w2, h2, z.tobytes().hex()))


main()
