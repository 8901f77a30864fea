package resnext

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	i8 "github.com/libresnext/libresnext/int8"
	"github.com/libresnext/libresnext/internal/cores"
)

// SessionOptions configures NewSession. The zero value uses all CPU cores that the process may use.
type SessionOptions struct {
	// Threads is how many CPU cores one inference uses; more than GOMAXPROCS are never used. 0 means all that the
	// process may really use: not those that a cpuset or taskset takes away, nor more than a container's quota grants.
	// Where other work wants the cores, inferences fall back to fewer threads for a while. The result does not depend
	// on any of this.
	Threads int
	// Batch allocates at once the memory that InferBatch and EmbedBatch want on several threads: Model.SessionBytes for each
	// thread but one. Else the first of their calls does.
	Batch bool
}

// Session runs inferences of one model. It owns the memory for activations, allocated once, and its worker
// threads. It belongs to one goroutine at a time; sessions of one model share its weights.
type Session struct {
	// Observe, if not nil, is called with the real values of every convolution's and every gate's output as it is
	// made, by the name of its ConvShape or step, and of "logits", or from Embed "features": [h][w][c] numbers, valid
	// during the call. What is added is part of the output of the step that adds it. It slows inference down and
	// allocates.
	Observe func(name string, h, w, c int, values []float32)

	// Timed, if not nil, is called with the time that each operator took: by the names of their steps; a gate's
	// is that of the scaling, and the first layer in it that of what comes before.
	Timed func(name string, took time.Duration)

	passage  // of one image on all threads
	pool     *pool
	arena    []byte
	features []float32
	batch    batch
	prepare  *Preparer
	state    atomic.Int32
}

// passage is an image's way through the network: the memory for its maps and the steps on them.
type passage struct {
	model *Model
	maps  [][]byte
	image []byte
	steps []step
	// averaged is how many of the steps lead to the features; the classifier's follow.
	averaged int
	head     *i8.HeadState
	logits   []float32 // where the classifier writes
}

// step is one operator with its buffers.
type step struct {
	name   string
	job    job
	tasks  int
	out    output  // the map that it writes, if it does
	scale  float32 // the real value of one step of it; 0 where nobody observes it
	signed bool
}

// output is a map in its buffer.
type output struct {
	i8.Map
	buf []byte
}

// NewSession makes a session, to be closed when it is no longer needed.
func (m *Model) NewSession(o SessionOptions) (*Session, error) {
	most := runtime.GOMAXPROCS(0)
	if o.Threads < 0 {
		return nil, fmt.Errorf("resnext: %d threads, expected 0 (all cores) or more", o.Threads)
	}
	switch {
	case o.Threads == 0:
		o.Threads = cores.Usable()
	case o.Threads > most:
		o.Threads = most
	}
	memory, maps := m.splitArena()
	s := m.newSession(o.Threads, maps)
	s.arena = memory
	if o.Batch && s.wholeImages(s.Threads()) > 0 {
		s.makeBatch()
	}
	return s, nil
}

// newSession makes a session whose maps lie in this memory.
func (m *Model) newSession(threads int, maps [][]byte) *Session {
	s := &Session{pool: newPool(threads), features: make([]float32, m.Features())}
	s.passage = passage{model: m, maps: maps, head: m.head.NewState(), logits: make([]float32, m.config.Classes)}
	s.plan(threads)
	return s
}

// Close ends the session's threads. The session cannot be used afterwards; closing twice does no harm, and closing one
// whose inference is under way does nothing.
func (s *Session) Close() {
	if s.state.CompareAndSwap(idle, closed) {
		s.pool.close()
	}
}

// The states of a session.
const (
	idle int32 = iota
	inferring
	closed
)

// Errors about a session that cannot infer now.
var (
	errBusy   = errors.New("resnext: the session is in use by another goroutine; make one session for each")
	errClosed = errors.New("resnext: the session is closed; make another")
)

// acquire takes the session for an inference.
func (s *Session) acquire() error {
	if s.state.CompareAndSwap(idle, inferring) {
		return nil
	}
	if s.state.Load() == closed {
		return errClosed
	}
	return errBusy
}

// Threads is the number of threads that an inference uses.
func (s *Session) Threads() int { return len(s.pool.workers) }

// ArenaBytes is the memory that the session's activations take, those of batches included once they have it.
func (s *Session) ArenaBytes() int { return len(s.arena) + s.batch.arenas }

// Infer computes the logits of one image of Config.Height by Config.Width pixels, RGB, 3 bytes a pixel, row
// after row. The returned slice, one number a class, is valid until the next call. Of a model without classes, whose head
// is topology.Embedding, it is an error that names Embed.
func (s *Session) Infer(rgb []byte) ([]float32, error) {
	if err := s.model.checkClasses(); err != nil {
		return nil, err
	}
	if err := s.run(rgb, false); err != nil {
		return nil, err
	}
	return s.logits, nil
}

// checkImage reports an image that is not the network's input.
func (m *Model) checkImage(rgb []byte) error {
	if want := m.config.Height * m.config.Width * 3; len(rgb) != want {
		return fmt.Errorf("resnext: the image has %d bytes, expected %d: %dx%d pixels of RGB",
			len(rgb), want, m.config.Width, m.config.Height)
	}
	return nil
}

// run computes the logits of an image, or where embed is set its features.
func (s *Session) run(rgb []byte, embed bool) error {
	if err := s.model.checkImage(rgb); err != nil {
		return err
	}
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.state.Store(idle)
	s.runAcquired(rgb, embed)
	return nil
}

// runAcquired is run for an image whose size is right, in a session that has been acquired.
func (s *Session) runAcquired(rgb []byte, embed bool) {
	m, steps := s.model, s.stepsTo(embed)
	s.pool.begin()
	defer func() { s.pool.end(s.Timed == nil && s.Observe == nil) }()
	m.image.Load(s.image, rgb, m.kernels.InputFlip) // which the first step reads, see plan
	for i := range steps {
		st := &steps[i]
		start := s.now()
		// Maps share memory, so nobody knows what is in a border.
		st.out.ClearBorder(st.out.buf, m.kernels.InputFlip)
		s.pool.do(st.job, st.tasks)
		if s.Timed != nil {
			s.Timed(st.name, time.Since(start))
		}
		if s.Observe != nil && st.scale != 0 {
			s.observe(st)
		}
	}
	name, values := "logits", s.logits
	if embed {
		m.head.Features(s.features, m.scale, s.head)
		name, values = "features", s.features
	}
	if s.Observe != nil {
		s.Observe(name, 1, 1, len(values), values)
	}
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
	values := st.out.Values(st.out.buf, s.model.kernels.InputFlip, st.signed)
	for i := range values {
		values[i] *= st.scale
	}
	s.Observe(st.name, st.out.H, st.out.W, st.out.Layout.Channels(), values)
}
