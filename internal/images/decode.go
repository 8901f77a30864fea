package images

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"strings"

	// The formats that image.Decode knows.
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/libresnext/libresnext/internal/pixel"
)

// Decode reads one image to the end of r and decodes it as [Set.Load] does. Its
// errors say what is wrong and leave it to the caller to name the source.
func Decode(r io.Reader) (image.Image, error) {
	s := memory.takeFile(0)
	defer s.free()
	b, err := readAll(r, 0, s.budget.maxFile())
	if err != nil {
		return nil, err
	}
	return decode(b, s)
}

// decode decodes the bytes of an image file. s is what they have taken of the memory for pictures; it grows to what
// the decoder takes.
func decode(b []byte, s *hold) (m image.Image, err error) {
	format := "image"
	defer func() {
		// A decoder that a hostile file leads astray must not end the program.
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("the %s is damaged: its decoder failed (%v)", format, r)
		}
	}()
	config, name, err := image.DecodeConfig(bytes.NewReader(b))
	if errors.Is(err, image.ErrFormat) {
		return nil, notAnImage(b)
	}
	format = displayName(name)
	if err != nil {
		return nil, damaged(format, err)
	}
	if err := checkSize(config.Width, config.Height); err != nil {
		return nil, fmt.Errorf("the %s %w", format, err)
	}
	if err := beyond(name, b); err != nil {
		return nil, fmt.Errorf("the %s %w", format, err)
	}
	n, kind := cost(name, config, b)
	if n += int64(len(b)); n > s.budget.limit {
		what := fmt.Sprintf("the %s is %dx%d pixels", format, config.Width, config.Height)
		if kind != "" {
			what += ", " + kind
		}
		return nil, &MemoryError{what, n, s.budget.limit}
	}
	s.grow(n)
	if m, _, err = image.Decode(bytes.NewReader(b)); err != nil {
		return nil, damaged(format, err)
	}
	switch name {
	case "gif":
		m = wholeGIF(m, config, b)
	case "webp":
		m, err = webpRGB(m)
	}
	if err != nil {
		return nil, err
	}
	return upright(m, orientation(name, b))
}

// beyond reports what the decoders refuse with few words, or decode wrongly.
func beyond(name string, b []byte) error {
	switch {
	case name == "webp" && webpChunk(b, "ANIM") != nil:
		return errors.New("is animated, which is not read: save one of its pictures as JPEG or PNG")
	case name == "tiff":
		if c := tiffTag(b, tagCompression); c >= 2 && c <= 4 {
			return errors.New("has the compression of fax machines, which is not read: save it with another")
		}
	}
	return nil
}

// maxSide is the longest side of a picture: resizing takes some bytes for each pixel of it.
const maxSide = 1 << 20

// checkSize refuses what is not resized, whatever memory there is.
func checkSize(w, h int) error {
	const most = pixel.MaxPixels
	if w < 1 || h < 1 {
		return fmt.Errorf("is %dx%d pixels: it is empty", w, h)
	}
	if max(w, h) > maxSide {
		return fmt.Errorf("is %dx%d pixels, more than %d a side: make it smaller", w, h, maxSide)
	}
	if int64(w)*int64(h) > most {
		return fmt.Errorf("is %dx%d pixels, more than the %d megapixels that are read: make it smaller", w, h, most/1_000_000)
	}
	return nil
}

// displayName returns a format's name as people write it.
func displayName(format string) string {
	if format == "webp" {
		return "WebP"
	}
	return strings.ToUpper(format)
}

// damaged describes a decoder's error. Of an early end of the file some decoders
// keep only the words.
func damaged(format string, err error) error {
	if text := err.Error(); strings.HasSuffix(text, io.EOF.Error()) || strings.HasSuffix(text, "short Huffman data") {
		return fmt.Errorf("the %s is truncated: copy it again or remove it", format)
	}
	return fmt.Errorf("the %s is damaged or of a kind that is not supported (%w): convert it again or remove it", format, err)
}
