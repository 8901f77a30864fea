package resnext

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	i8 "github.com/libresnext/libresnext/int8"
)

// SessionOptions tell how a session runs. The zero value is right for most.
type SessionOptions struct {
	// Threads is how many CPU cores one inference uses; 0 means all that Go may use (GOMAXPROCS), and
	// more than those are never used. The result does not depend on it.
	Threads int
}

// Session runs inferences of one model. It owns the memory for activations, allocated once, and its worker
// threads. It belongs to one goroutine at a time; the model is shared, so that a second session costs only
// its memory.
type Session struct {
	// Observe, if not nil, is called with the real values of every convolution's output as it is made, by
	// the name of its ConvShape, and of "logits": [h][w][c] numbers, valid during the call. Expand is
	// observed after the add; a projection shortcut before it. It slows inference down and allocates.
	Observe func(name string, h, w, c int, values []float32)

	// Timed, if not nil, is called with the time that each operator took: the convolutions by the names of their
	// shapes, PoolName, AverageName and ClassifierName.
	Timed func(name string, took time.Duration)

	model   *Model
	pool    *pool
	arena   []byte
	image   []byte
	steps   []step
	head    *i8.HeadState
	logits  []float32
	prepare *Preparer
	busy    atomic.Bool
}

// step is one operator with its buffers.
type step struct {
	name   string
	job    job
	tasks  int
	layer  *layer // the convolution, for observers; else nil
	out    []byte
	border bool // clear the border of out first
}

// NewSession makes a session.
func (m *Model) NewSession(o SessionOptions) (*Session, error) {
	most := runtime.GOMAXPROCS(0)
	if o.Threads < 0 {
		return nil, fmt.Errorf("resnext: %d threads, expected 0 (all cores) or more", o.Threads)
	}
	if o.Threads == 0 || o.Threads > most {
		o.Threads = most
	}
	s := &Session{model: m, pool: newPool(o.Threads), head: m.head.NewState(), logits: make([]float32, m.config.Classes)}
	s.plan(o.Threads)
	return s, nil
}

// Close ends the session's threads. The session cannot be used afterwards; closing twice does no harm.
func (s *Session) Close() {
	if s.busy.CompareAndSwap(false, true) { // stays busy for good
		s.pool.close()
	}
}

// Threads is the number of threads that an inference uses.
func (s *Session) Threads() int { return len(s.pool.seats) }

// ArenaBytes is the memory that the session's activations take.
func (s *Session) ArenaBytes() int { return len(s.arena) }

// Infer computes the logits of one image of Config.Height by Config.Width pixels, RGB, 3 bytes a pixel, row
// after row. The returned slice, one number a class, is valid until the next call.
func (s *Session) Infer(rgb []byte) ([]float32, error) {
	m := s.model
	if want := m.config.Height * m.config.Width * 3; len(rgb) != want {
		return nil, fmt.Errorf("resnext: the image has %d bytes, expected %d: %dx%d pixels of RGB",
			len(rgb), want, m.config.Width, m.config.Height)
	}
	if !s.busy.CompareAndSwap(false, true) {
		return nil, errBusy
	}
	defer s.busy.Store(false)
	s.pool.begin()
	defer s.pool.end()
	m.image.Load(s.image, rgb, m.kernels.Offset)
	for i := range s.steps {
		st := &s.steps[i]
		start := s.now()
		if st.border {
			st.layer.out.ClearBorder(st.out, m.kernels.Offset)
		}
		s.pool.do(st.job, st.tasks)
		if s.Timed != nil {
			s.Timed(st.name, time.Since(start))
		}
		if s.Observe != nil && st.layer != nil {
			s.observe(st)
		}
	}
	if s.Observe != nil {
		s.Observe("logits", 1, 1, len(s.logits), s.logits)
	}
	return s.logits, nil
}

// now is the time if anybody wants it.
func (s *Session) now() time.Time {
	if s.Timed == nil {
		return time.Time{}
	}
	return time.Now()
}

// observe hands out a step's output as real numbers.
func (s *Session) observe(st *step) {
	l := st.layer
	values := l.out.Values(st.out, s.model.kernels.Offset, !l.shape.ReLU)
	for i := range values {
		values[i] *= l.scale
	}
	s.Observe(l.shape.Name, l.out.H, l.out.W, l.shape.Out, values)
}
