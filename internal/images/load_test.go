package images

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/pixel"
)

// rgb returns the bytes that a network sees of m.
func rgb(t testing.TB, m image.Image) pixel.Image {
	dst, err := pixel.NewImage(m.Bounds().Dx(), m.Bounds().Dy())
	require.NoError(t, err)
	require.NoError(t, pixel.FromImage(dst, m))
	return dst
}

// exif returns an APP1 segment with one other tag before the orientation.
func exif(order binary.AppendByteOrder, orientation uint16) []byte {
	tiff := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 10) // the directory begins 2 bytes late
	tiff = append(tiff, 0, 0)
	tiff = order.AppendUint16(tiff, 2)
	tiff = appendTag(order, tiff, 0x010F, 1)
	tiff = appendTag(order, tiff, 0x0112, orientation)
	body := append([]byte("Exif\x00\x00"), tiff...)
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, 0xE1}, uint16(len(body)+2)), body...)
}

func appendTag(order binary.AppendByteOrder, b []byte, tag, value uint16) []byte {
	b = order.AppendUint16(b, tag)
	b = order.AppendUint16(b, 3) // SHORT
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, value)
	return append(b, 0, 0)
}

// withSegment inserts a segment after the first marker of a JPEG.
func withSegment(file, segment []byte) []byte {
	return append(append(append([]byte{}, file[:2]...), segment...), file[2:]...)
}

// decoded decodes the bytes of an image file.
func decoded(b []byte) (image.Image, error) {
	held := memory.takeFile(int64(len(b)))
	defer held.free()
	return decode(b, held)
}

func readFixture(t testing.TB, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return b
}

func TestPixelsEqualPillow(t *testing.T) {
	f, err := os.Open("testdata/pixels.txt")
	require.NoError(t, err)
	defer f.Close()
	lines := 0
	for s := bufio.NewScanner(f); s.Scan(); lines++ {
		var name string
		var orientation uint16
		var w, h int
		var crc uint32
		_, err := fmt.Sscanf(s.Text(), "%s %d %dx%d %x", &name, &orientation, &w, &h, &crc)
		require.NoError(t, err)
		file := readFixture(t, name)
		files := [][]byte{file}
		if orientation != 1 {
			files = [][]byte{withSegment(file, exif(binary.LittleEndian, orientation)), withSegment(file, exif(binary.BigEndian, orientation))}
		}
		for _, file := range files {
			m, err := decoded(file)
			require.NoError(t, err, s.Text())
			got := rgb(t, m)
			require.Equal(t, [2]int{w, h}, [2]int{got.W, got.H}, s.Text())
			require.Equal(t, crc, crc32.ChecksumIEEE(got.Pix), s.Text())
		}
	}
	require.Equal(t, 31, lines)
}

