package live

import (
	"sync"
	"time"
)

const (
	// asyncQueue is how many updates may wait for a slow sink; further ones are dropped.
	asyncQueue = 16
	// closeTime is how long a sink may take to end.
	closeTime = 500 * time.Millisecond
)

// Async gives a sink a goroutine of its own, so that a pipe whose reader sleeps or a terminal that is stopped does not
// hold up the network.
func Async(s Sink) Sink {
	a := &async{queue: make(chan *Update, asyncQueue), ended: make(chan error, 1)}
	go func() {
		for u := range a.queue {
			s.Publish(u)
		}
		a.ended <- s.Close()
	}()
	return a
}

type async struct {
	queue chan *Update
	once  sync.Once
	ended chan error
}

func (a *async) Publish(u *Update) {
	select {
	case a.queue <- u:
	default:
	}
}

// Close lets the sink finish what waits, for a while.
func (a *async) Close() (err error) {
	a.once.Do(func() {
		close(a.queue)
		select {
		case err = <-a.ended:
		case <-time.After(closeTime):
		}
	})
	return err
}
