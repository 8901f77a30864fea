package main

import (
	"math"
	"sync/atomic"

	"github.com/libresnext/libresnext/resnext"
)

// session is a session with what turns pictures into its input.
type session struct {
	of      *model
	infer   *resnext.Session
	prepare *resnext.Preparer
	rgb     []byte // the last picture as RGB, where it was not
	batch   batch
	busy    atomic.Bool
}

func newSession(m *model, threads uint32) (*session, error) {
	if err := room(int64(m.net.SessionBytes())); err != nil {
		return nil, err
	}
	prepare, err := resnext.NewPreparer(m.net.Config(), m.net.Preprocess())
	if err != nil {
		return nil, &failure{statusModel, err.Error()}
	}
	infer, err := m.net.NewSession(resnext.SessionOptions{Threads: int(min(threads, math.MaxInt32))})
	if err != nil {
		return nil, err
	}
	return &session{of: m, infer: infer, prepare: prepare}, nil
}

// take reserves the session for one thread.
func (s *session) take() error {
	if !s.busy.CompareAndSwap(false, true) {
		return fail(statusBusy, "the session is in use by another thread: make one for each")
	}
	return nil
}

func (s *session) give() { s.busy.Store(false) }

// exact is the input of exactly its bytes.
func (s *session) exact(rgb []byte) ([]byte, error) {
	cfg := s.of.net.Config()
	if want := cfg.Height * cfg.Width * 3; len(rgb) != want {
		return nil, fail(statusInvalid, "length is %d, expected %d: %dx%d pixels of R G B", len(rgb), want, cfg.Width, cfg.Height)
	}
	return rgb, nil
}

// prepared makes a picture the network's input, valid until the next call.
func (s *session) prepared(p *picture) ([]byte, error) {
	m, err := p.frame()
	if err != nil {
		return nil, err
	}
	rgb, tight := tightRGB(&m)
	if !tight {
		if n := m.W * m.H * 3; cap(s.rgb) < n {
			if err := room(int64(n)); err != nil {
				return nil, err
			}
			s.rgb = make([]byte, n)
		} else {
			s.rgb = s.rgb[:n]
		}
		if err := m.Convert(s.rgb); err != nil {
			return nil, &failure{statusInvalid, err.Error()}
		}
		rgb = s.rgb
	}
	input, err := s.prepare.PrepareRGB(rgb, m.W, m.H)
	if err != nil {
		return nil, &failure{statusInvalid, err.Error()}
	}
	return input, nil
}

// checkFinite reports logits of which there is no softmax.
func checkFinite(logits []float32) error {
	for i, v := range logits {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fail(statusInvalid, "logit %d is %v, expected a finite number", i, v)
		}
	}
	return nil
}
