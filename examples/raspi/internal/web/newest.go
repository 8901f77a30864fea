package web

import (
	"slices"
	"sync"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

// newest holds the last update. Readers wait for the next one; whoever is slow misses those between.
type newest struct {
	mu      sync.Mutex
	update  *live.Update // nil before the first
	at      time.Time
	changed chan struct{} // closed by the next set
	past    []latency     // of the last historySpan, oldest first
	apart   time.Duration // of two of past, at least
}

// historySpan is what the page's curve shows.
const historySpan = time.Minute

// latency is how long one frame took.
type latency struct {
	at time.Time
	ms float64
}

func (n *newest) set(u *live.Update) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.update, n.at = u, time.Now()
	n.remember(latency{n.at, u.TotalMS})
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *newest) remember(l latency) {
	if len(n.past) > 0 && l.at.Sub(n.past[len(n.past)-1].at) < n.apart {
		return
	}
	old := 0
	for old < len(n.past) && l.at.Sub(n.past[old].at) > historySpan {
		old++
	}
	n.past = append(slices.Delete(n.past, 0, old), l)
}

// history lists the last latencies as {seconds ago, milliseconds}, for viewers who come late.
func (n *newest) history() [][2]float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	points := make([][2]float64, len(n.past))
	for i, l := range n.past {
		points[i] = [2]float64{time.Since(l.at).Seconds(), l.ms}
	}
	return points
}

// get returns the last update, or nil, and a channel that is closed when there is a newer one.
func (n *newest) get() (*live.Update, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.update, n.changed
}

// age is the time since the last update; without one, ok is false.
func (n *newest) age() (d time.Duration, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.at), n.update != nil
}
