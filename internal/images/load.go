package images

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"
)

// maxBytes is the largest file read, before decoding.
const maxBytes = 256 << 20

// Load reads and decodes image i, 0 <= i < Len. The format is found from the
// content; the name's ending does not matter.
//
//   - A picture is turned upright by its EXIF orientation (torchvision's
//     ImageFolder does not do that).
//   - Of an animated GIF the first frame is taken. Where it does not cover the
//     picture, the rest is filled with its transparent colour, or the first of
//     its palette.
//   - Lossy WebP is converted to RGB as libwebp does it. An animated one is an
//     error.
//   - Of an IDX file gray images are image.Gray, others opaque image.NRGBA.
//
// The first two follow Pillow, ImageOps.exif_transpose included. Colours keep
// the values stored under a transparent alpha, where the format has any.
//
// Errors are of the type [*LoadError] and name the file and the reason: an empty file, no image of a known
// kind, a truncated or damaged one, more than 100 megapixels, a file of more
// than 256 MB. Load is safe for concurrent use.
func (s *Set) Load(i int) (image.Image, error) {
	if i < 0 || i >= len(s.entries) {
		return nil, fmt.Errorf("images: %s: there is no image %d: the set has %d", s.path, i, len(s.entries))
	}
	e := &s.entries[i]
	m, err := e.load()
	if err != nil {
		return nil, &LoadError{s.where(e), err}
	}
	return m, nil
}

// A LoadError says why an image cannot be loaded.
type LoadError struct {
	// Image is where it is: a file's path; in an archive or IDX file that path,
	// a colon and the name inside.
	Image string
	Err   error
}

func (e *LoadError) Error() string { return "images: " + e.Image + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *LoadError) Unwrap() error { return e.Err }

func (e *entry) load() (image.Image, error) {
	if e.idx != nil {
		return e.idx.image(e.number)
	}
	b, err := e.read(maxBytes)
	if err != nil {
		return nil, err
	}
	return decode(b)
}

// read returns the bytes of the file, which must be at most limit.
func (e *entry) read(limit int64) ([]byte, error) {
	r, err := e.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := readAll(r, limit)
	if e.zipped != nil && errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errors.New("the file is truncated in the archive: copy or make the archive again")
	}
	return b, err
}

// readAll reads to the end of r, which must come within limit bytes. It trusts
// no length that an archive states.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the file: %w", cause(err))
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("the file is larger than %d MB", limit>>20)
	case len(b) == 0:
		return nil, errors.New("the file is empty (0 bytes)")
	}
	return b, nil
}

func (e *entry) open() (io.ReadCloser, error) {
	if e.zipped != nil {
		return openZipped(e.zipped)
	}
	f, err := os.Open(e.file)
	if err != nil {
		return nil, cause(err)
	}
	return f, nil
}
