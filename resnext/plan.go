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

// SessionBytes is the memory that a session's activations take: its ArenaBytes, without making one.
func (m *Model) SessionBytes() int { return int(m.config.SessionBytes()) }

// plan lists the steps, in an arena of these parts.
func (s *Session) plan(threads int, parts arenaParts) {
	m := s.model
	s.image = parts[imagePart]
	m.image.Clear(s.image, m.preprocess.PadBytes(), m.kernels.Offset)
	x, y := bodyPart, otherBodyPart
	if m.stemPool != nil {
		s.conv(&m.stem, threads, parts, imagePart, stemPart)
		s.steps = append(s.steps, step{name: PoolName, job: &maxPoolJob{m.stemPool, parts[stemPart], parts[x]},
			tasks: m.stemPool.Tasks(), out: output{m.pooled, parts[x]}})
	} else {
		s.conv(&m.stem, threads, parts, imagePart, x)
	}
	for i := range m.blocks {
		b := &m.blocks[i]
		out := x
		if b.shortcut != nil {
			out = y
			s.conv(b.shortcut, threads, parts, x, out)
		}
		s.conv(&b.reduce, threads, parts, x, reducedPart)
		s.conv(&b.transform, threads, parts, reducedPart, transformedPart)
		s.conv(&b.expand, threads, parts, transformedPart, out)
		if b.shortcut != nil {
			x, y = y, x
		}
	}
	s.steps = append(s.steps, step{name: AverageName, job: &sumJob{s, parts[x]}, tasks: 1},
		step{name: ClassifierName, job: &logitsJob{s, threads}, tasks: threads})
	s.keepBorders()
}

// conv adds the step of a convolution from one part of the arena to another. What it may add lies in the latter.
func (s *Session) conv(l *layer, threads int, parts arenaParts, in, out int) {
	tasks := l.conv.Tasks(l.place, threads)
	b := i8.Buffers{In: parts[in], Out: parts[out]}
	if l.conv.Adds() {
		b.Residual = b.Out
	}
	s.steps = append(s.steps, step{
		name: l.shape.Name, job: &convJob{l, b, tasks}, tasks: tasks, layer: l, out: output{l.out, parts[out]},
	})
}

// keepBorders decides which steps clear the border of their map first. A part of the arena has the border of the map
// that was written into it last, by this inference or by the one before; where that is another map than the step's, the
// step clears. The first inference finds what an inference leaves.
func (s *Session) keepBorders() {
	last := map[*byte]output{} // by the part's first byte
	for _, st := range s.steps {
		if st.out.buf != nil {
			last[&st.out.buf[0]] = st.out
		}
	}
	for _, o := range last {
		o.ClearBorder(o.buf, s.model.kernels.Offset)
	}
	for i := range s.steps {
		st := &s.steps[i]
		if st.out.buf == nil {
			continue
		}
		part := &st.out.buf[0]
		st.border = st.out.Border > 0 && last[part].Map != st.out.Map
		last[part] = st.out
	}
}

// arenaParts are the parts of a session's arena, at least as large as Config.partSizes says.
type arenaParts [arenaPartCount][]byte

// carve allocates an arena and cuts it into its parts, each at the start of a cache line.
func (c Config) carve() (arena []byte, parts arenaParts) {
	arena = i8.AlignedBytes(int(c.SessionBytes()))
	at := 0
	for i, n := range c.partSizes() {
		parts[i] = arena[at : at+int(n) : at+int(n)]
		at += int(wholeLines(n))
	}
	return arena, parts
}
