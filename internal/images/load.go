package images

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"

	"github.com/libresnext/libresnext/internal/text"
)

// Load reads and decodes image i, 0 <= i < Len. The format is found from the
// content; the name's ending does not matter.
//
//   - A picture is turned upright by its EXIF orientation (torchvision's
//     ImageFolder does not do that).
//   - Of an animated GIF the first frame is taken. Where it does not cover the
//     picture, the rest is filled with its transparent colour, or the first of
//     its palette.
//   - Lossy WebP is converted to RGB as libwebp does it, without its alpha. An
//     animated one is an error.
//
// The first two follow Pillow, ImageOps.exif_transpose included. Colours keep
// the values stored under a transparent alpha, where the format has any.
//
// Errors are of the type [*LoadError] and name the file and the reason: an empty file, no image of a known
// kind, a truncated or damaged one, one that takes more memory than [SetMemory] allows (a [*MemoryError]), or has
// more than 134 megapixels. Load is safe for concurrent use; what several calls take together while they decode
// stays within the memory for pictures too, see Use.
func (s *Set) Load(i int) (m image.Image, err error) {
	err = s.Use(i, func(loaded image.Image) error {
		m = loaded
		return nil
	})
	return m, err
}

// Use is [Set.Load] for those who load pictures on several goroutines: the memory that picture i takes counts until use
// returns, so that many small pictures are at work at once, but not many large ones. use must keep no part of the
// picture, and must load no other. Its error is returned as it is.
func (s *Set) Use(i int, use func(image.Image) error) error {
	if i < 0 || i >= s.Len() {
		return fmt.Errorf("images: %s: there is no image %d: the set has %d", text.Printable(s.path), i, s.Len())
	}
	e := s.entry(i)
	m, held, err := e.load()
	if held != nil {
		defer held.free()
	}
	if err != nil {
		return &LoadError{s.where(&e), err}
	}
	return use(m)
}

// A LoadError says why an image cannot be loaded.
type LoadError struct {
	// Image is where it is: a file's path; in an archive or IDX file that path,
	// a colon and the name inside. It can be printed, see [text.Printable].
	Image string
	Err   error
}

func (e *LoadError) Error() string { return "images: " + e.Image + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *LoadError) Unwrap() error { return e.Err }

// load returns the picture and its hold on the memory, which is to be given back. There may be one with an error.
func (e *entry) load() (image.Image, *hold, error) {
	if e.idx != nil {
		return e.idx.image(e.number)
	}
	r, size, err := e.open()
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	held := memory.takeFile(size)
	b, err := readAll(r, size, held.budget.maxFile())
	if err != nil {
		if e.zipped != nil && errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("the file is truncated in the archive: copy or make the archive again")
		}
		return nil, held, err
	}
	m, err := decode(b, held)
	return m, held, err
}

// readAll reads to the end of r, which must come within limit bytes. size is how many there should be, or 0.
func readAll(r io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, tooLarge(limit)
	}
	var b []byte
	var err error
	if limited := io.LimitReader(r, limit+1); size > 0 {
		// Of a size that is true nothing is copied as the buffer grows. One that an archive states need not be.
		buffer := bytes.NewBuffer(make([]byte, 0, size+1+bytes.MinRead))
		_, err = buffer.ReadFrom(limited)
		b = buffer.Bytes()
	} else {
		b, err = io.ReadAll(limited)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the file: %w", cause(err))
	case int64(len(b)) > limit:
		return nil, tooLarge(limit)
	case len(b) == 0:
		return nil, errors.New("the file is empty (0 bytes)")
	}
	return b, nil
}

func tooLarge(limit int64) error {
	return fmt.Errorf("the file is larger than %s, half of the memory for pictures: make it smaller, or allow more "+
		"(--image-memory of calib and resnext)", megabytes(limit))
}

// open opens the file and returns its size, 0 if that is not known.
func (e *entry) open() (r io.ReadCloser, size int64, err error) {
	if e.zipped != nil {
		r, err = openZipped(e.zipped)
		return r, int64(min(e.zipped.UncompressedSize64, math.MaxInt64)), err
	}
	f, err := os.Open(e.file)
	if err != nil {
		return nil, 0, cause(err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, cause(err)
	}
	return f, info.Size(), nil
}
