package images

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// allocated returns how many bytes work allocates, garbage included: at least what it takes at its peak.
func allocated(work func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// interlaced makes an interlaced PNG of one that is not. Its rows are then too many or too few, which the decoder finds
// out at the end.
func interlaced(b []byte) []byte {
	b = bytes.Clone(b)
	b[28] = 1
	binary.BigEndian.PutUint32(b[29:], crcOf(b[12:29]))
	return b
}

// progressive returns a progressive JPEG of one gray level: a bit for each block. sampling are the factors of each
// component.
func progressive(w, h int, sampling ...byte) []byte {
	b := []byte("\xFF\xD8\xFF\xDB\x00\x43\x00")
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	n := len(sampling)
	b = append(b, 0xFF, 0xC2, 0, byte(8+3*n), 8)
	b = binary.BigEndian.AppendUint16(b, uint16(h))
	b = binary.BigEndian.AppendUint16(b, uint16(w))
	b = append(b, byte(n))
	blocks := 0
	for i, hv := range sampling {
		b = append(b, byte(i+1), hv, 0)
		blocks += int(hv>>4) * int(hv&15)
	}
	b = append(b, 0xFF, 0xC4, 0, 19+2, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
	b = append(b, 0xFF, 0xDA, 0, byte(6+2*n), byte(n))
	for i := range sampling {
		b = append(b, byte(i+1), 0)
	}
	b = append(b, 0, 0, 0)
	units := ((w + 7) / 8) * ((h + 7) / 8) // at least
	return append(append(b, make([]byte, units*blocks/8+2)...), 0xFF, 0xD9)
}

// adobe is the segment that makes 4 components of a JPEG CMYK, and 3 of them RGB.
const adobe = "\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x00"

// TestCostCoversDecoders: no decoder allocates more than its file is said to cost, garbage included, and no honest
// file is said to cost much more than that.
func TestCostCoversDecoders(t *testing.T) {
	w, h := 1003, 801
	if testing.Short() { // with the race detector, which takes memory of its own, the slack below covers all
		w, h = 53, 41
	}
	r := image.Rect(0, 0, w, h)
	files := map[string][]byte{}
	pngs := map[string]image.Image{
		"gray": image.NewGray(r), "gray 16": image.NewGray16(r), "RGBA": image.NewNRGBA(r), "RGBA 16": image.NewNRGBA64(r),
		"palette": image.NewPaletted(r, palette.Plan9),
	}
	opaque, opaque16 := image.NewNRGBA(r), image.NewNRGBA64(r)
	for i := range opaque.Pix {
		opaque.Pix[i] = 255
	}
	for i := range opaque16.Pix {
		opaque16.Pix[i] = 255
	}
	pngs["RGB"], pngs["RGB 16"] = opaque, opaque16
	for name, m := range pngs {
		b := pngOf(t, m)
		files["PNG "+name], files["PNG interlaced "+name] = b, interlaced(b)
	}
	// A chunk that makes gray pictures RGBA.
	for _, name := range []string{"PNG gray", "PNG gray 16"} {
		b := files[name]
		chunk := []byte("\x00\x00\x00\x02tRNS\x00\x01")
		chunk = binary.BigEndian.AppendUint32(chunk, crcOf(chunk[4:]))
		files[name+" transparent"] = append(append(bytes.Clone(b[:33]), chunk...), b[33:]...)
	}
	lossy := func(m image.Image) []byte {
		return encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) })
	}
	files["JPEG"], files["JPEG gray"] = lossy(opaque), lossy(image.NewGray(r))
	for name, sampling := range map[string][]byte{
		"4:4:4": {0x11, 0x11, 0x11}, "4:2:0": {0x22, 0x11, 0x11}, "4:1:1": {0x41, 0x11, 0x11},
		"gray": {0x11}, "gray of 4x4": {0x44},
	} {
		files["JPEG progressive "+name] = progressive(w, h, sampling...)
		files["JPEG progressive turned "+name] = withSegment(progressive(w, h, sampling...), exif(binary.LittleEndian, 6))
	}
	for _, sampling := range [][]byte{{0x11, 0x11, 0x11, 0x11}, {0x22, 0x11, 0x11, 0x22}, {0x11, 0x11, 0x11}} {
		b := withSegment(progressive(w, h, sampling...), []byte(adobe))
		files[fmt.Sprintf("JPEG Adobe %x", sampling)] = b
		// Rubbish before the frame, and padding, which image/jpeg passes over.
		files[fmt.Sprintf("JPEG rubbish %x", sampling)] = withSegment(b, []byte("x\xFF\x00\xFF\xFF\xFF\xE3\x00\x03y\xC0"))
	}
	files["GIF"] = encode(t, func(b *bytes.Buffer) error { return gif.Encode(b, pngs["palette"], nil) })
	files["BMP"] = encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, opaque) })
	files["BMP palette"] = encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, pngs["palette"]) })
	for name, c := range map[string]tiff.CompressionType{"": tiff.Uncompressed, " deflate": tiff.Deflate} {
		for kind, m := range pngs {
			files["TIFF "+kind+name] = encode(t, func(b *bytes.Buffer) error {
				return tiff.Encode(b, m, &tiff.Options{Compression: c})
			})
		}
	}
	for _, name := range []string{
		"lossy.webp", "lossy-alpha.webp", "lossless.webp", "turned.webp", "cmyk.jpg", "lzw.tiff",
	} {
		files[name] = readFixture(t, name)
	}
	for name, b := range files {
		config, format, err := image.DecodeConfig(bytes.NewReader(b))
		require.NoError(t, err, name)
		n, _ := cost(format, config, b)
		var m image.Image
		got := allocated(func() { m, err = decoded(b) })
		if err != nil {
			require.ErrorContains(t, err, "PNG is damaged", name) // "too much pixel data" of interlaced ones
		} else {
			require.NotNil(t, m, name)
		}
		const slack = 200 << 10 // of readers, tables and unpackers
		require.LessOrEqual(t, got, n+slack, "%s: %d bytes", name, len(b))
		require.Less(t, n, 45*int64(config.Width*config.Height)+(20<<20), name)
	}
}

