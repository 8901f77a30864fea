package camera

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"syscall"

	"github.com/blackjack/webcam"

	"github.com/libresnext/libresnext/internal/pixel"
)

// capture is what is used of a V4L2 device; *webcam.Webcam is one.
type capture interface {
	GetSupportedFormats() map[webcam.PixelFormat]string
	GetSupportedFrameSizes(webcam.PixelFormat) []webcam.FrameSize
	SetImageFormat(f webcam.PixelFormat, w, h uint32) (webcam.PixelFormat, uint32, uint32, error)
	SetFramerate(float32) error
	SetBufferCount(uint32) error
	StartStreaming() error
	WaitForFrame(seconds uint32) error
	GetFrame() ([]byte, uint32, error)
	ReleaseFrame(index uint32) error
	Close() error
}

const (
	// deviceBuffers is how many frames the driver may hold: one is filled while another is read.
	deviceBuffers = 4
	// worstFrames is how many damaged frames in a row are one too many; the first after the start often is.
	worstFrames = 30
)

// Device is a camera that is a V4L2 device such as /dev/video0. It gives pictures of about the given size.
func Device(path string, z Size, fps float64) Camera {
	return Camera{Name: path, Restart: true, Stall: stallTime, Open: func(context.Context) (Source, error) {
		d, err := webcam.Open(path)
		if err != nil {
			return nil, explainDevice(err)
		}
		return openDevice(d, z, fps)
	}}
}

// explainDevice says what to do.
func explainDevice(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such device: plug a camera in, and see ls /dev/video*")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("no permission: sudo usermod -aG video $USER, and log in again")
	case errors.Is(err, syscall.EBUSY):
		return errors.New("another program is using it: end that first")
	}
	return err
}

// device is a Source that reads a V4L2 device.
type device struct {
	capture
	frames *rawFrames // nil for JPEG
	worst  int        // damaged frames in a row
	damage Damage
	once   sync.Once
	stop   chan struct{}
	inUse  sync.Mutex // held by Next
}

// openDevice chooses a format and starts the device, which it closes if that fails.
func openDevice(c capture, z Size, fps float64) (*device, error) {
	d := &device{capture: c, stop: make(chan struct{})}
	if err := d.start(z, fps); err != nil {
		_ = c.Close() // the first error tells more
		return nil, err
	}
	return d, nil
}

func (d *device) start(z Size, fps float64) error {
	format, z, err := d.choose(z)
	if err != nil {
		return err
	}
	got, w, h, err := d.SetImageFormat(format, uint32(z.W), uint32(z.H))
	if err != nil {
		return fmt.Errorf("it refuses %s pixels: %w", z, explainDevice(err))
	}
	if got != format {
		return fmt.Errorf("it gives pixels of the kind %q, expected %q", spell(got), spell(format))
	}
	if format == formatYUYV {
		z = Size{int(min(w, maxSide+1)), int(min(h, maxSide+1))} // as the driver has it, which may be another
		l, err := newLayout(pixel.YUYV, false, z, 0)
		if err != nil {
			return err
		}
		d.frames = &rawFrames{layout: l}
	}
	if fps > 0 {
		_ = d.SetFramerate(float32(fps)) // many devices have one rate only
	}
	if err := d.SetBufferCount(deviceBuffers); err != nil {
		return err
	}
	return explainDevice(d.StartStreaming())
}

func (d *device) Next(context.Context) (*Frame, error) {
	d.inUse.Lock()
	defer d.inUse.Unlock()
	for {
		select {
		case <-d.stop:
			return nil, errors.New("it was closed")
		default:
		}
		err := d.WaitForFrame(1)
		if timeout := (*webcam.Timeout)(nil); errors.As(err, &timeout) {
			continue
		}
		if err == nil {
			var f *Frame
			if f, err = d.take(); f != nil {
				f.Damage = d.damage
				return f, nil
			}
		}
		if err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR) {
			return nil, explainDevice(err)
		}
	}
}

// Damage is what was left out so far.
func (d *device) Damage() Damage { return d.damage }

// take copies a frame out of the driver's memory; nil if it was damaged.
func (d *device) take() (f *Frame, err error) {
	b, index, err := d.GetFrame()
	if err != nil {
		return nil, err
	}
	f, bad := d.copy(b)
	if err := d.ReleaseFrame(index); err != nil {
		return nil, err
	}
	if bad == nil {
		d.worst = 0
		return f, nil
	}
	d.damage = Damage{d.damage.Count + 1, bad}
	if d.worst++; d.worst == worstFrames {
		return nil, fmt.Errorf("%d damaged frames in a row, the last: %w", worstFrames, bad)
	}
	return nil, nil
}

func (d *device) copy(b []byte) (*Frame, error) {
	if d.frames == nil {
		if len(b) > maxJPEG {
			return nil, errTooLarge
		}
		i := bytes.Index(b, startOfImage)
		if i < 0 {
			return nil, fmt.Errorf("%d bytes that are no JPEG", len(b))
		}
		return newJPEG(bytes.Clone(b[i:])), nil
	}
	l := d.frames.layout
	stride := len(b) / l.size.H
	if stride*l.size.H != len(b) || stride < l.stride {
		return nil, fmt.Errorf("%d bytes, expected %d: %s pixels of 2", len(b), l.bytes(), l.size)
	}
	raw := d.frames.buffer()
	for y := range l.size.H { // rows may have gaps between them
		copy((*raw)[y*l.stride:][:l.stride], b[y*stride:])
	}
	return d.frames.frame(raw), nil
}

// Close waits until Next has returned, which takes a second at most.
func (d *device) Close() {
	d.once.Do(func() {
		close(d.stop)
		d.inUse.Lock()
		defer d.inUse.Unlock()
		_ = d.capture.Close() // nothing was written
	})
}
