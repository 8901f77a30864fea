// Package mqtt tells an MQTT broker what the camera sees, and Home Assistant how to show it.
//
// Below the prefix, which is resnext/HOSTNAME unless it is given:
//
//	PREFIX/state    the update as JSON, without the picture
//	PREFIX/label    the class to show, as text
//	PREFIX/status   "online" or "offline", retained; the broker itself says "offline" when the connection breaks
//
// The protocol is MQTT 3.1.1 (OASIS, 2014); discovery is that of Home Assistant's MQTT integration.
package mqtt

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

const (
	online  = "online"
	offline = "offline"
	// refresh is how long a state stands when only changes are published: speed and temperature go stale.
	refresh = time.Minute
	// sendLimit bounds the wait for the broker to take one message.
	sendLimit = 5 * time.Second
)

// times are a client's patience. Tests have their own.
type times struct {
	first, longest time.Duration // before another attempt: it doubles with each
	steady         time.Duration // a connection that lasted as long was a good one
	lookup         time.Duration // for the search of a name in the local network
	farewell       time.Duration // for the last message, and again for the connection's end
	close          time.Duration // for all of that
}

var usualTimes = times{
	first: time.Second, longest: 30 * time.Second, steady: 5 * time.Second, lookup: 5 * time.Second,
	farewell: 300 * time.Millisecond, close: 900 * time.Millisecond,
}

// Client is a live.Sink that publishes updates. While there is no connection it keeps the newest update only.
type Client struct {
	about   live.About
	options settings
	times   times
	log     func(format string, args ...any)

	mu       sync.Mutex
	newest   *live.Update
	fresh    chan struct{} // has a token while newest is not published
	birth    chan struct{} // has a token when Home Assistant has started
	cancel   context.CancelFunc
	finished chan struct{} // closed when the worker is done
	complain sync.Once     // of updates that JSON cannot say
	denied   sync.Once     // tells of a subscription that is
}

// New checks the options and returns at once; a goroutine connects, and tries again until Close where the broker
// cannot be reached or refuses. What happens to the connection goes to log, each kind of failure once.
func New(about live.About, o Options, log func(format string, args ...any)) (*Client, error) {
	return newClient(about, o, usualTimes, log)
}

func newClient(about live.About, o Options, t times, log func(format string, args ...any)) (*Client, error) {
	s, err := o.check()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{
		about: about, options: s, times: t, log: log,
		fresh: make(chan struct{}, 1), birth: make(chan struct{}, 1),
		cancel: cancel, finished: make(chan struct{}),
	}
	go c.work(ctx)
	return c, nil
}

// Publish hands over the newest update. It returns at once.
func (c *Client) Publish(u *live.Update) {
	c.mu.Lock()
	c.newest = u
	c.mu.Unlock()
	signal(c.fresh)
}

// Close says "offline" and disconnects. It takes at most a second; further calls do nothing.
func (c *Client) Close() error {
	c.cancel()
	select {
	case <-c.finished:
		return nil
	case <-time.After(c.times.close):
		return fmt.Errorf("mqtt: %s did not take the last message in time", c.options.shown)
	}
}

// signal leaves a token that whoever waits will find.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // one lies there already
	}
}

func (c *Client) latest() *live.Update {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest
}
