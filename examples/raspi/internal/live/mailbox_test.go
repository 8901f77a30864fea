package live

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/camera"
)

// frames makes n JPEG frames; frame i is all of gray 20*i.
func frames(t *testing.T, n int) []*camera.Frame {
	t.Helper()
	var stream bytes.Buffer
	for i := range n {
		m := image.NewGray(image.Rect(0, 0, 16, 16))
		for k := range m.Pix {
			m.Pix[k] = byte(20 * i)
		}
		require.NoError(t, jpeg.Encode(&stream, m, nil))
	}
	var out []*camera.Frame
	err := camera.Pipe("test", &stream, camera.Format{}).Run(t.Context(), func(f *camera.Frame) { out = append(out, f) }, nil)
	require.NoError(t, err)
	require.Len(t, out, n)
	return out
}

func TestMailbox(t *testing.T) {
	all := frames(t, 5)
	m := NewMailbox()
	for _, f := range all {
		m.Put(f)
	}
	require.EqualValues(t, 4, m.dropped.value())
	require.EqualValues(t, 5, (<-m.slot).Seq, "the newest is kept")
	m.Put(all[0])
	m.Close()
	require.EqualValues(t, 1, (<-m.slot).Seq)
	_, open := <-m.slot
	require.False(t, open)
}

// TestMailboxOrder puts as fast as it can while another goroutine takes: order holds and nothing is lost uncounted.
func TestMailboxOrder(t *testing.T) {
	m := NewMailbox()
	const n = 20_000
	go func() {
		for i := range uint64(n) {
			m.Put(&camera.Frame{Seq: i + 1, Time: time.Now()})
		}
		m.Close()
	}()
	var last, taken uint64
	for f := range m.slot {
		require.Greater(t, f.Seq, last)
		last = f.Seq
		taken++
	}
	require.EqualValues(t, n, last)
	require.EqualValues(t, n, taken+m.dropped.value())
}

func TestPutWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMailbox()
		ctx, cancel := context.WithCancel(t.Context())
		m.PutWait(ctx, &camera.Frame{Seq: 1})
		time.AfterFunc(20*time.Millisecond, cancel)
		m.PutWait(ctx, &camera.Frame{Seq: 2}) // waits until ctx ends
		require.EqualValues(t, 1, (<-m.slot).Seq)
		require.Zero(t, m.dropped.value())
		require.Empty(t, m.slot)
	})
}

func TestRate(t *testing.T) {
	var r rate
	now := time.Unix(1e9, 0)
	require.Zero(t, r.perSecond(now))
	for range 100 {
		now = now.Add(50 * time.Millisecond)
		r.add(now)
	}
	require.InDelta(t, 20, r.perSecond(now), 1e-6)
	require.Len(t, r.times, rateEvents)
	require.Zero(t, r.perSecond(now.Add(time.Minute)), "an old rate is none")
	r.add(now)
	r.add(now)
	require.Zero(t, r.perSecond(now), "two events at once have no rate")
}