// TestBombsAreRefused: pictures of a few bytes are refused before memory is taken for them, in words that say what they
// would take and what to do.
func TestBombsAreRefused(t *testing.T) {
	gifBomb := append([]byte("GIF89a"), 0x10, 0x27, 0x10, 0x27, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x2C)
	bmpBomb := encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, image.NewNRGBA(image.Rect(0, 0, 1, 1))) })
	binary.LittleEndian.PutUint32(bmpBomb[18:], 10000)
	binary.LittleEndian.PutUint32(bmpBomb[22:], 10000)
	wide := bigPNG(t, 1<<21, 1)
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"gray":       {bigPNG(t, 16384, 8192), "not enough pixel data"}, // 128 MB, which are taken
		"interlaced": {interlaced(bigPNG(t, 16384, 8192+1)), "134 megapixels"},
		"interlaced 2": {interlaced(bigPNG(t, 16384, 8192)), "the PNG is 16384x8192 pixels, interlaced: reading it takes 257 MB of memory, more than " +
			"the 256 MB for pictures: make it smaller, or allow more (--image-memory 257 of"},
		"progressive":  {progressive(10000, 10000, 0x11, 0x11, 0x11)[:200], "the JPEG is 10000x10000 pixels, progressive: reading it takes 1431 MB"},
		"4 components": {progressive(10000, 10000, 0x11, 0x11, 0x11, 0x11)[:200], "takes 2289 MB"},
		"GIF":          {gifBomb, "the GIF is 10000x10000 pixels: reading it takes 287 MB"},
		"BMP":          {bmpBomb, "the BMP is 10000x10000 pixels: reading it takes 382 MB"},
		"a row":        {wide, "the PNG is 2097152x1 pixels, more than 1048576 a side"},
		"second marker": {withSegment(progressive(10000, 10000, 0x11, 0x11, 0x11)[:200],
			[]byte("\xFF\xE1\x00\x02")), "takes 1431 MB"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bomb")
			require.NoError(t, os.WriteFile(path, c.b, 0o600))
			s := open(t, path)
			var err error
			n := allocated(func() { _, err = s.Load(0) })
			require.ErrorContains(t, err, "images: "+path+": ")
			require.ErrorContains(t, err, c.want)
			if name != "gray" {
				require.Less(t, n, int64(1<<20))
			}
		})
	}
}

// TestMemoryCanBeRaised: the limit is what it is set to.
func TestMemoryCanBeRaised(t *testing.T) {
	b := pngOf(t, image.NewGray(image.Rect(0, 0, 1500, 1000)))
	setMemory(t, 1<<20)
	_, err := decoded(b)
	var memoryErr *MemoryError
	require.ErrorAs(t, err, &memoryErr)
	require.Equal(t, int64(1<<20), memoryErr.Limit)
	setMemory(t, memoryErr.Need)
	_, err = decoded(b)
	require.NoError(t, err)
}

// TestLargePicturesWait: what pictures hold together stays within the budget, however many goroutines there are, and
// small ones are at work at the same time.
func TestLargePicturesWait(t *testing.T) {
	const limit = 100 << 20
	b := newBudget(limit)
	var held, most atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			h := b.takeFile([]int64{1 << 20, 20 << 20, 0}[i%3]) // a small file, a large one, one of unknown size
			for n := range int64(4) {
				h.grow(min((n+1)*30<<20, limit))
				now := held.Add(h.bytes)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				runtime.Gosched()
				held.Add(-h.bytes)
			}
			h.free()
		})
	}
	all.Wait()
	require.LessOrEqual(t, most.Load(), int64(limit))
	require.Zero(t, b.held)

	// Eight small ones meet before any of them goes on.
	var meeting sync.WaitGroup
	meeting.Add(8)
	for range 8 {
		all.Go(func() {
			h := b.takeFile(1 << 20)
			h.grow(12 << 20)
			meeting.Done()
			meeting.Wait()
			h.free()
		})
	}
	all.Wait()
}

