package camera

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/libresnext/libresnext/internal/pixel"
)

// Format says what a stream of bytes holds.
type Format struct {
	// YUV is the size of raw I420 frames (rpicam-vid --codec yuv420); the zero size means motion JPEG.
	YUV Size
	// Stride is the length in bytes of a row of raw luma, gaps included; 0 is the width.
	Stride int
	// Limited tells that raw luma uses 16 to 235 only, as broadcast video and most of ffmpeg's does; camera programs use
	// all of 0 to 255.
	Limited bool
}

// Check reports a format that cannot be.
func (f Format) Check() error {
	if f.YUV == (Size{}) {
		return nil
	}
	_, err := newLayout(pixel.I420, !f.Limited, f.YUV, f.Stride)
	return err
}

// stream is a Source that reads from a pipe or file.
type stream struct {
	next   func() (*Frame, error)
	close  func()
	damage func() Damage // nil where nothing can be damaged
}

func (s *stream) Next(context.Context) (*Frame, error) { return s.next() }
func (s *stream) Close()                               { s.close() }

// Damage is what was left out so far.
func (s *stream) Damage() Damage {
	if s.damage == nil {
		return Damage{}
	}
	return s.damage()
}

// newStream reads frames of the given format from r.
func newStream(r io.Reader, f Format, close func()) (*stream, error) {
	if f.YUV == (Size{}) {
		scanner := NewScanner(r)
		return &stream{func() (*Frame, error) {
			b, err := scanner.Next()
			if err != nil {
				return nil, err
			}
			f := newJPEG(bytes.Clone(b))
			f.Damage = scanner.Damage()
			return f, nil
		}, close, scanner.Damage}, nil
	}
	l, err := newLayout(pixel.I420, !f.Limited, f.YUV, f.Stride)
	if err != nil {
		return nil, err
	}
	frames := &rawFrames{layout: l}
	return &stream{next: func() (*Frame, error) { return frames.read(r) }, close: close}, nil
}

// read reads one raw frame. A part of one at the end of the stream is dropped.
func (r *rawFrames) read(from io.Reader) (*Frame, error) {
	b := r.buffer()
	if _, err := io.ReadFull(from, *b); errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, io.EOF
	} else if err != nil {
		return nil, err
	}
	return r.frame(b), nil
}

// Pipe is a camera that reads r, standard input for instance, which is called name. It ends with the stream.
func Pipe(name string, r io.Reader, f Format) Camera {
	return Camera{Name: name, Open: func(context.Context) (Source, error) {
		return newStream(r, f, func() {
			if c, ok := r.(io.Closer); ok {
				_ = c.Close() // read only
			}
		})
	}}
}
