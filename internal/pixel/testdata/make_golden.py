#!/usr/bin/env python3
"""make_golden.py: what Pillow makes of known pictures, for the tests of package resize. Needs Pillow before 12.2 (see package resize on the order of passes); run it in this folder.

resize.txt   filter picture seed source-size result-size CRC-32 of the RGB bytes, and the bytes themselves (hex) of small results
cmyk.txt     seed size CRC-32 of convert("RGB") of a CMYK picture of noise
jpeg/*.jpg   pictures; flat-* are made of blocks without AC coefficients, so every correct inverse DCT agrees on them
jpeg/crc.txt file CRC-32 of the decoded RGB bytes, for flat-*; photo-*.png hold the decoded pixels themselves
"""
import io, math, os, zlib
import PIL
from PIL import Image

assert tuple(map(int, PIL.__version__.split('.')[:2])) < (12, 2), 'later versions may take the vertical pass first'
FILTERS = {'bilinear': Image.BILINEAR, 'bicubic': Image.BICUBIC, 'nearest': Image.NEAREST}


def noise(seed, n):
    """n bytes: the top byte of each state of the generator x = 1664525 x + 1013904223 mod 2^32."""
    out = bytearray(n)
    for i in range(n):
        seed = (1664525 * seed + 1013904223) & 0xFFFFFFFF
        out[i] = seed >> 24
    return out


def picture(kind, seed, n):
    b = noise(seed, n)
    if kind == 'extreme':  # only 0 and 255: what makes a filter overshoot most
        return bytes(255 if v > 127 else 0 for v in b)
    if kind == 'white':
        return b'\xff' * n
    return bytes(b)


CASES = [  # picture, source size, result size
    ('noise', (1, 1), (1, 1)), ('noise', (1, 1), (7, 5)), ('noise', (2, 2), (5, 3)), ('noise', (3, 2), (2, 3)),
    ('noise', (5, 7), (1, 1)), ('noise', (7, 5), (3, 2)), ('extreme', (4, 4), (3, 3)), ('extreme', (3, 3), (4, 4)),
    ('noise', (28, 28), (32, 32)), ('noise', (32, 32), (28, 28)), ('noise', (32, 32), (32, 20)), ('noise', (32, 32), (20, 32)),
    ('noise', (32, 32), (32, 50)), ('noise', (32, 32), (50, 32)), ('extreme', (33, 17), (31, 19)), ('extreme', (17, 33), (64, 2)),
    ('extreme', (100, 80), (33, 27)), ('extreme', (31, 29), (101, 97)), ('white', (97, 89), (31, 37)), ('white', (31, 37), (97, 89)),
    ('noise', (500, 3), (224, 224)), ('noise', (3, 500), (224, 224)), ('noise', (4000, 1), (224, 5)), ('noise', (1, 4000), (5, 224)),
    ('noise', (4000, 1), (1, 1)), ('noise', (2, 3), (1000, 1)), ('noise', (997, 2), (499, 1)), ('noise', (20000, 1), (19999, 1)),
    ('noise', (640, 480), (341, 256)), ('noise', (500, 375), (341, 256)), ('noise', (375, 500), (232, 309)),
    ('extreme', (333, 250), (298, 224)), ('noise', (200, 150), (341, 256)),
]


def make_resize():
    with open('resize.txt', 'w') as f:
        f.write('# make_golden.py, Pillow %s\n' % PIL.__version__)
        for seed, (kind, (w, h), size) in enumerate(CASES):
            im = Image.frombytes('RGB', (w, h), picture(kind, seed, w * h * 3))
            for name, filt in FILTERS.items():
                out = im.resize(size, filt).tobytes()
                full = ' ' + out.hex() if len(out) <= 36 else ''
                f.write('%s %s %d %dx%d %dx%d %08x%s\n' % (name, kind, seed, w, h, *size, zlib.crc32(out), full))


def make_cmyk():
    with open('cmyk.txt', 'w') as f:
        for seed, (w, h) in enumerate([(64, 64), (3, 5)]):
            rgb = Image.frombytes('CMYK', (w, h), bytes(noise(seed, w * h * 4))).convert('RGB').tobytes()
            f.write('%d %dx%d %08x\n' % (seed, w, h, zlib.crc32(rgb)))


def flat_blocks(w, h, block, seed):
    """A w x h picture of squares of one colour each."""
    cols, rows = math.ceil(w / block), math.ceil(h / block)
    small = Image.frombytes('RGB', (cols, rows), bytes(noise(seed, cols * rows * 3)))
    return small.resize((cols * block, rows * block), Image.NEAREST).crop((0, 0, w, h))


def jpeg(im, subsampling, quality=100):
    b = io.BytesIO()
    im.save(b, 'JPEG', quality=quality, subsampling=subsampling)
    return bytearray(b.getvalue())


def patch_frame(data, w, h, luma):
    """Give the frame header another size and another luma sampling of as many blocks: ratios that Pillow does not write."""
    at = data.index(b'\xff\xc0')
    data[at + 5:at + 9] = h.to_bytes(2, 'big') + w.to_bytes(2, 'big')
    data[at + 11] = luma
    return data


def make_jpeg():
    os.makedirs('jpeg', exist_ok=True)
    files = {}
    for i, (w, h) in enumerate([(64, 48), (61, 47), (49, 33), (5, 3), (4, 4), (2, 6)]):
        for name, sub in [('444', 0), ('422', 1), ('420', 2)]:
            files['flat-%s-%dx%d.jpg' % (name, w, h)] = jpeg(flat_blocks(w, h, 16, i), sub)
    # 8 x 4 units of 16x8 pixels become 8 x 4 units of 8x16; 4 x 4 units of 16x16 become 2 x 8 of 32x8.
    for w, h in [(64, 64), (61, 55)]:
        files['flat-440-%dx%d.jpg' % (w, h)] = patch_frame(jpeg(flat_blocks(128, 32, 16, 9), 1), w, h, 0x12)
        files['flat-411-%dx%d.jpg' % (w, h)] = patch_frame(jpeg(flat_blocks(64, 64, 16, 9), 2), w, h, 0x41)
    with open('jpeg/crc.txt', 'w') as f:
        for name, data in sorted(files.items()):
            rgb = Image.open(io.BytesIO(data)).convert('RGB').tobytes()
            f.write('%s %08x\n' % (name, zlib.crc32(rgb)))
    soft = Image.frombytes('RGB', (9, 7), bytes(noise(3, 9 * 7 * 3))).resize((53, 41), Image.BICUBIC)
    for name, sub in [('444', 0), ('422', 1), ('420', 2)]:
        files['photo-%s.jpg' % name] = jpeg(soft, sub, 85)
        Image.open(io.BytesIO(files['photo-%s.jpg' % name])).save('jpeg/photo-%s.png' % name, optimize=True)
    for name, data in files.items():
        with open('jpeg/' + name, 'wb') as f:
            f.write(data)


make_resize()
make_cmyk()
make_jpeg()
