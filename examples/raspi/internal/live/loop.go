package live

import (
	"context"
	"fmt"
	"image"
	"sync/atomic"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/camera"
)

// Classifier is a network that is ready to run.
type Classifier interface {
	// Logits classifies a picture. The numbers are valid until the next call; took is the time of the network alone.
	Logits(m image.Image) (logits []float32, took time.Duration, err error)
	// Label names a class.
	Label(class int) string
}

// Loop classifies the newest frame, tells everybody, and begins again.
type Loop struct {
	Classifier Classifier
	Frames     *Mailbox
	Sinks      []Sink
	Smoother   *Smoother
	// Top is how many classes an update lists.
	Top int
	// MaxFPS bounds how many frames are classified in a second; 0 does not.
	MaxFPS float64
	// Board tells the computer's state; nil where nobody asks it.
	Board func() Board
	// Rest is how long to pause after so much work; nil is never.
	Rest func(busy time.Duration) time.Duration
	// Wanted tells whether anybody looks at pictures; nil is nobody.
	Wanted func() bool
	// Report takes a message for people.
	Report func(format string, args ...any)

	classified uint64
	unreadable uint64       // frames that could not be decoded
	damaged    uint64       // frames that the camera has left out
	beat       atomic.Int64 // see Alive: nanoseconds since start
	done       rate
	viewer     viewer
	bad        complaint
}

// beatEvery is how often the loop shows that it lives while no frame comes.
const beatEvery = 500 * time.Millisecond

// start is what beats count from: on a clock that nobody sets. Many boards have no other, and the time of day leaps by
// months once they reach the network.
var start = time.Now()

// Alive tells how long ago the loop was last seen working or waiting, at most beatEvery and one frame's time unless it
// hangs.
func (l *Loop) Alive(now time.Time) time.Duration {
	return now.Sub(start) - time.Duration(l.beat.Load())
}

func (l *Loop) live() { l.beat.Store(int64(time.Since(start))) }

// Run works until ctx ends or the mailbox is closed and empty. It returns how many frames were classified.
func (l *Loop) Run(ctx context.Context) uint64 {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		l.live()
		select {
		case <-ctx.Done():
			return l.classified
		case <-beat.C:
		case f, ok := <-l.Frames.slot:
			if !ok || ctx.Err() != nil {
				return l.classified
			}
			begin := time.Now()
			l.notice(f.Damage, begin)
			if err := l.classify(f); err != nil {
				l.bad.say(l.Report, begin, err, 1)
			}
			f.Release()
			if !l.pause(ctx, begin) {
				return l.classified
			}
		}
	}
}

// notice tells of what the camera has left out since the last frame.
func (l *Loop) notice(d camera.Damage, now time.Time) {
	if d.Count > l.damaged {
		l.bad.say(l.Report, now, d.Last, d.Count-l.damaged)
		l.damaged = d.Count
	}
}

// pause keeps to MaxFPS and lets a hot board rest; false if ctx ended.
func (l *Loop) pause(ctx context.Context, begin time.Time) bool {
	busy := time.Since(begin)
	var wait time.Duration
	if l.Rest != nil {
		wait = l.Rest(busy)
	}
	if l.MaxFPS > 0 {
		wait = max(wait, time.Duration(float64(time.Second)/l.MaxFPS)-busy)
	}
	end := time.Now().Add(wait)
	for ctx.Err() == nil {
		wait = min(time.Until(end), beatEvery)
		if wait <= 0 {
			return true
		}
		l.live()
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return false
}

func (l *Loop) classify(f *camera.Frame) error {
	m, err := f.Image()
	if err != nil {
		l.unreadable++
		return err
	}
	logits, took, err := l.Classifier.Logits(m)
	if err != nil {
		return err
	}
	l.classified++
	u := l.update(f, logits)
	u.InferMS = milliseconds(took)
	if l.Wanted != nil && l.Wanted() {
		u.JPEG = l.viewer.picture(f, m, u.Time)
	}
	for _, s := range l.Sinks {
		s.Publish(u)
	}
	return nil
}

func (l *Loop) update(f *camera.Frame, logits []float32) *Update {
	mean, shown := l.Smoother.Add(logits, f.Taken)
	now := time.Now()
	l.done.add(now)
	u := &Update{
		Time: now, Frame: l.classified, Dropped: l.Frames.dropped.value(), Damaged: l.damaged + l.unreadable,
		Top:   best(mean, l.Top, l.Classifier.Label),
		Raw:   best(l.Smoother.probabilities(logits), 1, l.Classifier.Label)[0],
		Shown: Guess{Class: shown, Label: l.Classifier.Label(shown), Probability: mean[shown]},
		All:   mean, FramesPerSecond: l.done.perSecond(now), CameraFPS: l.Frames.arrived.perSecond(now),
		TotalMS: milliseconds(now.Sub(f.Time)),
	}
	if l.Board != nil {
		u.Board = l.Board()
	}
	return u
}

func milliseconds(d time.Duration) float64 { return float64(d.Round(10*time.Microsecond)) / 1e6 }

// complaint keeps frames that cannot be read from filling a log: the first is told at once, further ones twice a minute.
type complaint struct {
	next  time.Time
	count uint64
}

const complainEvery = 30 * time.Second

func (c *complaint) say(report func(format string, args ...any), now time.Time, err error, frames uint64) {
	c.count += frames
	if now.Before(c.next) {
		return
	}
	text := ""
	if c.count > 1 {
		text = fmt.Sprintf(" (%d such frames)", c.count)
	}
	report("a frame was left out: %v%s", err, text)
	c.next, c.count = now.Add(complainEvery), 0
}
