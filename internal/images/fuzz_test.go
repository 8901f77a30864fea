package images

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/pixel"
)

// fuzzMemory lets pictures of a megapixel through, so that most of the time goes into small ones.
const fuzzMemory = 16 << 20

// FuzzDecode: no file makes a decoder panic or take more memory than its header was said to cost.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"cmyk.jpg", "fax.tiff", "lossless.webp", "lossy-alpha.webp", "lzw.tiff", "palette.bmp",
		"part-global.gif", "part-local-transparent.gif", "turned.png", "turned.tiff", "turned.webp", "animated.webp"} {
		f.Add(readFixture(f, name))
	}
	f.Add(progressive(9, 17, 0x22, 0x11, 0x11))
	f.Add(withSegment(progressive(9, 17, 0x11, 0x11, 0x11), []byte(adobe)))
	f.Add(interlaced(pngOf(f, image.NewNRGBA64(image.Rect(0, 0, 5, 4)))))
	f.Add(bigPNG(f, 1000, 1000))
	setMemory(f, fuzzMemory)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m image.Image
		var err error
		got := allocated(func() { m, err = decoded(b) })
		config, format, configErr := image.DecodeConfig(bytes.NewReader(b))
		if configErr != nil || checkSize(config.Width, config.Height) != nil {
			require.Error(t, err)
			return
		}
		n, _ := cost(format, config, b)
		if n+int64(len(b)) > fuzzMemory {
			require.Error(t, err)
			n = tiffChunk // of a header that is far away
		}
		const slack = 1 << 20 // of tables, unpackers and errors
		require.LessOrEqual(t, got, raceFactor*(n+2*int64(len(b)))+slack)
		if err != nil {
			return
		}
		size := m.Bounds().Size()
		require.Contains(t, []image.Point{{X: config.Width, Y: config.Height}, {X: config.Height, Y: config.Width}}, size)
		dst, err := pixel.NewImage(3, 2)
		require.NoError(t, err)
		if err := pixel.NewResizer(pixel.Bilinear).ResizeCropImage(dst, m, 3, 2, 0, 0); err != nil {
			require.ErrorContains(t, err, "intermediate image")
		}
	})
}

// FuzzOpen: no archive and no IDX file makes Open or Load panic, take much memory or name a picture on two lines.
func FuzzOpen(f *testing.F) {
	one := pngOf(f, image.NewGray(image.Rect(0, 0, 1, 1)))
	f.Add(zipOf(f, 0, map[string][]byte{"d/a/1.png": one, "d/b/2\n.png": one, "../x": nil}))
	f.Add(zipOf(f, 8, map[string][]byte{`a\1.png`: one, "b/.png": one, "b/3.gif": []byte("x")}))
	f.Add(idx(count(24), 4, 2, 3))
	f.Add(idx(count(36), 2, 2, 3, 3))
	f.Add(gzipped(f, idx(count(24), 4, 2, 3)))
	f.Add(one)
	setMemory(f, fuzzMemory)
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		got := allocated(func() {
			s, err := Open(path)
			if err != nil {
				require.NotContains(t, err.Error(), "\n")
				return
			}
			defer s.Close()
			require.Positive(t, s.Len())
			require.Len(t, s.Sample(2, 1), min(2, s.Len()))
			for i := range min(s.Len(), 20) {
				require.GreaterOrEqual(t, s.Item(i).Class, Unlabelled)
				require.False(t, strings.ContainsAny(s.Where(i), "\n\r\x1b"))
				if _, err := s.Load(i); err != nil {
					require.False(t, strings.ContainsAny(err.Error(), "\n\r\x1b"), "%q", err)
				}
			}
		})
		require.Less(t, got, int64(25*fuzzMemory)) // 20 pictures, what is unpacked, and lists of it
	})
}