// The sides of the picture at which the stored row 0 and column 0 are shown,
// as the Exif standard words it.
func TestOrientationsOfTheStandard(t *testing.T) {
	sides := map[int][2]string{1: {"top", "left"}, 2: {"top", "right"}, 3: {"bottom", "right"}, 4: {"bottom", "left"},
		5: {"left", "top"}, 6: {"right", "top"}, 7: {"right", "bottom"}, 8: {"left", "bottom"}}
	stored := image.NewGray(image.Rect(0, 0, 4, 3))
	for i := range stored.Pix {
		stored.Pix[i] = byte(50 + i)
	}
	for o, side := range sides {
		m, err := upright(stored, o)
		require.NoError(t, err)
		r := m.Bounds()
		at := func(sides ...string) color.Color {
			x, y := -1, -1
			for _, s := range sides {
				switch s {
				case "left":
					x = 0
				case "right":
					x = r.Dx() - 1
				case "top":
					y = 0
				case "bottom":
					y = r.Dy() - 1
				}
			}
			return color.GrayModel.Convert(m.At(x, y))
		}
		opposite := map[string]string{"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
		require.Equal(t, stored.At(0, 0), at(side[0], side[1]), "orientation %d", o)
		require.Equal(t, stored.At(3, 0), at(side[0], opposite[side[1]]), "orientation %d", o)
		require.Equal(t, stored.At(0, 2), at(opposite[side[0]], side[1]), "orientation %d", o)
		require.Equal(t, stored.At(3, 2), at(opposite[side[0]], opposite[side[1]]), "orientation %d", o)
	}
}

func TestHostileEXIF(t *testing.T) {
	file := readFixture(t, "blocks.jpg")
	good := exif(binary.LittleEndian, 6)
	require.Equal(t, 6, exifOrientation(withSegment(file, good)))
	require.Equal(t, 1, exifOrientation(file))

	change := func(at int, b ...byte) []byte {
		s := append([]byte{}, good...)
		copy(s[at:], b)
		return withSegment(file, s)
	}
	const tiff, tag = 10, 10 + 10 + 2 + 12 // where the TIFF data and the orientation's entry begin
	for name, b := range map[string][]byte{
		"orientation 0":       change(tag+8, 0),
		"orientation 9":       change(tag+8, 9),
		"two values":          change(tag+4, 2),
		"type":                change(tag+2, 7),
		"order":               change(tiff, 'X'),
		"magic":               change(tiff+2, 43),
		"directory outside":   change(tiff+4, 255, 255, 255, 255),
		"directory at end":    change(tiff+4, byte(len(good)-tiff-2)),
		"too few entries":     change(tiff+10, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x13, 1),
		"no entries":          change(tiff+10, 0, 0),
		"segment too long":    change(2, 255, 255),
		"segment too short":   change(2, 0, 1),
		"not Exif":            change(4, 'x'),
		"another marker":      change(1, 0xE2),
		"not a marker":        change(0, 0),
		"header cut":          withSegment(file, []byte("\xFF\xE1\x00\x0BExif\x00\x00II*")),
		"empty Exif":          withSegment(file, []byte("\xFF\xE1\x00\x08Exif\x00\x00")),
		"after start of scan": append(append([]byte{}, file...), good...),
	} {
		require.Equal(t, 1, exifOrientation(b), name)
	}
	require.Equal(t, 6, exifOrientation(change(tag+2, 4)), "a LONG is read too")
	require.Equal(t, 6, exifOrientation(withSegment(file, append([]byte{0xFF, 0xFF}, good...))), "padding before the marker")
	for n := range file[:100] {
		require.Equal(t, 1, exifOrientation(file[:n]))
	}
}

func encode(t testing.TB, write func(b *bytes.Buffer) error) []byte {
	var b bytes.Buffer
	require.NoError(t, write(&b))
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	return encode(t, func(b *bytes.Buffer) error { return png.Encode(b, m) })
}

func TestKindsOfPNG(t *testing.T) {
	r := image.Rect(0, 0, 2, 1)
	set := func(m interface {
		image.Image
		Set(int, int, color.Color)
	}) image.Image {
		m.Set(0, 0, color.NRGBA64{0x1234, 0x5678, 0x9ABC, 0xFFFF})
		m.Set(1, 0, color.NRGBA64{0x1234, 0x5678, 0x9ABC, 0x4000})
		return m
	}
	for name, c := range map[string]struct {
		m    image.Image
		want []byte
	}{
		"RGBA":           {set(image.NewNRGBA(r)), []byte{0x12, 0x56, 0x9A, 0x12, 0x56, 0x9A}},
		"16-bit RGBA":    {set(image.NewNRGBA64(r)), []byte{0x12, 0x56, 0x9A, 0x12, 0x56, 0x9A}},
		"gray":           {&image.Gray{Pix: []byte{7, 250}, Stride: 2, Rect: r}, []byte{7, 7, 7, 250, 250, 250}},
		"16-bit gray":    {&image.Gray16{Pix: []byte{7, 255, 250, 0}, Stride: 4, Rect: r}, []byte{7, 7, 7, 250, 250, 250}},
		"palette, alpha": {&image.Paletted{Pix: []byte{1, 0}, Stride: 2, Rect: r, Palette: color.Palette{color.NRGBA{9, 8, 7, 0}, color.NRGBA{1, 2, 3, 255}}}, []byte{1, 2, 3, 9, 8, 7}},
	} {
		m, err := decoded(pngOf(t, c.m))
		require.NoError(t, err, name)
		require.Equal(t, c.want, rgb(t, m).Pix, name)
	}
}

func TestAnimatedGIF(t *testing.T) {
	frame := func(index byte, r image.Rectangle) *image.Paletted {
		m := image.NewPaletted(r, palette.Plan9)
		for i := range m.Pix {
			m.Pix[i] = index
		}
		return m
	}
	b := encode(t, func(b *bytes.Buffer) error {
		return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{frame(9, image.Rect(0, 0, 5, 4)), frame(200, image.Rect(1, 1, 3, 3))}, Delay: []int{1, 1}})
	})
	m, err := decoded(b)
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 5, 4), m.Bounds())
	want := palette.Plan9[9].(color.RGBA)
	require.Equal(t, bytes.Repeat([]byte{want.R, want.G, want.B}, 20), rgb(t, m).Pix)
}

// The colour transform of a CMYK JPEG, which Pillow cannot write, within the level that Go's conversion rounds
// otherwise.
func TestYCCK(t *testing.T) {
	b := readFixture(t, "cmyk.jpg")
	transform := bytes.Index(b, []byte("Adobe")) + 11
	require.Zero(t, b[transform])
	b[transform] = 2
	m, err := decoded(b)
	require.NoError(t, err)
	got := rgb(t, m)
	for i, want := range [][3]byte{{15, 7, 23}, {0, 57, 44}, {93, 47, 133}, {158, 24, 138}, {90, 63, 20}, {0, 58, 98}} { // Pillow's
		pixel := got.Pix[20*(i/3)*got.Stride+16*(i%3)*3:]
		for c := range 3 {
			require.InDelta(t, want[c], pixel[c], 1)
		}
	}
}

