package resnext

import (
	i8 "github.com/libresnext/libresnext/int8"
)

// convJob is a convolution with its buffers.
type convJob struct {
	layer   *layer
	buffers i8.Buffers
	tasks   int
}

func (j *convJob) run(task int, s *i8.Scratch) {
	j.layer.conv.Run(j.layer.place, j.buffers, task, j.tasks, s)
}

type maxPoolJob struct {
	pool    *i8.MaxPool
	in, out []byte
}

func (j *maxPoolJob) run(task int, s *i8.Scratch) { j.pool.Run(j.in, j.out, task, j.pool.Tasks(), s) }

type sumJob struct {
	session *Session
	in      []byte
}

func (j *sumJob) run(_ int, s *i8.Scratch) { j.session.model.head.Pool(j.in, j.session.head, s) }

type logitsJob struct {
	session *Session
	tasks   int
}

func (j *logitsJob) run(task int, s *i8.Scratch) {
	j.session.model.head.Logits(j.session.logits, j.session.head, task, j.tasks, s)
}

// arenaParts are the sizes in bytes of the arena's parts.
//
// Blocks read one of two buffers and write the other, or the same where the shortcut is the identity and
// the add is in place; inside a block there is one buffer for the output of reduce and one for that of
// transform. So the arena holds the image, the stem's map and four buffers of the largest size.
func (m *Model) arenaParts() [6]int {
	stem, body := 0, m.stem.out.Bytes()
	if m.stemPool != nil {
		stem, body = body, m.pooled.Bytes()
	}
	var reduced, transformed int
	for _, b := range m.blocks {
		body = max(body, b.expand.out.Bytes())
		reduced = max(reduced, b.reduce.out.Bytes())
		transformed = max(transformed, b.transform.out.Bytes())
	}
	return [6]int{m.image.Bytes(), stem, body, body, reduced, transformed}
}

// SessionBytes is the memory that a session's activations take: its ArenaBytes, without making one.
func (m *Model) SessionBytes() int {
	total := 0
	for _, n := range m.arenaParts() {
		total += wholeLines(n)
	}
	return total
}

// wholeLines rounds a size up to whole cache lines.
func wholeLines(n int) int {
	const line = 64
	return (n + line - 1) / line * line
}

// plan lays out the arena and lists the steps.
func (s *Session) plan(threads int) {
	m := s.model
	parts := s.carve()
	s.image = parts[0]
	x, y := parts[2], parts[3]
	m.image.Clear(s.image, m.preprocess.PadBytes(), m.kernels.Offset)
	if m.stemPool != nil {
		m.stem.out.ClearBorder(parts[1], m.kernels.Offset)
		s.conv(&m.stem, threads, i8.Buffers{In: s.image, Out: parts[1]}, false)
		s.steps = append(s.steps, step{name: PoolName, job: &maxPoolJob{m.stemPool, parts[1], x}, tasks: m.stemPool.Tasks()})
	} else {
		s.conv(&m.stem, threads, i8.Buffers{In: s.image, Out: x}, false)
	}
	for i := range m.blocks {
		b := &m.blocks[i]
		out := x
		if b.shortcut != nil {
			out = y
			s.conv(b.shortcut, threads, i8.Buffers{In: x, Out: out}, false)
		}
		// The buffer's border is that of the last map it held.
		last := &m.blocks[(i+len(m.blocks)-1)%len(m.blocks)]
		s.conv(&b.reduce, threads, i8.Buffers{In: x, Out: parts[4]}, len(m.blocks) == 1 || last.reduce.out != b.reduce.out)
		s.conv(&b.transform, threads, i8.Buffers{In: parts[4], Out: parts[5]}, false)
		s.conv(&b.expand, threads, i8.Buffers{In: parts[5], Out: out, Residual: out}, false)
		if b.shortcut != nil {
			x, y = y, x
		}
	}
	s.steps = append(s.steps, step{name: AverageName, job: &sumJob{s, x}, tasks: 1},
		step{name: ClassifierName, job: &logitsJob{s, threads}, tasks: threads})
}

func (s *Session) conv(l *layer, threads int, b i8.Buffers, border bool) {
	tasks := l.conv.Tasks(l.place, threads)
	s.steps = append(s.steps, step{name: l.shape.Name, job: &convJob{l, b, tasks}, tasks: tasks, layer: l, out: b.Out, border: border})
}

// carve allocates the arena and cuts it into its parts, each at the start of a cache line.
func (s *Session) carve() (parts [6][]byte) {
	s.arena = i8.AlignedBytes(s.model.SessionBytes())
	at := 0
	for i, n := range s.model.arenaParts() {
		parts[i] = s.arena[at : at+n : at+n]
		at += wholeLines(n)
	}
	return parts
}
