#!/usr/bin/env python3
"""make_fixtures.py: small pictures of kinds that Go's standard library cannot write, and what Pillow reads from them, for the
tests of package images. Needs Pillow; run it in this folder.

pixels.txt   file, EXIF orientation to be given to it (1: as it is), size, CRC-32 of the bytes of convert('RGB')
"""
import struct, zlib
from PIL import Image, ImageOps

with open('pixels.txt', 'w') as out:
    def note(name, im=None, orientation=1):
        im = im or Image.open(name)
        out.write('%s %d %dx%d %08x\n' % (name, orientation, *im.size, zlib.crc32(im.convert('RGB').tobytes())))

    def noise(seed, n):
        data = bytearray(n)
        for i in range(n):
            seed = (1664525 * seed + 1013904223) & 0xFFFFFFFF
            data[i] = seed >> 24
        return bytes(data)

    soft = Image.frombytes('RGB', (6, 5), noise(1, 90)).resize((37, 29), Image.BICUBIC)
    alpha = Image.frombytes('L', (6, 5), noise(2, 30)).resize((37, 29), Image.BICUBIC)
    with_alpha = soft.copy()
    with_alpha.putalpha(alpha)

    soft.save('lossy.webp', quality=80)
    note('lossy.webp')
    with_alpha.save('lossy-alpha.webp', quality=80)
    note('lossy-alpha.webp')
    with_alpha.save('lossless.webp', lossless=True, exact=True)
    note('lossless.webp')
    Image.new('RGB', (1, 1), (250, 128, 3)).save('one.webp', quality=90)
    note('one.webp')
    soft.save('lzw.tiff', compression='tiff_lzw')
    note('lzw.tiff')
    with_alpha.save('alpha.png', optimize=True)
    note('alpha.png')
    soft.quantize(16).save('palette.bmp')
    note('palette.bmp')

    # Blocks of one colour each: every correct inverse DCT gives the same pixels.
    blocks = Image.frombytes('RGB', (3, 2), noise(3, 18)).resize((48, 32), Image.NEAREST)
    blocks.crop((0, 0, 44, 27)).save('blocks.jpg', quality=100, subsampling=2)
    upright = Image.open('blocks.jpg').convert('RGB')
    for orientation in range(1, 9):
        im = upright.copy()
        im.getexif()[0x0112] = orientation
        note('blocks.jpg', ImageOps.exif_transpose(im), orientation)
    Image.frombytes('CMYK', (3, 2), noise(4, 24)).resize((48, 32), Image.NEAREST).save('cmyk.jpg', quality=100)
    note('cmyk.jpg')

    # A GIF of 4x3 pixels whose only frame is 2x1 at (1, 1), with and without a transparent colour, global and local colours.
    def gif(local, transparent):
        table = bytes([10, 20, 30, 200, 0, 0, 0, 200, 0, 0, 0, 200])
        data = b'GIF89a' + struct.pack('<HHBBB', 4, 3, 1 if local else 0x81, 3, 0) + (b'' if local else table)
        data += b'\x21\xfe\x03hey\x02yo\x00'  # a comment in two blocks
        if transparent is not None:
            data += b'\x21\xf9\x04' + bytes([1, 0, 0, transparent]) + b'\x00'
        data += b'\x2c' + struct.pack('<HHHHB', 1, 1, 2, 1, 0x81 if local else 0) + (table if local else b'')
        codes = [4, 1, 4, 2, 5]  # clear, 1, clear, 2, end: 3 bits each
        bits = sum(c << 3 * i for i, c in enumerate(codes))
        return data + b'\x02\x02' + struct.pack('<H', bits) + b'\x00\x3b'

    for name, args in [('global', (False, None)), ('global-transparent', (False, 2)), ('local', (True, None)), ('local-transparent', (True, 2))]:
        with open('part-%s.gif' % name, 'wb') as f:
            f.write(gif(*args))
        note('part-%s.gif' % name)

    # Modes that convert('RGB') knows how to bring to RGB, and orientations outside of JPEG.
    few = Image.frombytes('RGB', (7, 5), noise(5, 105))
    veil = Image.frombytes('L', (7, 5), noise(6, 35))
    gray = few.convert('L')
    gray_alpha = gray.copy()
    gray_alpha.putalpha(veil)
    gray_alpha.save('gray-alpha.png')
    note('gray-alpha.png')
    few.quantize(9).save('palette-alpha.png', transparency=bytes(range(0, 90, 10)))
    note('palette-alpha.png')
    gray.convert('1').save('one-bit.png')
    note('one-bit.png')
    few.save('transparent-colour.png', transparency=few.getpixel((2, 2)))
    note('transparent-colour.png')

    def png16(name, colour_type, samples):
        def chunk(kind, content):
            return struct.pack('>I', len(content)) + kind + content + struct.pack('>I', zlib.crc32(kind + content))

        rows = b''.join(b'\0' + noise(7 + y, 7 * samples * 2) for y in range(5))
        with open(name, 'wb') as f:
            f.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 7, 5, 16, colour_type, 0, 0, 0))
                    + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
        note(name)

    png16('rgb-16.png', 2, 3)
    png16('gray-alpha-16.png', 4, 2)
    png16('rgba-16.png', 6, 4)
    blocks = Image.frombytes('RGB', (3, 2), noise(3, 18)).resize((48, 32), Image.NEAREST)
    blocks.save('progressive.jpg', quality=100, progressive=True)
    note('progressive.jpg')
    turned = Image.Exif()
    turned[0x0112] = 6
    for name, options in [('turned.png', {}), ('turned.webp', {'lossless': True}), ('turned.tiff', {})]:
        few.save(name, exif=turned, **options)
        note(name, ImageOps.exif_transpose(Image.open(name)))

# Pictures that are refused.
few.save('animated.webp', save_all=True, append_images=[gray.convert('RGB')], lossless=True)
gray.convert('1').save('fax.tiff', compression='group4')
