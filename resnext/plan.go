package resnext

import (
	i8 "github.com/libresnext/libresnext/int8"
	"github.com/libresnext/libresnext/resnext/topology"
)

// convJob is a convolution with its buffers.
type convJob struct {
	layer   *layer
	buffers i8.Buffers
	tasks   int
}

func (j *convJob) run(task int, s *i8.Scratch) {
	j.layer.conv.Run(j.layer.binding, j.buffers, task, j.tasks, s)
}

type poolJob struct {
	pool    pooling
	in, out []byte
}

func (j *poolJob) run(task int, s *i8.Scratch) { j.pool.Run(j.in, j.out, task, j.pool.Tasks(), s) }

type sumJob struct {
	passage *passage
	in      []byte
}

func (j *sumJob) run(_ int, s *i8.Scratch) { j.passage.model.head.Pool(j.in, j.passage.head, s) }

type logitsJob struct {
	passage *passage
	tasks   int
}

func (j *logitsJob) run(task int, s *i8.Scratch) {
	j.passage.model.head.Logits(j.passage.logits, j.passage.head, task, j.tasks, s)
}

// SessionBytes is the memory that a session's activations take: its ArenaBytes, without making one.
func (m *Model) SessionBytes() int {
	_, total := arena(m.program)
	return int(total)
}

// splitArena allocates a session's arena and cuts it into maps.
func (m *Model) splitArena() (memory []byte, maps [][]byte) {
	offset, total := arena(m.program)
	memory = i8.AlignedBytes(int(total))
	for id, at := range offset {
		n := mapBytes(m.program, topology.MapID(id))
		maps = append(maps, memory[at:at+n:at+n])
	}
	return memory, maps
}

// plan lists the steps on the maps in memory, for an image on so many threads.
func (s *passage) plan(threads int) {
	m, maps := s.model, s.maps
	s.image = maps[topology.Image]
	m.image.Clear(s.image, m.preprocess.PadBytes(), m.kernels.InputFlip)
	for _, op := range m.steps {
		in := maps[op.In]
		switch op.Op {
		case topology.Conv:
			l, tasks := op.layer, op.layer.conv.Tasks(op.layer.binding, threads)
			b := i8.Buffers{In: in, Out: maps[op.Out]}
			if op.Add != topology.None {
				b.Residual = maps[op.Add]
			}
			s.steps = append(s.steps, step{name: op.Name, job: &convJob{l, b, tasks}, tasks: tasks, scale: l.scale, signed: !l.shape.ReLU, out: output{l.out, b.Out}})
		case topology.MaxPool, topology.AveragePool, topology.Blur:
			out := output{mapOf(m.program.Maps[op.Out]), maps[op.Out]}
			s.steps = append(s.steps, step{name: op.Name, job: &poolJob{op.pool, in, out.buf}, tasks: op.pool.Tasks(), out: out})
		case topology.Gated:
			out := output{mapOf(m.program.Maps[op.Out]), maps[op.Out]}
			j := &gateJob{gate: op.gate, state: op.gate.NewState(), in: in, out: out.buf, tasks: op.gate.Tasks()}
			if op.Add != topology.None {
				j.res = maps[op.Add]
			}
			s.steps = append(s.steps, step{name: op.Gate[0].Name, job: gatesJob{j}, tasks: 1},
				step{name: op.Name, job: j, tasks: j.tasks, scale: op.scale, signed: m.program.Maps[op.Out].Signed, out: out})
		case topology.Classify, topology.Embed:
			s.steps = append(s.steps, step{name: AverageName, job: &sumJob{s, in}, tasks: 1})
			s.averaged = len(s.steps)
			if op.Op == topology.Classify {
				s.steps = append(s.steps, step{name: op.Name, job: &logitsJob{s, threads}, tasks: threads})
			}
		}
	}
}

// stepsTo are the steps that lead to the logits, or to the features.
func (s *passage) stepsTo(features bool) []step {
	if features {
		return s.steps[:s.averaged]
	}
	return s.steps
}
