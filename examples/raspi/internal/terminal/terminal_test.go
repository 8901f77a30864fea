package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

var testAbout = live.About{
	Program: "raspi-live 0", Model: "m.int8.safetensors", Network: "resnext50_32x4d", Labels: []string{"cat", "hot dog"},
	Kernels: "neon", Threads: 3, Source: "rpicam-vid 640x480", Board: "Raspberry Pi 4 Model B Rev 1.4",
}

func testUpdate(labels ...string) *live.Update {
	u := &live.Update{Time: time.Unix(1e9, 0).UTC(), Frame: 12, Dropped: 34, FramesPerSecond: 3.21, CameraFPS: 15, InferMS: 309.4, TotalMS: 341.5}
	p := 0.625
	for i, l := range labels {
		u.Top = append(u.Top, live.Guess{Class: i, Label: l, Probability: p})
		p /= 2
	}
	u.Shown, u.Raw = u.Top[0], u.Top[0]
	return u
}

const wantView = `
      ▄
      █
 ▄▀▀▀▄█ ▄▀▀▀▀▄ ▄▀▀▀▄▀
 █    █ █    █ ▀▄▄▄▀
 ▀▄▄▄▀█ ▀▄▄▄▄▀ ▀▄▄▄▄
               ▀▄▄▄▄▀

 dog                      █████████████████            62 %
 cat                      ████████▌                    31 %
 a long label that goes … ████                         16 %

 the camera died
 3.2 frames/s · 309 ms network · 342 ms delay
 camera 15.0/s · 34 dropped · 56 damaged
 61 °C · earlier: under-voltage · slowed down to cool
 m.int8.safetensors · resnext50_32x4d · neon · 3 threads
 rpicam-vid 640x480 · Raspberry Pi 4 Model B Rev 1.4`

func TestRender(t *testing.T) {
	plain := Style{Unicode: true}
	u := testUpdate("dog", "cat", "a long label that goes on")
	celsius := 61.4
	u.Damaged = 56
	u.Board = live.Board{TemperatureC: &celsius, ThrottledBefore: []string{"under-voltage"}, Slowed: true}
	got := strings.Join(plain.render(picture{about: testAbout, update: u, message: "the camera died"}, 60, 24), "\n")
	require.Equal(t, wantView, strip(got))
}

// widths checks that every line fits.
func widths(t *testing.T, lines []string, columns, rows int) {
	t.Helper()
	require.LessOrEqual(t, len(lines), max(rows, minRows))
	for _, l := range lines {
		require.LessOrEqual(t, uniseg.StringWidth(strip(l)), max(columns, minColumns), l)
		require.NotContains(t, strip(l), "\x1b")
	}
}

func TestRenderFitsAnyTerminal(t *testing.T) {
	hostile := "a\x1b[31m\tb\u202e"
	hot := 99.0
	for _, labels := range [][]string{{"dog"}, {"cat", "dog"}, {"猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫", "犬", hostile, "", strings.Repeat("long ", 40)},
		{hostile}, {"golden retriever"}, {"tabby, tabby cat"}} {
		for _, style := range []Style{{}, {Colour: true}, {Unicode: true}, {true, true}} {
			for _, columns := range []int{1, 20, 40, 41, 79, 80, 300} {
				for _, rows := range []int{1, 3, 5, 10, 24, 100} {
					u := testUpdate(labels...)
					u.Board = live.Board{TemperatureC: &hot, Throttled: []string{"under-voltage", "throttled"}, Slowed: true}
					p := picture{about: testAbout, update: u, message: hostile + strings.Repeat("message ", 40)}
					widths(t, style.render(p, columns, rows), columns, rows)
					p.update = nil
					widths(t, style.render(p, columns, rows), columns, rows)
				}
			}
		}
	}
}

func TestStyles(t *testing.T) {
	u := testUpdate("Größe", "b")
	text := func(s Style) string {
		return strings.Join(s.render(picture{about: testAbout, update: u}, 80, 24), "\n")
	}
	for _, r := range text(Style{Colour: true}) {
		require.Less(t, r, rune(127), "ASCII only")
	}
	require.Contains(t, text(Style{Colour: true}), "Gr??e")
	require.Contains(t, text(Style{Colour: true}), "\x1b[32m")
	require.NotContains(t, text(Style{Unicode: true}), "\x1b[3")
	require.Contains(t, text(Style{Unicode: true}), "Größe")

	env := func(pairs ...string) func(string) string {
		return func(name string) string {
			for _, p := range pairs {
				if v, ok := strings.CutPrefix(p, name+"="); ok {
					return v
				}
			}
			return ""
		}
	}
	require.Equal(t, Style{true, true}, StyleOf(env("LANG=en_GB.UTF-8")))
	require.Equal(t, Style{false, true}, StyleOf(env("LANG=C", "LC_ALL=de_DE.utf8", "NO_COLOR=1")))
	require.Equal(t, Style{false, false}, StyleOf(env("TERM=dumb", "LC_CTYPE=C", "LANG=en_GB.UTF-8")))
}

func TestBar(t *testing.T) {
	s := Style{Unicode: true}
	for p, want := range map[float64]string{0: "    ", 0.1: "▌   ", 0.5: "██  ", 0.6: "██▌ ", 1: "████"} {
		require.Equal(t, want, s.bar(p, 4))
	}
	require.Equal(t, "##= ", Style{}.bar(0.6, 4))
}

