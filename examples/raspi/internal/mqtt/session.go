package mqtt

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
	"github.com/libresnext/libresnext/internal/cli"
)

// session is one connection's time.
type session struct {
	*Client
	ctx  context.Context
	conn paho.Client
	lost context.Context // ends, with what it was, once the connection is lost
}

// connect does not wait for an attempt under way when the session has to end: that ends by its own time limit.
func (s *session) connect() error {
	token := s.conn.Connect()
	select {
	case <-token.Done():
		return token.Error()
	case <-s.ctx.Done():
		go s.conn.Disconnect(0)
		return s.ctx.Err()
	}
}

// leave ends the connection, with a farewell if it was not lost. Where that fails, the broker says it by the will.
func (s *session) leave() {
	if s.ctx.Err() != nil && s.conn.IsConnectionOpen() {
		brief, cancel := context.WithTimeout(context.Background(), s.times.farewell)
		defer cancel()
		_ = s.publish(brief, s.options.prefix+"/status", true, []byte(offline))
	}
	s.conn.Disconnect(uint(s.times.farewell.Milliseconds()))
}

// cause prefers what ended the connection to err, which could not be done for want of one.
func (s *session) cause(err error) error {
	if err == nil || errors.Is(err, errTimeout) {
		return err
	}
	select {
	case <-s.lost.Done():
		return context.Cause(s.lost)
	case <-s.ctx.Done():
		return err
	case <-time.After(sendLimit):
		return err
	}
}

// follow publishes until the connection is lost or ctx ends.
func (s *session) follow() error {
	if err := s.greet(); err != nil {
		return err
	}
	var last *live.Update // published in this connection
	var at time.Time
	ready := (<-chan struct{})(s.fresh) // nil while it is too early for another
	early := time.NewTimer(0)
	defer early.Stop()
	if s.latest() != nil {
		signal(s.fresh) // what was published before may be gone with the broker
	}
	for {
		select {
		case <-s.ctx.Done():
			return nil
		case <-s.lost.Done():
			return context.Cause(s.lost)
		case <-early.C:
			ready = s.fresh
		case <-s.birth:
			if err := s.announce(); err != nil {
				return err
			}
			last = nil
			signal(s.fresh)
		case <-ready:
			u := s.latest()
			if u == nil || !s.wanted(u, last, at) {
				continue
			}
			if err := s.send(u); err != nil {
				return err
			}
			last, at, ready = u, time.Now(), nil
			early.Reset(s.options.every)
		}
	}
}

// wanted tells whether u is worth publishing after last, which was published at the given time, or is nil.
func (s *session) wanted(u, last *live.Update, at time.Time) bool {
	if u == last { // two came so close that the newer was taken at the first signal
		return false
	}
	return !s.options.onChange || last == nil || u.Shown.Label != last.Shown.Label || time.Since(at) >= refresh
}

// send publishes one update.
func (s *session) send(u *live.Update) error {
	body, err := json.Marshal(u)
	if err != nil {
		s.complain.Do(func() { s.log("MQTT: an update is left out: %v", err) })
		return nil
	}
	if err := s.put("state", s.options.retain, body); err != nil {
		return err
	}
	return s.put("label", s.options.retain, []byte(cli.Printable(u.Shown.Label)))
}

// put publishes below the prefix.
func (s *session) put(topic string, retained bool, body []byte) error {
	return s.publish(s.ctx, s.options.prefix+"/"+topic, retained, body)
}

func (s *session) publish(ctx context.Context, topic string, retained bool, body []byte) error {
	return do(ctx, func() paho.Token { return s.conn.Publish(topic, s.options.qos, retained, body) })
}

// do waits for the broker's answer, but not when ctx ends. The request has a goroutine because paho's requests
// themselves can block, for as long as sendLimit, while a connection breaks.
func do(ctx context.Context, request func() paho.Token) error {
	done := make(chan error, 1)
	go func() {
		token := request()
		if token.WaitTimeout(sendLimit) {
			done <- token.Error()
		} else {
			done <- errTimeout
		}
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