// Orientations are found wherever a format keeps them; damaged containers have none.
func TestHostileChunks(t *testing.T) {
	for format, name := range map[string]string{"png": "turned.png", "webp": "turned.webp", "tiff": "turned.tiff"} {
		b := readFixture(t, name)
		require.Equal(t, 6, orientation(format, b))
		require.Equal(t, 1, orientation("bmp", b))
		for n := range b {
			require.Contains(t, []int{1, 6}, orientation(format, b[:n]))
			for _, v := range []byte{0, 255} {
				changed := bytes.Clone(b)
				changed[n] = v
				o := orientation(format, changed)
				require.True(t, o >= 1 && o <= 8)
			}
		}
	}
}

// bigPNG returns a PNG header that states a size, with nothing behind it.
func bigPNG(t testing.TB, w, h uint32) []byte {
	b := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func TestLoadErrors(t *testing.T) {
	photo := readFixture(t, "blocks.jpg")
	pixels := pngOf(t, image.NewRGBA(image.Rect(0, 0, 30, 30)))
	cmyk := readFixture(t, "cmyk.jpg")
	wrong := append([]byte{}, pixels...)
	wrong[40] ^= 255
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty.png":          {nil, "the file is empty (0 bytes)"},
		"text.jpg":           {[]byte("hello, this is text"), `not an image: it begins with "hello, this is t"`},
		"page.png":           {[]byte("<html>"), `not an image: it begins with "<html>"`},
		"cut.jpg":            {photo[:len(photo)/2], "the JPEG is truncated: copy it again"},
		"cut-head.jpg":       {photo[:100], "the JPEG is truncated"},
		"start.jpg":          {photo[:3], "the JPEG is truncated"},
		"cut.png":            {pixels[:len(pixels)-20], "the PNG is truncated"},
		"wrong.png":          {wrong, "the PNG is damaged"},
		"cut.webp":           {readFixture(t, "lossy.webp")[:200], "the WebP is truncated"},
		"cut.gif":            {readFixture(t, "part-local.gif")[:45], "the GIF is truncated"},
		"cut.tif":            {readFixture(t, "lzw.tiff")[:50], "the TIFF is "},
		"cut.bmp":            {readFixture(t, "palette.bmp")[:1000], "the BMP is truncated"},
		"bomb.png":           {bigPNG(t, 20000, 9001), "the PNG is 20000x9001 pixels, more than the 134 megapixels that are read"},
		"bomb-overflow.png":  {bigPNG(t, 1<<31-1, 1<<31-1), "PNG is "},
		"nothing.png":        {bigPNG(t, 0, 5), "PNG is "},
		"animated.webp":      {readFixture(t, "animated.webp"), "the WebP is animated, which is not read: save one of its pictures"},
		"fax.tiff":           {readFixture(t, "fax.tiff"), "the TIFF has the compression of fax machines, which is not read"},
		"cut-late.jpg":       {photo[:len(photo)-10], "the JPEG is truncated"},
		"cmyk.jpg":           {bytes.Replace(cmyk, []byte("Adobe"), []byte("adobe"), 1), "4-component JPEG doesn't have Adobe"},
		"unsupported-12.jpg": {withSegment(photo, []byte("\xFF\xC0\x00\x0B\x0C\x00\x01\x00\x01\x01\x01\x11\x00")), "the JPEG is damaged or of a kind that is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.WriteFile(path, c.b, 0o644))
			s := open(t, path)
			_, err := s.Load(0)
			require.ErrorContains(t, err, "images: "+path+": ")
			require.ErrorContains(t, err, c.want)
		})
	}
}

// No prefix of a file and no change of a byte makes decode panic; a file that
// is cut before its last pixels is always an error.
func TestDamagedFilesDoNotPanic(t *testing.T) {
	for _, name := range []string{"lossy-alpha.webp", "lossless.webp", "palette.bmp", "lzw.tiff", "blocks.jpg", "part-local-transparent.gif", "part-global.gif"} {
		b := readFixture(t, name)
		for n := 0; n < len(b); n += 1 + len(b)/150 {
			_, err := decoded(b[:n])
			if n < len(b)/2 {
				require.Error(t, err, "%s cut to %d bytes", name, n)
			}
			changed := append([]byte{}, b...)
			changed[n] ^= 0xFF
			if m, err := decoded(changed); err == nil {
				require.NotNil(t, m)
			}
		}
	}
}

