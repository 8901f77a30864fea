package camera

import (
	"bytes"
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/blackjack/webcam"
	"github.com/stretchr/testify/require"
)

// fakeDevice is a V4L2 device in memory.
type fakeDevice struct {
	formats  map[webcam.PixelFormat]string
	sizes    []webcam.FrameSize
	frames   [][]byte
	end      error // after the frames; nil: nothing comes any more
	asked    Size
	gives    Size // whatever it is asked for; nothing: what it is asked for
	buffers  uint32
	fps      float32
	released int
	closed   int
	startErr error
}

func (d *fakeDevice) GetSupportedFormats() map[webcam.PixelFormat]string { return d.formats }

func (d *fakeDevice) GetSupportedFrameSizes(webcam.PixelFormat) []webcam.FrameSize { return d.sizes }

func (d *fakeDevice) SetImageFormat(f webcam.PixelFormat, w, h uint32) (webcam.PixelFormat, uint32, uint32, error) {
	d.asked = Size{int(w), int(h)}
	if d.gives != (Size{}) {
		return f, uint32(d.gives.W), uint32(d.gives.H), nil
	}
	return f, w, h, nil
}

func (d *fakeDevice) SetFramerate(fps float32) error {
	d.fps = fps
	return errors.New("it has one rate")
}

func (d *fakeDevice) SetBufferCount(n uint32) error { d.buffers = n; return nil }

func (d *fakeDevice) StartStreaming() error { return d.startErr }

func (d *fakeDevice) WaitForFrame(uint32) error {
	if len(d.frames) == 0 && d.end == nil {
		time.Sleep(time.Millisecond)
		return &webcam.Timeout{}
	}
	return nil
}

func (d *fakeDevice) GetFrame() ([]byte, uint32, error) {
	if len(d.frames) == 0 {
		return nil, 0, d.end
	}
	f := d.frames[0]
	d.frames = d.frames[1:]
	if f == nil {
		return nil, 0, syscall.EAGAIN
	}
	return f, 3, nil
}

func (d *fakeDevice) ReleaseFrame(index uint32) error {
	if index == 3 {
		d.released++
	}
	return nil
}

func (d *fakeDevice) Close() error { d.closed++; return nil }

func discrete(w, h uint32) webcam.FrameSize {
	return webcam.FrameSize{MinWidth: w, MaxWidth: w, MinHeight: h, MaxHeight: h}
}

func TestDeviceYUYV(t *testing.T) {
	z := Size{32, 16}
	gray := bytes.Repeat([]byte{126, 128}, z.W*z.H) // limited range: (126-16)*255/219 = 128.08
	gapped := bytes.Repeat(append(bytes.Repeat([]byte{235, 128}, z.W), make([]byte, 8)...), z.H)
	d := &fakeDevice{
		formats: map[webcam.PixelFormat]string{formatMJPG: "", formatYUYV: ""}, sizes: []webcam.FrameSize{discrete(32, 16)},
		frames: [][]byte{gray[:100], nil, gray, gapped}, end: syscall.ENODEV,
	}
	src, err := openDevice(d, z, 15)
	require.NoError(t, err)
	require.EqualValues(t, deviceBuffers, d.buffers)
	require.EqualValues(t, 15, d.fps)
	for _, want := range []byte{128, 255} {
		f, err := src.Next(context.Background())
		require.NoError(t, err)
		m, err := f.Image()
		require.NoError(t, err)
		require.Equal(t, bytes.Repeat([]byte{want}, 3*z.W*z.H), m.(*RGB).Pix)
	}
	require.Equal(t, 3, d.released)
	_, err = src.Next(context.Background())
	require.ErrorIs(t, err, syscall.ENODEV)
	src.Close()
	src.Close()
	require.Equal(t, 1, d.closed)
}

func TestDeviceJPEG(t *testing.T) {
	picture := testJPEG(t, 99)
	padded := join([]byte{0, 0}, picture, make([]byte, 500))
	d := &fakeDevice{formats: map[webcam.PixelFormat]string{formatMJPG: "", formatYUYV: ""}, frames: [][]byte{{}, padded}}
	src, err := openDevice(d, Size{1280, 720}, 30) // larger than raw pixels are good for
	require.NoError(t, err)
	f, err := src.Next(context.Background())
	require.NoError(t, err)
	_, err = f.Image()
	require.NoError(t, err)
	copy(padded, make([]byte, len(padded))) // the driver's memory is its own
	require.True(t, bytes.HasPrefix(f.JPEG, picture))

	time.AfterFunc(20*time.Millisecond, src.Close)
	_, err = src.Next(context.Background())
	require.Error(t, err)
}

