package main

import (
	"fmt"

	"github.com/libresnext/libresnext/asm"
	i8 "github.com/libresnext/libresnext/int8"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Report is what `calls layers` prints.
type Report struct {
	Network string   `json:"network"`
	Set     string   `json:"set"`
	Threads int      `json:"threads"`
	Layers  []*Layer `json:"layers"`
	// Samples are the kernel calls that were traced, in order.
	Samples []string `json:"samples"`
}

// Layer is one operator and all others of the network that are the same but for their numbers.
type Layer struct {
	Name string `json:"name"` // of the first of them
	Kind string `json:"kind"`
	// Times is how many of them there are; all other figures are of one.
	Times int   `json:"times"`
	MACs  int64 `json:"macs"`
	// Moved is how many bytes it must read and write at least.
	MovedActivations int `json:"moved_activations"`
	MovedNumbers     int `json:"moved_numbers"`
	// Terms give the layer's cycles on one thread, Tasks those of each of its tasks where it is cut for Report.Threads.
	Terms terms   `json:"terms"`
	Tasks []terms `json:"tasks"`
}

// terms are a sum: each is a sample's number and how often it counts, which may be a fraction or negative.
type terms map[int]float64

// surveyor walks through a network and takes samples of each new kind of layer.
type surveyor struct {
	kernels *asm.Kernels
	program *topology.Program
	weight  int8
	calls   *sampler
	report  *Report
	known   map[string]*Layer
	scratch i8.Scratch
}

// sampleLayers describes each layer by samples that run between the marks.
func sampleLayers(cfg resnext.Config, k *asm.Kernels, weight int8, threads int) *Report {
	r := &Report{Network: cfg.Name, Set: k.Name, Threads: threads}
	s := &surveyor{program: topology.Lower(cfg), weight: weight, calls: newSampler(k, r), report: r, known: map[string]*Layer{}}
	s.kernels = s.calls.recording()
	for _, step := range s.program.Steps {
		switch step.Op {
		case topology.Conv:
			s.conv(step)
		case topology.MaxPool, topology.AveragePool:
			s.pool(step)
		case topology.Gated:
			s.gate(step)
		case topology.Classify, topology.Embed:
			s.head(step)
		}
	}
	return r
}

// work is an operator with its memory.
type work struct {
	tasks   func(threads int) int
	run     func(task, tasks int)
	numbers int // bytes of packed numbers that it reads
}

// single is a work of one task.
func single(run func(), numbers int) work {
	return work{func(int) int { return 1 }, func(int, int) { run() }, numbers}
}

// layer adds an operator. Operators are alike if their kinds and shapes are; make makes one.
func (s *surveyor) layer(name, kind string, shape any, macs int64, activations int, make func() work) {
	key := fmt.Sprintf("%s %+v", kind, shape)
	if l := s.known[key]; l != nil {
		l.Times++
		return
	}
	w := make()
	l := &Layer{Name: name, Kind: kind, Times: 1, MACs: macs, MovedActivations: activations, MovedNumbers: w.numbers, Terms: terms{}}
	s.known[key] = l
	s.report.Layers = append(s.report.Layers, l)
	for _, task := range s.tasks(w, 1) {
		for sample, n := range task {
			l.Terms[sample] += n
		}
	}
	l.Tasks = s.tasks(w, s.report.Threads)
}

// tasks makes the calls of an operator that is cut for so many threads.
func (s *surveyor) tasks(w work, threads int) []terms {
	costs := make([]terms, w.tasks(threads))
	for t := range costs {
		costs[t] = terms{}
		s.calls.terms = costs[t]
		w.run(t, len(costs))
	}
	return costs
}

func (s *surveyor) pool(step topology.Step) {
	in, out := s.mapOf(step.In), s.mapOf(step.Out)
	kind := "max pooling"
	if step.Op == topology.AveragePool {
		kind = "average pooling"
	}
	s.layer(step.Name, kind, in, 0, in.Bytes()+out.Bytes(), func() work {
		var p interface {
			Tasks() int
			Run(in, out []byte, task, tasks int, s *i8.Scratch)
		} = i8.NewMaxPool(s.kernels, in, out, step.Stride)
		if step.Op == topology.AveragePool {
			p = i8.NewAveragePool(s.kernels, in, out)
		}
		from, to := make([]byte, in.Bytes()), make([]byte, out.Bytes())
		return work{func(int) int { return p.Tasks() }, func(task, tasks int) { p.Run(from, to, task, tasks, &s.scratch) }, 0}
	})
}

func (s *surveyor) conv(step topology.Step) {
	shape, out := step.Conv, s.mapOf(step.Out)
	kind := fmt.Sprintf("%dx%d", shape.Kernel, shape.Kernel)
	switch {
	case shape.Image:
		kind = "stem"
	case step.Add != topology.None:
		kind += " and add"
	case step.Role == topology.Shortcut:
		kind += ", shortcut"
	case shape.Groups > 1:
		kind += fmt.Sprintf(", groups of %d", shape.In/shape.Groups)
	}
	mode := s.epilogue(step)
	shape.Name = ""
	image := i8.Image{H: shape.InH, W: shape.InW, Border: shape.Kernel / 2}
	in := s.mapOf(step.In)
	inBytes := in.Bytes()
	if shape.Image {
		inBytes = image.Bytes()
	}
	activations := inBytes + out.Bytes()
	if step.Add != topology.None {
		activations += out.Bytes()
	}
	s.layer(step.Name, kind, fmt.Sprintf("%+v %d", shape, mode), shape.MACs(), activations, func() work {
		c := i8.NewConv(s.kernels, s.spec(shape, mode))
		buffers := i8.Buffers{In: make([]byte, inBytes), Out: make([]byte, out.Bytes())}
		if step.Add != topology.None {
			buffers.Residual = buffers.Out
		}
		var b *i8.Binding
		if shape.Image {
			b = c.BindImage(image, out)
		} else {
			b = c.Bind(in, out)
		}
		return work{
			func(threads int) int { return c.Tasks(b, threads) },
			func(task, tasks int) { c.Run(b, buffers, task, tasks, &s.scratch) }, c.Bytes(),
		}
	})
}

// gate adds what computes the gates, and what scales by them.
func (s *surveyor) gate(step topology.Step) {
	in, out := s.mapOf(step.In), s.mapOf(step.Out)
	spec := i8.GateSpec{
		In: in, Out: out, Epilogue: s.epilogue(step), Pool: 1, Mult: 1, Residual: 1, Table: make([]uint16, 2),
	}
	activations := in.Bytes() + out.Bytes()
	if step.Add != topology.None {
		spec.Res = s.mapOf(step.Add)
		activations += spec.Res.Bytes()
	}
	var layers []i8.GateLinear
	var macs int64
	for _, l := range step.Gate {
		p := params(l.Out, l.In, 1)
		layers = append(layers, i8.GateLinear{Weight: p.Weight, Bias: p.Bias, Multiplier: p.Multiplier})
		macs += l.MACs()
	}
	if step.GateKind == topology.SqueezeExcite {
		spec.Squeeze, spec.Excite = layers[0], layers[1]
	} else {
		spec.Kernel = layers[0].Weight
	}
	shape := fmt.Sprintf("%+v %+v %d %d", in, out, spec.Epilogue, step.Gate[0].Out)
	newGate := func() (*i8.Gate, *i8.GateState) {
		g := i8.NewGate(s.kernels, spec)
		return g, g.NewState()
	}
	s.layer(step.Gate[0].Name, "gates", shape, macs, in.Bytes(), func() work {
		g, state := newGate()
		return single(func() { g.Squeeze(make([]byte, in.Bytes()), state, &s.scratch) }, g.Bytes())
	})
	s.layer(step.Name, "scaling", shape, 0, activations, func() work {
		g, state := newGate()
		from, to := make([]byte, in.Bytes()), make([]byte, out.Bytes())
		var res []byte
		if step.Add != topology.None {
			res = make([]byte, spec.Res.Bytes())
		}
		return work{func(int) int { return g.Tasks() }, func(task, tasks int) { g.Run(from, res, to, state, task, tasks, &s.scratch) }, 0}
	})
}

// head adds the average and, where there is one, the classifier.
func (s *surveyor) head(step topology.Step) {
	in, shape := s.mapOf(step.In), step.Conv
	p := params(shape.Out, in.Layout.Channels(), 1)
	h := i8.NewHead(s.kernels, in, 1, p.Weight, p.Bias, p.Multiplier)
	state, logits := h.NewState(), make([]float32, shape.Out)
	s.layer(topology.AverageName, "average", in, 0, in.Bytes(), func() work {
		return single(func() { h.Pool(make([]byte, in.Bytes()), state, &s.scratch) }, 0)
	})
	if step.Op == topology.Embed {
		return
	}
	s.layer(shape.Name, "classifier", in, shape.MACs(), 4*shape.Out, func() work {
		return work{
			func(threads int) int { return threads },
			func(task, tasks int) { h.Logits(logits, state, task, tasks, &s.scratch) }, h.Bytes(),
		}
	})
}

// mapOf, epilogue and spec place a map and a convolution in memory as the library does.
func (s *surveyor) mapOf(id topology.MapID) i8.Map {
	m := s.program.Maps[id]
	return i8.Map{H: m.H, W: m.W, Border: m.Border, Layout: i8.Grouped(m.Channels, m.Groups)}
}

func (s *surveyor) epilogue(step topology.Step) asm.Epilogue {
	signed := func(id topology.MapID) bool { return s.program.Maps[id].Signed }
	switch {
	case step.Add == topology.None && signed(step.Out):
		return asm.Signed
	case step.Add == topology.None:
		return asm.ReLU
	case signed(step.Add):
		return asm.AddSigned
	}
	return asm.AddUnsigned
}

func (s *surveyor) spec(shape resnext.ConvShape, mode asm.Epilogue) i8.ConvSpec {
	p := params(shape.Out, shape.Weights()/shape.Out, s.weight)
	return i8.ConvSpec{
		In: i8.Grouped(shape.In, shape.InGroups), Out: i8.Grouped(shape.Out, shape.OutGroups), Stem: shape.Image,
		Kernel: shape.Kernel, Stride: shape.Stride, Groups: shape.Groups,
		Weight: p.Weight, Bias: p.Bias, Multiplier: p.Multiplier, Epilogue: mode, Residual: 1,
	}
}
