// Package camera gets frames out of whatever a small computer has: a camera program's pipe, a V4L2 device, a video file
// or pictures. Nothing here needs a C library.
package camera

import (
	"context"
	"fmt"
	"image"
	"time"
)

// Frame is one picture as it came. It belongs to one goroutine at a time.
type Frame struct {
	// Seq counts the frames of a camera from 1, through its restarts.
	Seq uint64
	// Time is when the last byte of the frame arrived.
	Time time.Time
	// Taken is when the picture was taken as far as that is known, for averages over time: Time, but for a recording that
	// is read faster or slower than it was made.
	Taken time.Time
	// JPEG is the picture as the source gave it; nil if the source gives pixels. It is never changed.
	JPEG []byte
	// Damage is what the camera has given of damaged pictures so far, which were left out, through its restarts.
	Damage Damage

	decode  func() (image.Image, error)
	release func()
}

// Image decodes the picture. It is valid until Release, and takes its time: call it for frames that are needed only.
func (f *Frame) Image() (image.Image, error) { return f.decode() }

// Release gives the memory of a frame's pixels back to its source. The frame and its image must not be used afterwards,
// JPEG excepted.
func (f *Frame) Release() {
	if f.release != nil {
		f.release()
		f.release = nil
	}
}

// Source gives frames one after the other.
type Source interface {
	// Next waits for the next frame. io.EOF is an orderly end, other errors say what happened and what to do.
	Next(ctx context.Context) (*Frame, error)
	// Damage tells what was left out because it was damaged. Call it from where Next is called.
	Damage() Damage
	// Close ends the source, a waiting Next included. Closing twice does no harm.
	Close()
}

// Camera says where frames come from, and how to get at them again when they stop.
type Camera struct {
	// Name tells people where the frames come from.
	Name string
	// Restart opens the source again when it ends, whatever the reason, as often as it takes.
	Restart bool
	// Loop begins again after an orderly end.
	Loop bool
	// Still tells that the pictures have nothing to do with each other.
	Still bool
	// Every is set where no frame may be dropped, so that Run's put should wait until the frame is taken.
	Every bool
	// Stall is how long a source that Restart applies to may give no frame before it is taken for dead; 0 is forever.
	Stall time.Duration
	// Open starts the source.
	Open func(ctx context.Context) (Source, error)
}

// Size is a picture's width and height in pixels.
type Size struct{ W, H int }

// maxSide and maxPixels bound a frame. A hostile stream can state any size with a few bytes.
const (
	maxSide   = 8192
	maxPixels = 24_000_000
)

// ParseSize reads "640x480".
func ParseSize(s string) (Size, error) {
	var z Size
	var rest string
	if n, _ := fmt.Sscanf(s+" .", "%dx%d %s", &z.W, &z.H, &rest); n != 3 || rest != "." {
		return Size{}, fmt.Errorf("%q is no size, expected such as 640x480", s)
	}
	return z, z.check()
}

func (z Size) check() error {
	switch {
	case z.W < 16 || z.H < 16 || z.W > maxSide || z.H > maxSide:
		return fmt.Errorf("%s pixels are outside 16x16 to %dx%d", z, maxSide, maxSide)
	case z.W%2 != 0 || z.H%2 != 0:
		return fmt.Errorf("%s pixels: cameras give even sizes only", z)
	case z.W*z.H > maxPixels:
		return fmt.Errorf("%s pixels are more than %d megapixels", z, maxPixels/1_000_000)
	}
	return nil
}

func (z Size) String() string { return fmt.Sprintf("%dx%d", z.W, z.H) }
