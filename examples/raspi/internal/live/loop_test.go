package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/camera"
)

// fakeNetwork has two classes: how bright, how dark.
type fakeNetwork struct {
	time time.Duration
	err  error
}

func (n *fakeNetwork) Logits(m image.Image) ([]float32, time.Duration, error) {
	time.Sleep(n.time)
	bright := float64(color.GrayModel.Convert(m.At(0, 0)).(color.Gray).Y)/256 + 0.001
	return logitsOf(bright, 1-bright), n.time, n.err
}

func (n *fakeNetwork) Label(class int) string { return []string{"bright", "dark"}[class] }

// collector is a sink that keeps everything.
type collector struct {
	mu      sync.Mutex
	updates []*Update
	closed  int
}

func (c *collector) Publish(u *Update) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.updates = append(c.updates, u)
}

func (c *collector) Close() error { c.closed++; return io.ErrClosedPipe }

func (c *collector) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.updates)
}

func testLoop(t *testing.T, network *fakeNetwork) (*Loop, *collector, *strings.Builder) {
	t.Helper()
	var said strings.Builder
	sink := &collector{}
	return &Loop{Classifier: network, Frames: NewMailbox(), Sinks: []Sink{sink}, Smoother: NewSmoother(0), Top: 5,
		Report: func(f string, args ...any) { fmt.Fprintf(&said, f+"\n", args...) }}, sink, &said
}

func TestLoop(t *testing.T) { synctest.Test(t, loop) }

func loop(t *testing.T) {
	l, sink, said := testLoop(t, &fakeNetwork{time: 3 * time.Millisecond})
	hot := 81.5
	l.Board = func() Board { return Board{TemperatureC: &hot, Slowed: true} }
	l.Wanted = func() bool { return true }
	all := frames(t, 10)
	go func() {
		for _, f := range all {
			l.Frames.PutWait(t.Context(), f)
		}
		l.Frames.Close()
	}()
	require.EqualValues(t, 10, l.Run(t.Context()))
	require.Empty(t, said.String())
	require.Len(t, sink.updates, 10)
	for i, u := range sink.updates {
		require.EqualValues(t, i+1, u.Frame)
		require.Equal(t, all[i].JPEG, u.JPEG)
		require.Len(t, u.Top, 2)
		require.Len(t, u.All, 2)
		require.InDelta(t, float64(20*i)/256+0.001, u.All[0], 0.02)
		require.Equal(t, u.Top[0], u.Raw)
		require.Equal(t, u.Top[0].Class, u.Shown.Class)
		require.InDelta(t, 3, u.InferMS, 1e-9)
		require.GreaterOrEqual(t, u.TotalMS, u.InferMS)
		require.True(t, u.Board.Slowed)
	}
	require.Positive(t, sink.updates[9].FramesPerSecond)
}

// TestLoopNeverLags gives a slow network a fast camera: it gets the newest frame each time.
func TestLoopNeverLags(t *testing.T) { synctest.Test(t, neverLags) }

func neverLags(t *testing.T) {
	l, sink, _ := testLoop(t, &fakeNetwork{time: 20 * time.Millisecond})
	picture := frames(t, 1)[0]
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	var source sync.WaitGroup
	source.Go(func() {
		for ctx.Err() == nil {
			f := *picture
			f.Time = time.Now()
			l.Frames.Put(&f)
			time.Sleep(time.Millisecond)
		}
	})
	l.Run(ctx)
	source.Wait()
	require.InDelta(t, 400/20, len(sink.updates), 1)
	last := sink.updates[len(sink.updates)-1]
	require.Positive(t, last.Dropped)
	for _, u := range sink.updates {
		require.LessOrEqual(t, u.TotalMS, 21.0) // a queue would have grown to the whole run's time
	}
}

func TestLoopLeavesOutWhatItCannotRead(t *testing.T) {
	l, sink, said := testLoop(t, &fakeNetwork{})
	var stream bytes.Buffer
	require.NoError(t, jpeg.Encode(&stream, image.NewGray(image.Rect(0, 0, 16, 16)), nil))
	good := stream.String()
	bad := strings.Replace(good, "\xff\xc0\x00\x0b\x08", "\xff\xc0\x00\x0b\x07", 1) // a precision that is none
	require.NotEqual(t, good, bad)
	pipe := camera.Pipe("test", strings.NewReader(bad+good+bad+good), camera.Format{})
	go func() {
		_ = pipe.Run(t.Context(), func(f *camera.Frame) { l.Frames.PutWait(t.Context(), f) }, nil)
		l.Frames.Close()
	}()
	require.EqualValues(t, 2, l.Run(t.Context()))
	require.Len(t, sink.updates, 2)
	require.EqualValues(t, 2, sink.updates[1].Damaged)
	require.Equal(t, 1, strings.Count(said.String(), "left out"), "told once")

	l, _, said = testLoop(t, &fakeNetwork{err: errors.New("no network")})
	l.Frames.Put(frames(t, 1)[0])
	l.Frames.Close()
	require.Zero(t, l.Run(t.Context()))
	require.Contains(t, said.String(), "no network")
}