func TestBanner(t *testing.T) {
	require.Equal(t, []string{"", " █", "▀█▀▀", " █", " ▀▄▄▄▀", ""}, banner("t", 80, 24))
	require.Len(t, banner("hot dog", 80, 24), bannerRows)
	require.Len(t, banner("golden retriever", 80, 24), 2*bannerRows)
	require.Nil(t, banner("golden retriever", 80, 10), "too high")
	require.Nil(t, banner("hippopotamus", 80, 24), "too wide")
	require.Nil(t, banner("Größe", 80, 24), "no such letter")
}

func TestCut(t *testing.T) {
	s := Style{Unicode: true}
	require.Equal(t, "abc", s.cut("abc", 3))
	require.Equal(t, "ab…", s.cut("abcd", 3))
	require.Equal(t, "猫…", s.cut("猫猫猫", 4))
	require.Equal(t, "a~", Style{}.cut("abc", 2))
}

// screen is a terminal's output, safe to read while it is drawn on.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
	n  int
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	return s.b.Write(b)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestView(t *testing.T) { synctest.Test(t, view) }

func view(t *testing.T) {
	var out screen
	var mu sync.Mutex
	columns := 80
	v := newView(&out, func() (int, int) { mu.Lock(); defer mu.Unlock(); return columns, 24 }, testAbout, Style{Unicode: true})
	synctest.Wait()
	require.Contains(t, out.text(), "waiting for the first picture")
	before := out.n
	for range 1000 {
		v.Publish(testUpdate("dog", "cat"))
		time.Sleep(time.Millisecond)
	}
	v.Message("hello")
	time.Sleep(drawEvery)
	synctest.Wait()
	require.Contains(t, out.text(), "hello")
	require.InDelta(t, time.Second/drawEvery, out.n-before, 1, "ten drawings a second")
	require.Contains(t, out.text(), "3.2 frames/s")

	mu.Lock()
	columns = 40
	mu.Unlock()
	time.Sleep(checkEvery + drawEvery)
	synctest.Wait()
	require.Equal(t, 2, strings.Count(out.text(), "\x1b[2J"))
	v.Suspend(func() { require.True(t, strings.HasSuffix(out.text(), leave)) })
	synctest.Wait()
	require.Equal(t, 3, strings.Count(out.text(), "\x1b[2J"))
	require.NoError(t, v.Close())
	require.NoError(t, v.Close())
	v.Suspend(func() { require.Fail(t, "there is nothing to suspend") })
	require.Equal(t, 2, strings.Count(out.text(), enter))
	require.True(t, strings.HasPrefix(out.text(), enter))
	require.True(t, strings.HasSuffix(out.text(), leave))
}

func TestViewThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe() // nobody reads: it is stopped for good
		defer r.Close()
		v := newView(w, func() (int, int) { return 80, 24 }, testAbout, Style{})
		begin := time.Now()
		v.Publish(testUpdate("dog"))
		require.NoError(t, v.Close())
		require.Equal(t, leaveTime, time.Since(begin))
	})
}

// device is an output that fails when it is told to.
type device struct {
	bytes.Buffer
	err error
}

func (d *device) Write(b []byte) (int, error) {
	if d.err != nil {
		n, _ := d.Buffer.Write(b[:len(b)/2]) // a part gets through
		return n, d.err
	}
	return d.Buffer.Write(b)
}

func TestJSON(t *testing.T) {
	var d device
	var said []string
	var gone int
	l := NewJSON(&d, testAbout, func(f string, args ...any) { said = append(said, fmt.Sprintf(f, args...)) }, func(error) { gone++ })
	u := testUpdate("a<b", "dog")
	l.Publish(u)
	d.err = syscall.ENOSPC
	l.Publish(u)
	l.Publish(u)
	d.err = nil
	l.Publish(u)
	nan := testUpdate("x")
	nan.InferMS = math.NaN()
	l.Publish(nan)

	lines := strings.Split(strings.TrimSuffix(d.String(), "\n"), "\n")
	var first struct{ About live.About }
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &first))
	require.Equal(t, testAbout, first.About)
	var got live.Update
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &got))
	require.Equal(t, u, &got)
	require.Contains(t, lines[1], "a<b")
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &got), "a line of its own after one that was cut")
	require.Equal(t, []string{"cannot write the output: no space left on device; trying again", "the output can be written again"}, said)
	require.Zero(t, gone)

	d.err = fmt.Errorf("write: %w", syscall.EPIPE)
	l.Publish(u)
	n := d.Len()
	l.Publish(u)
	require.Equal(t, 1, gone)
	require.Equal(t, n, d.Len(), "nothing more is written")
	require.Len(t, said, 2)
	require.NoError(t, l.Close())
}

func TestPlain(t *testing.T) {
	var d device
	gone := 0
	l := NewPlain(&d, nil, func(error) { gone++ })
	u := testUpdate("a\x1b[31mb", "dog")
	for _, shown := range []int{0, 0, 1, 1, 0} {
		u.Shown = u.Top[shown]
		l.Publish(u)
	}
	require.Equal(t, `2001-09-09T01:46:40.000Z	0.6250	a\x1b[31mb
2001-09-09T01:46:40.000Z	0.3125	dog
2001-09-09T01:46:40.000Z	0.6250	a\x1b[31mb
`, d.String())
	d.err = syscall.EPIPE
	u.Shown = u.Top[1]
	l.Publish(u)
	require.Equal(t, 1, gone)
}
