package camera

import (
	"context"
	"time"
)

// paced gives the frames of a recording at a steady rate.
type paced struct {
	Source
	interval time.Duration
	due      time.Time
}

// pace slows src down to fps frames a second. 0 does not, but tells for each frame when it was taken if there were
// recorded of them in a second.
func pace(src Source, fps, recorded float64) Source {
	if fps > 0 {
		return &paced{Source: src, interval: interval(fps)}
	}
	return &unpaced{Source: src, interval: interval(recorded), taken: time.Now()}
}

func interval(fps float64) time.Duration { return time.Duration(float64(time.Second) / fps) }

// unpaced gives the frames of a recording as fast as they are taken.
type unpaced struct {
	Source
	interval time.Duration
	taken    time.Time
}

func (u *unpaced) Next(ctx context.Context) (*Frame, error) {
	f, err := u.Source.Next(ctx)
	if err == nil {
		f.Taken = u.taken
		u.taken = u.taken.Add(u.interval)
	}
	return f, err
}

func (p *paced) Next(ctx context.Context) (*Frame, error) {
	f, err := p.Source.Next(ctx)
	if err != nil {
		return nil, err
	}
	if wait := time.Until(p.due); wait > 0 && !sleep(ctx, wait) {
		return nil, ctx.Err()
	}
	f.Time = time.Now()
	if late := f.Time.Sub(p.due); late > p.interval {
		p.due = f.Time // do not make up for a pause
	}
	p.due = p.due.Add(p.interval)
	return f, nil
}

// sleep waits; false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