// TestLoopTellsOfDamage: what the camera has left out is counted and told, with the reason.
func TestLoopTellsOfDamage(t *testing.T) {
	l, sink, said := testLoop(t, &fakeNetwork{})
	all := frames(t, 3)
	all[1].Damage = camera.Damage{Count: 2, Last: errors.New("cut short")}
	all[2].Damage = all[1].Damage
	for _, f := range all {
		go func() { l.Frames.PutWait(t.Context(), f); l.Frames.Close() }()
		l.Run(t.Context())
		l.Frames = NewMailbox()
	}
	require.Len(t, sink.updates, 3)
	for i, want := range []uint64{0, 2, 2} {
		require.Equal(t, want, sink.updates[i].Damaged)
	}
	require.Equal(t, "a frame was left out: cut short (2 such frames)\n", said.String())
}

func TestLoopRests(t *testing.T) { synctest.Test(t, rests) }

func rests(t *testing.T) {
	run := func(set func(*Loop)) time.Duration {
		l, _, _ := testLoop(t, &fakeNetwork{time: 5 * time.Millisecond})
		set(l)
		all := frames(t, 4)
		go func() {
			for _, f := range all {
				l.Frames.PutWait(t.Context(), f)
			}
			l.Frames.Close()
		}()
		begin := time.Now()
		l.Run(t.Context())
		return time.Since(begin)
	}
	require.Equal(t, 200*time.Millisecond, run(func(l *Loop) { l.MaxFPS = 20 }))
	nine := func(busy time.Duration) time.Duration { return 9 * busy }
	require.Equal(t, 200*time.Millisecond, run(func(l *Loop) { l.Rest = nine }))

	// The end does not wait for the rest.
	l, sink, _ := testLoop(t, &fakeNetwork{})
	l.Rest = func(time.Duration) time.Duration { return time.Hour }
	ctx, cancel := context.WithCancel(t.Context())
	l.Frames.Put(frames(t, 1)[0])
	ended := make(chan struct{})
	go func() {
		l.Run(ctx)
		close(ended)
	}()
	time.Sleep(time.Minute)
	require.Equal(t, 1, sink.len())
	require.LessOrEqual(t, l.Alive(time.Now()), beatEvery)
	cancel()
	synctest.Wait()
	select {
	case <-ended:
	default:
		require.Fail(t, "the loop goes on")
	}
}

func TestViewerPictures(t *testing.T) {
	var v viewer
	now := time.Unix(1e9, 0)
	m := &camera.RGB{Pix: bytes.Repeat([]byte{200, 10, 10}, 32*16), Size: camera.Size{W: 32, H: 16}}
	b := v.picture(&camera.Frame{}, m, now)
	got, err := jpeg.Decode(bytes.NewReader(b))
	require.NoError(t, err)
	require.Equal(t, 32, got.Bounds().Dx())
	r, g, _, _ := got.At(5, 5).RGBA()
	require.InDelta(t, 200, r>>8, 8)
	require.InDelta(t, 10, g>>8, 8)
	require.Nil(t, v.picture(&camera.Frame{}, m, now.Add(viewEvery-1)), "ten a second at most")
	require.NotNil(t, v.picture(&camera.Frame{}, m, now.Add(viewEvery)))
	require.Equal(t, []byte{1}, v.picture(&camera.Frame{JPEG: []byte{1}}, m, now))

	large := v.picture(&camera.Frame{}, image.NewGray(image.Rect(0, 0, 4000, 10)), now.Add(time.Hour))
	got, err = jpeg.Decode(bytes.NewReader(large))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, viewSide, 2), got.Bounds())
}

// stuck is a sink that does not come back.
type stuck struct {
	collector
	freed chan struct{}
}

func (s *stuck) Publish(*Update) { <-s.freed }

func TestAsync(t *testing.T) { synctest.Test(t, inBackground) }

func inBackground(t *testing.T) {
	c := &collector{}
	a := Async(c)
	for range 5 {
		a.Publish(&Update{})
	}
	require.ErrorIs(t, a.Close(), io.ErrClosedPipe)
	require.Len(t, c.updates, 5)
	require.Equal(t, 1, c.closed)
	require.NoError(t, a.Close())

	begin := time.Now()
	s := &stuck{freed: make(chan struct{})}
	defer close(s.freed)
	a = Async(s)
	for range 1000 {
		a.Publish(&Update{})
	}
	require.NoError(t, a.Close())
	require.Equal(t, closeTime, time.Since(begin))
}
