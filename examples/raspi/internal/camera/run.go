package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// The pauses before a camera is started again. They double, and begin anew once it has worked for workedTime.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 30 * time.Second
	workedTime = 5 * time.Second
)

// Run hands every frame to put until the camera ends or ctx does. A camera with Restart ends with ctx only; report is
// told of each failure, but not of the same one for ever. The error is nil after an orderly end.
func (c Camera) Run(ctx context.Context, put func(*Frame), report func(format string, args ...any)) error {
	r := runner{Camera: c, put: put, report: report, sleep: sleep}
	return r.run(ctx)
}

type runner struct {
	Camera
	put    func(*Frame)
	report func(format string, args ...any)
	sleep  func(context.Context, time.Duration) bool
	frames uint64
	damage Damage // of all runs before this one
}

func (r *runner) run(ctx context.Context) error {
	pause, told := firstPause, ""
	for {
		begin, before := time.Now(), r.frames
		err := r.once(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil && r.Loop && r.frames > before:
			continue
		case !r.Restart:
			return err
		}
		if r.frames > before && time.Since(begin) > workedTime {
			pause, told = firstPause, ""
		}
		text := fmt.Sprintf("%v; starting it again in %s", orEnd(err), pause)
		if text != told { // one that stays away for days does not fill a log
			r.report("%s: %s", r.Name, text)
			told = text
		}
		if !r.sleep(ctx, pause) {
			return nil
		}
		pause = min(2*pause, lastPause)
	}
}

// orEnd words the orderly end of something that should not end.
func orEnd(err error) error {
	if err == nil {
		return errors.New("it ended")
	}
	return err
}

// once runs the camera from its start to its end.
func (r *runner) once(ctx context.Context) error {
	src, err := r.Open(ctx)
	if err != nil {
		return err
	}
	defer src.Close()
	defer func() { r.damage = r.damage.plus(src.Damage()) }()
	stop := context.AfterFunc(ctx, src.Close)
	defer stop()

	var told uint64 // the damage that the last frame tells of
	var stalled atomic.Bool
	guard := time.AfterFunc(time.Hour, func() {
		stalled.Store(true)
		src.Close()
	})
	defer guard.Stop()
	for {
		if r.Restart && r.Stall > 0 {
			guard.Reset(r.Stall)
		} else {
			guard.Stop()
		}
		f, err := src.Next(ctx)
		switch {
		case err != nil && stalled.Load():
			return fmt.Errorf("no picture for %s", r.Stall)
		case errors.Is(err, io.EOF):
			if d := src.Damage(); d.Count > told && !r.Restart && r.report != nil {
				r.report("%s: left out at its end: %v", r.Name, d.Last)
			}
			return nil
		case err != nil:
			return err
		}
		r.frames++
		f.Seq = r.frames
		told = f.Damage.Count
		f.Damage = r.damage.plus(f.Damage)
		if f.Taken.IsZero() {
			f.Taken = f.Time
		}
		r.put(f)
	}
}

// plus adds what was left out later.
func (d Damage) plus(later Damage) Damage {
	if later.Count > 0 {
		d.Count, d.Last = d.Count+later.Count, later.Last
	}
	return d
}