// A decoder's own panic becomes an error.
func TestDecoderPanicIsAnError(t *testing.T) {
	image.RegisterFormat("panic", "PANIC",
		func(io.Reader) (image.Image, error) { panic("lost") },
		func(io.Reader) (image.Config, error) { return image.Config{Width: 1, Height: 1}, nil })
	_, err := decoded([]byte("PANIC now"))
	require.ErrorContains(t, err, "the PANIC is damaged: its decoder failed (lost)")
}

func TestFileTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	require.NoError(t, os.WriteFile(path, make([]byte, 1<<20+1), 0o644))
	setMemory(t, 2<<20)
	s := open(t, path)
	_, err := s.Load(0)
	require.ErrorContains(t, err, "the file is larger than 1 MB, half of the memory for pictures")
	setMemory(t, 2<<20+2)
	_, err = s.Load(0)
	require.ErrorContains(t, err, "not an image")
}

// setMemory sets the memory for pictures during a test.
func setMemory(t testing.TB, bytes int64) {
	before := memory
	SetMemory(bytes)
	t.Cleanup(func() { memory = before })
}

func TestDecode(t *testing.T) {
	m, err := Decode(bytes.NewReader(readFixture(t, "lossy.webp")))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 37, 29), m.Bounds())
	_, err = Decode(strings.NewReader(""))
	require.EqualError(t, err, "the file is empty (0 bytes)")
	_, err = Decode(iotest.ErrReader(errors.New("unplugged")))
	require.EqualError(t, err, "cannot read the file: unplugged")
	_, err = Decode(strings.NewReader("text"))
	require.ErrorContains(t, err, "not an image")
}

func TestZipEntriesThatCannotBeRead(t *testing.T) {
	pixels := pngOf(t, image.NewGray(image.Rect(0, 0, 9, 9)))
	for name, c := range map[string]struct {
		damage func(archive []byte, local, central int)
		want   string
	}{
		"encrypted": {func(b []byte, _, central int) { b[central+8] |= 1 }, "encrypted"},
		"method":    {func(b []byte, _, central int) { b[central+10] = 93 }, "compressed with method 93"},
		"truncated": {func(b []byte, _, central int) { binary.LittleEndian.PutUint32(b[central+20:], 5) }, "the file is truncated in the archive"},
		"checksum":  {func(b []byte, _, central int) { b[central+16] ^= 1 }, "cannot read the file: zip: checksum error"},
		"header":    {func(b []byte, local, _ int) { b[local] = 0 }, "cannot open the zip entry: zip: not a valid zip file"},
	} {
		t.Run(name, func(t *testing.T) {
			b := zipOf(t, zip.Store, map[string][]byte{"a/x.png": pixels})
			c.damage(b, bytes.Index(b, []byte("PK\x03\x04")), bytes.Index(b, []byte("PK\x01\x02")))
			path := filepath.Join(t.TempDir(), "x.zip")
			require.NoError(t, os.WriteFile(path, b, 0o644))
			_, err := open(t, path).Load(0)
			require.ErrorContains(t, err, "images: "+path+": a/x.png: ")
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestLoadIndex(t *testing.T) {
	s := open(t, "testdata/lossy.webp")
	for _, i := range []int{-1, 1} {
		_, err := s.Load(i)
		require.ErrorContains(t, err, fmt.Sprintf("there is no image %d: the set has 1", i))
	}
}

func TestLoadConcurrently(t *testing.T) {
	files := map[string][]byte{}
	for i := range 40 {
		m := image.NewGray(image.Rect(0, 0, 8, 8))
		m.Pix[0] = byte(i)
		files[fmt.Sprintf("%02d.png", i)] = pngOf(t, m)
	}
	path := filepath.Join(t.TempDir(), "x.zip")
	require.NoError(t, os.WriteFile(path, zipOf(t, zip.Deflate, files), 0o644))
	s := open(t, path)
	var group sync.WaitGroup
	got := make([]byte, s.Len())
	for i := range s.Len() {
		group.Go(func() {
			if m, err := s.Load(i); err == nil {
				got[i] = m.(*image.Gray).Pix[0]
			}
		})
	}
	group.Wait()
	for i, v := range got {
		require.EqualValues(t, i, v)
	}
	require.NoError(t, s.Close())
	_, err := s.Load(0)
	require.ErrorContains(t, err, "closed")
}

func TestContentDecidesTheFormat(t *testing.T) {
	b := encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, image.NewGray(image.Rect(0, 0, 3, 2)), nil) })
	path := filepath.Join(t.TempDir(), "in-truth-a-jpeg.PNG")
	require.NoError(t, os.WriteFile(path, b, 0o644))
	m, err := open(t, path).Load(0)
	require.NoError(t, err)
	require.IsType(t, &image.Gray{}, m)
	require.True(t, strings.HasSuffix(path, open(t, path).Item(0).Name))
}