func TestDeviceErrors(t *testing.T) {
	raw := map[webcam.PixelFormat]string{fourCC("pBAA"): "", fourCC("GREY"): ""}
	d := &fakeDevice{formats: raw}
	_, err := openDevice(d, Size{640, 480}, 0)
	require.ErrorContains(t, err, "GREY pBAA")
	require.ErrorContains(t, err, "rpicam-vid")
	require.Equal(t, 1, d.closed)

	d = &fakeDevice{formats: map[webcam.PixelFormat]string{formatYUYV: ""}, startErr: syscall.EBUSY}
	_, err = openDevice(d, Size{640, 480}, 0)
	require.ErrorContains(t, err, "another program")

	d = &fakeDevice{formats: map[webcam.PixelFormat]string{formatYUYV: ""}, frames: make([][]byte, 100)}
	for i := range d.frames {
		d.frames[i] = []byte{1}
	}
	src, err := openDevice(d, Size{640, 480}, 0)
	require.NoError(t, err)
	_, err = src.Next(context.Background())
	require.ErrorContains(t, err, "30 damaged frames")

	// A driver that has another size than was asked for, one that no frame has, and a frame that no camera gives.
	yuyv, mjpg := map[webcam.PixelFormat]string{formatYUYV: ""}, map[webcam.PixelFormat]string{formatMJPG: ""}
	d = &fakeDevice{formats: yuyv, gives: Size{32, 16}, frames: [][]byte{make([]byte, 2*32*16)}}
	src, err = openDevice(d, Size{640, 480}, 0)
	require.NoError(t, err)
	f, err := src.Next(context.Background())
	require.NoError(t, err)
	m, err := f.Image()
	require.NoError(t, err)
	require.Equal(t, 32, m.Bounds().Dx())
	d = &fakeDevice{formats: yuyv, gives: Size{1 << 30, 1 << 30}}
	_, err = openDevice(d, Size{640, 480}, 0)
	require.ErrorContains(t, err, "8193x8193")
	picture := testJPEG(t, 1)
	d = &fakeDevice{formats: mjpg, frames: [][]byte{append(bytes.Clone(picture), make([]byte, maxJPEG)...), picture}}
	src, err = openDevice(d, Size{640, 480}, 0)
	require.NoError(t, err)
	f, err = src.Next(context.Background())
	require.NoError(t, err)
	require.Equal(t, Damage{1, errTooLarge}, f.Damage)

	missing := Device("/dev/no-such-camera", Size{640, 480}, 1)
	missing.Restart = false
	require.ErrorContains(t, missing.Run(t.Context(), nil, nil), "no such device")
	none := Device("/dev/null", Size{640, 480}, 1)
	none.Restart = false
	require.Error(t, none.Run(t.Context(), nil, nil))
}

func TestNearestSize(t *testing.T) {
	sizes := []webcam.FrameSize{discrete(1920, 1080), discrete(320, 240), discrete(640, 480), discrete(640, 360), discrete(800, 600)}
	stepped := []webcam.FrameSize{{MinWidth: 32, MaxWidth: 2592, StepWidth: 32, MinHeight: 32, MaxHeight: 1944, StepHeight: 2}}
	for _, c := range []struct {
		sizes        []webcam.FrameSize
		wanted, want Size
	}{
		{sizes, Size{640, 480}, Size{640, 480}},
		{sizes, Size{700, 500}, Size{800, 600}},
		{sizes, Size{4000, 3000}, Size{1920, 1080}},
		{sizes[1:2], Size{640, 480}, Size{320, 240}},
		{stepped, Size{650, 481}, Size{640, 480}},
		{stepped, Size{8000, 8000}, Size{2592, 1944}},
		{nil, Size{640, 480}, Size{640, 480}},
		{[]webcam.FrameSize{{}, discrete(1<<31, 1<<31)}, Size{640, 480}, Size{640, 480}},
	} {
		require.Equal(t, c.want, nearest(c.sizes, c.wanted))
	}
}