// TestUseHoldsUntilItReturns: the next large picture is decoded when the one before is no longer used.
func TestUseHoldsUntilItReturns(t *testing.T) {
	s := open(t, folderOf(t, map[string][]byte{"a.png": pngOf(t, image.NewGray(image.Rect(0, 0, 1000, 1000)))}))
	setMemory(t, 3<<20/2)
	var using atomic.Int32
	var all sync.WaitGroup
	var errs [8]error
	for i := range errs {
		all.Go(func() {
			errs[i] = s.Use(0, func(m image.Image) error {
				defer using.Add(-1)
				if using.Add(1) > 1 {
					return fmt.Errorf("two pictures of 1 MB in 1.5 MB")
				}
				runtime.Gosched()
				return nil
			})
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Zero(t, memory.held)
	require.ErrorIs(t, s.Use(0, func(image.Image) error { return os.ErrDeadlineExceeded }), os.ErrDeadlineExceeded)
	require.Zero(t, memory.held)
}

// TestRGBImage: pixels one by one are those of the rows.
func TestRGBImage(t *testing.T) {
	pix := make([]byte, 4*3*3)
	for i := range pix {
		pix[i] = byte(7 * i)
	}
	for o := 1; o <= 8; o++ {
		m, err := upright(newRGBImage(pix, 4, 3), o)
		require.NoError(t, err)
		rows := rgb(t, m)
		for y := range rows.H {
			for x := range rows.W {
				p := rows.Pix[y*rows.Stride+3*x:]
				require.Equal(t, color.NRGBA{R: p[0], G: p[1], B: p[2], A: 255}, m.At(x, y), "orientation %d", o)
			}
		}
		require.Equal(t, color.NRGBA{}, m.At(-1, 0))
		require.NoError(t, png.Encode(&bytes.Buffer{}, m))
	}
}

// TestManySmallImages: ten million images of an IDX file that is 10 KB gzipped take their pixels and no more.
func TestManySmallImages(t *testing.T) {
	b := gzipped(t, idx(make([]byte, maxItems), maxItems, 1, 1))
	require.Less(t, len(b), 11_000)
	dir := folderOf(t, map[string][]byte{"t10k-images-idx3-ubyte.gz": b})
	var s *Set
	require.Less(t, allocated(func() { s = open(t, dir) }), int64(12_000_000))
	require.Equal(t, maxItems, s.Len())
	require.Equal(t, Item{Name: "9999999", Class: Unlabelled}, s.Item(maxItems-1))
	_, err := s.Load(maxItems - 1)
	require.NoError(t, err)
	var chosen []int
	require.Less(t, allocated(func() { chosen = s.Sample(3, 1) }), int64(maxItems*8+1<<20))
	require.Len(t, chosen, 3)
}

// TestLargeDirectory: an archive's directory is not read to its end if that would take much memory, whatever number of
// entries the archive states.
func TestLargeDirectory(t *testing.T) {
	files := map[string][]byte{}
	for i := range 2000 {
		files[fmt.Sprintf("%d.png", i)] = nil
	}
	b := zipOf(t, 0, files)
	end := bytes.LastIndex(b, []byte("PK\x05\x06"))
	binary.LittleEndian.PutUint16(b[end+8:], 1)
	path := filepath.Join(t.TempDir(), "a.zip")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	setMemory(t, 1<<20)
	_, err := Open(path)
	require.ErrorContains(t, err, "images: "+path+": the zip archive's directory has more than 1 MB: unpack the archive")
}

// TestNamesOnOneLine: whatever a name holds, an error about it is one line that steers no terminal.
func TestNamesOnOneLine(t *testing.T) {
	const name = "n\nl\x1b[31m\u202e.png"
	archive := filepath.Join(t.TempDir(), "x.zip")
	require.NoError(t, os.WriteFile(archive, zipOf(t, 0, map[string][]byte{"d\n/" + name: []byte("z")}), 0o600))
	folder := folderOf(t, map[string][]byte{"d\n/" + name: []byte("z")})
	for _, path := range []string{archive, folder, filepath.Join(folder, "d\n", name)} {
		s := open(t, path)
		require.Contains(t, s.Item(0).Name, name, "the name itself stays as it is")
		_, err := s.Load(0)
		require.ErrorContains(t, err, `n\nl\x1b[31m\u202e.png: not an image`)
		require.NotContains(t, err.Error(), "\n")
		require.NotContains(t, s.Where(0), "\n")
	}
	_, err := Open(filepath.Join(folder, "no\nthing"))
	require.ErrorContains(t, err, `no\nthing: no such file`)
}

func crcOf(b []byte) uint32 { return crc32.ChecksumIEEE(b) }
