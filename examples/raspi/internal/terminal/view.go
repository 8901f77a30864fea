package terminal

import (
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

const (
	// drawEvery is the shortest time from one drawing to the next, checkEvery how soon a new size is noticed.
	drawEvery  = 100 * time.Millisecond
	checkEvery = 500 * time.Millisecond
	// messageTime is how long a message is shown.
	messageTime = 20 * time.Second
	// leaveTime is how long a stopped terminal may hold up the end.
	leaveTime = 500 * time.Millisecond
)

// The terminal's control sequences, common to all that are in use.
const (
	enter = "\x1b[?1049h\x1b[?25l" // another screen, no cursor
	leave = "\x1b[0m\x1b[?25h\x1b[?1049l"
	home  = "\x1b[H"
	wipe  = "\x1b[K" // the rest of the line
	below = "\x1b[J" // the rest of the screen
)

// View is a live.Sink that draws on a terminal, in place. It leaves the terminal as it was.
type View struct {
	out   io.Writer
	size  func() (columns, rows int)
	style Style

	mu      sync.Mutex
	picture picture
	said    time.Time // when the message came
	changed bool

	once       sync.Once
	suspend    chan func()
	stop, gone chan struct{}
}

// NewView begins to draw on out.
func NewView(out *os.File, about live.About, style Style) *View {
	return newView(out, func() (int, int) {
		w, h, err := term.GetSize(int(out.Fd()))
		if err != nil || w < 1 || h < 1 {
			return 80, 24
		}
		return w, h
	}, about, style)
}

func newView(out io.Writer, size func() (int, int), about live.About, style Style) *View {
	v := &View{out: out, size: size, style: style, picture: picture{about: about}, changed: true,
		suspend: make(chan func()), stop: make(chan struct{}), gone: make(chan struct{})}
	go v.run()
	return v
}

// Publish takes what is to be drawn next.
func (v *View) Publish(u *live.Update) {
	v.set(func(p *picture) { p.update = u })
}

// Message shows a line of text for a while.
func (v *View) Message(text string) {
	v.set(func(p *picture) { p.message, v.said = text, time.Now() })
}

func (v *View) set(change func(*picture)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(&v.picture)
	v.changed = true
}

// Suspend restores the terminal while sleep sleeps, and then draws again.
func (v *View) Suspend(sleep func()) {
	select {
	case v.suspend <- sleep:
	case <-v.gone:
	}
}

// Close restores the terminal.
func (v *View) Close() error {
	v.once.Do(func() { close(v.stop) })
	select {
	case <-v.gone:
	case <-time.After(leaveTime):
	}
	return nil
}

// run draws. Errors are of no use here: a terminal that is gone cannot be told.
func (v *View) run() {
	defer close(v.gone)
	_, _ = io.WriteString(v.out, enter)
	defer func() { _, _ = io.WriteString(v.out, leave) }()
	tick := time.NewTicker(drawEvery)
	defer tick.Stop()
	var columns, rows int
	var checked time.Time
	for {
		if now := time.Now(); v.takeChanged() || now.Sub(checked) >= checkEvery {
			w, h := v.size()
			text := v.draw(w, h)
			if w != columns || h != rows {
				text = "\x1b[2J" + text
			}
			columns, rows, checked = w, h, now
			_, _ = io.WriteString(v.out, text)
		}
		select {
		case <-v.stop:
			return
		case sleep := <-v.suspend:
			_, _ = io.WriteString(v.out, leave)
			sleep()
			_, _ = io.WriteString(v.out, enter)
			columns, checked = 0, time.Time{}
		case <-tick.C:
		}
	}
}

func (v *View) takeChanged() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	changed := v.changed
	v.changed = false
	return changed
}

// draw gives the whole view as one piece of text, so that it appears at once. Every line wipes what it replaces.
func (v *View) draw(columns, rows int) string {
	v.mu.Lock()
	if time.Since(v.said) > messageTime {
		v.picture.message = ""
	}
	p := v.picture
	v.mu.Unlock()
	lines := v.style.render(p, columns, rows)
	return home + strings.Join(lines, wipe+"\r\n") + wipe + below
}
