package resnext

import (
	"fmt"
	"sync/atomic"

	i8 "github.com/libresnext/libresnext/int8"
)

// InferBatch computes the logits of several images, each given as for Infer, and writes them one image after the other:
// logits has as many numbers as there are images times classes. They are to the bit those of Infer.
//
// On several threads it is for throughput, of small networks above all, and the first answer comes no earlier than the
// last: each thread takes whole images through the network, in activation memory of its own, so that no thread waits for
// another at the end of a layer. What is left over for half of the threads or fewer is split as by Infer. The memory, of
// SessionBytes for each thread but one, is allocated by the first batch that wants it, or by SessionOptions.Batch; later
// batches of any length perform no heap allocations. Where Options.MemoryLimit leaves no room for it, and while Observe
// or Timed are set, all images are split.
//
// On an error nothing has been written. No images are no error.
func (s *Session) InferBatch(images [][]byte, logits []float32) error {
	if err := s.model.checkClasses(); err != nil {
		return err
	}
	return s.runBatch(images, logits, s.model.config.Classes, false)
}

// EmbedBatch is InferBatch for what Embed gives: Model.Features numbers for each image.
func (s *Session) EmbedBatch(images [][]byte, features []float32) error {
	return s.runBatch(images, features, s.model.Features(), true)
}

// runBatch computes each numbers for every image.
func (s *Session) runBatch(images [][]byte, out []float32, each int, embed bool) error {
	for i, rgb := range images {
		if err := s.model.checkImage(rgb); err != nil {
			return fmt.Errorf("image %d of the batch: %w", i, err)
		}
	}
	if want := len(images) * each; len(out) != want {
		return fmt.Errorf("resnext: memory for %d numbers, expected %d: %d for each of %d images", len(out), want, each, len(images))
	}
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.state.Store(idle)
	whole := s.wholeImages(len(images))
	if whole > 0 {
		s.makeBatch()
		s.runWhole(images[:whole], out, each, embed)
	}
	for i, rgb := range images[whole:] {
		s.runAcquired(rgb, embed)
		values := s.logits
		if embed {
			values = s.features
		}
		copy(out[(whole+i)*each:], values)
	}
	return nil
}

// wholeImages is how many of so many images single threads work on; the others are split.
func (s *Session) wholeImages(images int) int {
	threads := s.Threads()
	if threads == 1 || s.Observe != nil || s.Timed != nil || int64(threads) > s.model.arenas {
		return 0
	}
	if rest := images % threads; 2*rest <= threads {
		return images - rest
	}
	return images
}

// makeBatch makes the passages of a batch unless they are there: one for each thread, the first in the session's own arena.
func (s *Session) makeBatch() {
	if s.batch.passages != nil {
		return
	}
	s.batch.passages = make([]passage, s.Threads())
	for i := range s.batch.passages {
		maps := s.maps
		if i > 0 {
			var memory []byte
			memory, maps = s.model.splitArena()
			s.batch.arenas += len(memory)
		}
		p := &s.batch.passages[i]
		*p = passage{model: s.model, maps: maps, head: s.model.head.NewState()}
		p.plan(1)
	}
}

// batch is the job of images that are worked on whole. Each task is a passage that takes the next image until there are
// none, so that a thread that comes late, or loses its CPU for a while, holds up no more than the image that it has.
type batch struct {
	passages []passage
	arenas   int // bytes of those beside the session's own

	images [][]byte
	out    []float32
	each   int // numbers for an image
	embed  bool
	next   atomic.Int64
}

// runWhole computes all images, on all threads or, where other work wants the cores, on fewer.
func (s *Session) runWhole(images [][]byte, out []float32, each int, embed bool) {
	b := &s.batch
	b.images, b.out, b.each, b.embed = images, out, each, embed
	b.next.Store(0)
	s.pool.beginBatch()
	defer func() {
		s.pool.endBatch(len(images))
		b.images, b.out = nil, nil // which are the caller's
	}()
	s.pool.do(b, len(b.passages))
}

func (b *batch) run(task int, s *i8.Scratch) {
	p := &b.passages[task]
	for {
		i := int(b.next.Add(1)) - 1
		if i >= len(b.images) {
			return
		}
		p.run(b.images[i], b.out[i*b.each:(i+1)*b.each], b.embed, s)
	}
}

// run takes an image through the network on the calling thread alone.
func (p *passage) run(rgb []byte, out []float32, embed bool, s *i8.Scratch) {
	m := p.model
	p.logits = out
	defer func() { p.logits = nil }() // it is the caller's
	m.image.Load(p.image, rgb, m.kernels.InputFlip)
	steps := p.stepsTo(embed)
	for i := range steps {
		st := &steps[i]
		st.out.ClearBorder(st.out.buf, m.kernels.InputFlip)
		for task := range st.tasks {
			st.job.run(task, s)
		}
	}
	if embed {
		m.head.Features(out, m.scale, p.head)
	}
}
