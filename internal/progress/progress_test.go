package progress

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// lines passes what is written on, line by line.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// TestProgressTicks: where there is no terminal each tick shows how far the work is, and none after its end.
func TestProgressTicks(t *testing.T) {
	written, ticks, stopped := make(lines, 10), make(chan time.Time), false
	now := time.Unix(0, 0)
	p := &Progress{w: written, now: func() time.Time { return now }, ticker: func() (<-chan time.Time, func()) {
		return ticks, func() { stopped = true }
	}}
	f := p.Start("calibrating", "image", 100)
	require.Equal(t, "calibrating 100 images\n", <-written)
	f.Step(7, 100)
	ticks <- now
	require.Equal(t, "calibrating: 7 of 100 images\n", <-written)
	f.Step(93, 100)
	ticks <- now
	require.Equal(t, "calibrating: 93 of 100 images\n", <-written)
	now = now.Add(50 * time.Second)
	f.End(nil)
	require.True(t, stopped)
	close(written)
	text := ""
	for line := range written {
		text += line
	}
	require.Equal(t, "calibrating: 50 s (2 images/s)\n", text)
}

// TestProgressPredicts: after the first images, from their speed and what is to come.
func TestProgressPredicts(t *testing.T) {
	var b strings.Builder
	now := time.Unix(0, 0)
	p := &Progress{w: &b, now: func() time.Time { return now }, ticker: func() (<-chan time.Time, func()) {
		return nil, func() {}
	}}
	f := p.Start("calibrating", "image", 128)
	f.Predict("calibrating and rounding", 10, 30, 2)
	for i := range 128 {
		now = now.Add(250 * time.Millisecond)
		f.Step(i+1, 128)
	}
	require.Equal(t, "calibrating 128 images\ncalibrating and rounding: about 2 min 8 s on 2 cores in all\n", b.String())
	b.Reset()
	f = p.Start("calibrating", "image", 3)
	f.Predict("calibrating and rounding", 1, 0, 2)
	for i, took := range []time.Duration{10, 1, 2} { // memory comes to be used
		now = now.Add(took * time.Second)
		f.Step(i+1, 3)
	}
	require.Contains(t, b.String(), "about 6.0 s on 2 cores")
	b.Reset()
	f = p.Start("calibrating", "image", 2)
	f.Predict("calibrating and rounding", 1, 0, 2)
	f.Step(1, 2)
	f.Step(2, 2)
	require.Equal(t, "calibrating 2 images\n", b.String(), "too few to tell")
}
