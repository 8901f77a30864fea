package web

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

var testAbout = live.About{
	Program: "raspi-live 1.0.0", Model: "resnext50.int8.safetensors", Network: "resnext50_32x4d",
	Labels:  []string{"kit fox, Vulpes macrotis", "red fox, Vulpes vulpes", "grey fox, gray fox, Urocyon cinereoargenteus", "coyote, prairie wolf", "timber wolf, grey wolf", "Siamese cat"},
	Kernels: "neondot", Threads: 4, Source: "Camera Module 3, 640x480", Board: "Raspberry Pi 5 Model B Rev 1.0",
}

// patient waits for slow computers: tests end by what happens. The few that want less say so.
var patient = times{
	frame: usualTimes.frame, beat: usualTimes.beat, stall: time.Hour, giveWay: time.Hour, snapshot: time.Hour,
	close: 50 * time.Millisecond, stale: time.Hour,
}

// serve shows testAbout on a free port until the test ends.
func serve(t *testing.T, times times) *Server {
	t.Helper()
	s, err := newServer(testAbout, "127.0.0.1:0", times, t.Logf)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// update makes the given frame's update: the classes' probabilities change slowly, unless best names the label.
func update(frame int, best string) *live.Update {
	celsius := 61.5 + 3*math.Sin(float64(frame)/40)
	u := &live.Update{
		Time: time.Now(), Frame: uint64(frame), Dropped: uint64(frame / 3),
		FramesPerSecond: 14.8, CameraFPS: 30,
		InferMS: 61 + 6*math.Sin(float64(frame)/7) + 3*math.Sin(float64(frame)*1.7),
		Board:   live.Board{TemperatureC: &celsius, Throttled: []string{}},
	}
	u.TotalMS = u.InferMS + 4.2
	left := 1.0
	for i, label := range testAbout.Labels[:5] {
		p := left * (0.62 + 0.1*math.Sin(float64(frame)/30))
		left -= p
		u.Top = append(u.Top, live.Guess{Class: i, Label: label, Probability: p})
	}
	if best != "" {
		u.Top[0].Label, u.Top[0].Class = best, 900
	}
	u.Raw, u.Shown = u.Top[0], u.Top[0]
	u.JPEG = picture(frame)
	return u
}

// picture draws a ball over a valley, somewhere else in each of sixteen frames.
func picture(frame int) []byte { return pictures()[frame%16] }

var pictures = sync.OnceValue(func() (all [16][]byte) {
	for i := range all {
		all[i] = drawPicture(2 * math.Pi * float64(i) / 16)
	}
	return all
})

func drawPicture(angle float64) []byte {
	const w, h = 320, 240
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	bx, by := w/2+100*math.Sin(angle), 95+30*math.Cos(angle)
	for x := range w {
		hill := 165 + int(20*math.Sin(float64(x)/45))
		for y := range h {
			c := color.RGBA{uint8(120 + y/3), uint8(170 + y/5), 225, 255}
			if y > hill {
				c = color.RGBA{60, uint8(130 - y/4), 70, 255}
			}
			if dx, dy := float64(x)-bx, float64(y)-by; dx*dx+dy*dy < 35*35 {
				c = color.RGBA{230, 110, 50, 255}
			}
			m.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// publish shows what next makes for frame after frame, until the returned function is called.
func publish(s *Server, every time.Duration, next func(frame int) *live.Update) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for frame := 1; ; frame++ {
			s.Publish(next(frame))
			select {
			case <-done:
				return
			case <-time.After(every):
			}
		}
	}()
	return func() { close(done); <-ended }
}
