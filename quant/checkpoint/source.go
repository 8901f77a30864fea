package checkpoint

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// maxLine bounds the text arguments of opcodes, in bytes: names and numbers.
const maxLine = 4096

// A source hands out the bytes of a pickle. It knows how many there are, so
// that no length inside the pickle is trusted.
type source struct {
	r    *bufio.Reader
	pos  int64 // bytes handed out
	size int64 // bytes in all
}

func newSource(r io.Reader, size int64) *source {
	return &source{r: bufio.NewReader(r), size: size}
}

func (s *source) left() int64 { return s.size - s.pos }

func (s *source) byte() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, s.short(1, err)
	}
	s.pos++
	return b, nil
}

// take returns the next n bytes.
func (s *source) take(n uint64) ([]byte, error) {
	if err := s.fits(n); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s.r, b); err != nil {
		return nil, s.short(n, err)
	}
	s.pos += int64(n)
	return b, nil
}

// skip passes over the next n bytes.
func (s *source) skip(n uint64) error {
	if err := s.fits(n); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, s.r, int64(n)); err != nil {
		return s.short(n, err)
	}
	s.pos += int64(n)
	return nil
}

// line returns the text up to the next newline, which it passes over.
func (s *source) line() (string, error) {
	var text bytes.Buffer
	for text.Len() <= maxLine {
		b, err := s.byte()
		if err != nil {
			return "", err
		}
		if b == '\n' {
			return text.String(), nil
		}
		text.WriteByte(b)
	}
	return "", fmt.Errorf("the pickle has a line of over %d bytes at byte %d", maxLine, s.pos)
}

func (s *source) fits(n uint64) error {
	if n > uint64(s.left()) {
		return fmt.Errorf("the pickle is cut short: it wants %d bytes at byte %d and %d are left", n, s.pos, s.left())
	}
	return nil
}

// short is the error for bytes that could not be read.
func (s *source) short(n uint64, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("the pickle is cut short: it wants %d more bytes at byte %d", n, s.pos)
	}
	return err
}
