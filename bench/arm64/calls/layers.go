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
	// Terms give the layer's cycles: each is a sample's number and how often it counts, which may be a
	// fraction or negative.
	Terms map[int]float64 `json:"terms"`
}

// surveyor walks through a network and takes samples of each new kind of layer.
type surveyor struct {
	kernels *asm.Kernels
	weight  int8
	calls   *sampler
	report  *Report
	known   map[string]*Layer
	scratch i8.Scratch
}

// sampleLayers describes each layer by samples that run between the marks.
func sampleLayers(cfg resnext.Config, k *asm.Kernels, weight int8) *Report {
	r := &Report{Network: cfg.Name, Set: k.Name}
	s := &surveyor{weight: weight, calls: newSampler(k, r), report: r, known: map[string]*Layer{}}
	s.kernels = s.calls.recording()
	p := topology.Lower(cfg)
	for _, step := range p.Steps {
		switch step.Op {
		case topology.Conv:
			s.conv(p, step)
		case topology.MaxPool:
			s.maxPool(step.Name, mapOf(p.Maps[step.In]), mapOf(p.Maps[step.Out]))
		case topology.Classify:
			s.head(step.Conv, mapOf(p.Maps[step.In]))
		}
	}
	return r
}

// layer adds an operator. Operators are alike if their kinds and shapes are; run makes the calls and tells how
// many bytes of packed numbers they read.
func (s *surveyor) layer(name, kind string, shape any, macs int64, activations int, run func() (numbers int)) {
	key := fmt.Sprintf("%s %+v", kind, shape)
	if l := s.known[key]; l != nil {
		l.Times++
		return
	}
	l := &Layer{Name: name, Kind: kind, Times: 1, MACs: macs, MovedActivations: activations, Terms: map[int]float64{}}
	s.known[key] = l
	s.report.Layers = append(s.report.Layers, l)
	s.calls.terms = l.Terms
	l.MovedNumbers = run()
}

// runConv makes the calls of one thread and tells how many bytes of packed numbers they read.
func (s *surveyor) runConv(c *i8.Conv, p *i8.Binding, b i8.Buffers) int {
	tasks := c.Tasks(p, 1)
	for t := range tasks {
		c.Run(p, b, t, tasks, &s.scratch)
	}
	return c.Bytes()
}

func (s *surveyor) maxPool(name string, in, out i8.Map) {
	s.layer(name, "max pooling", in, 0, in.Bytes()+out.Bytes(), func() int {
		p := i8.NewMaxPool(s.kernels, in, out, 2)
		from, to := make([]byte, in.Bytes()), make([]byte, out.Bytes())
		for t := range p.Tasks() {
			p.Run(from, to, t, p.Tasks(), &s.scratch)
		}
		return 0
	})
}

func (s *surveyor) conv(p *topology.Program, step topology.Step) {
	mode, shape, out := asm.ReLU, step.Conv, mapOf(p.Maps[step.Out])
	kind := fmt.Sprintf("%dx%d", shape.Kernel, shape.Kernel)
	switch {
	case shape.Image:
		kind = "stem"
	case step.Add != topology.None:
		mode, kind = asm.AddUnsigned, kind+" and add"
		if p.Maps[step.Add].Signed {
			mode = asm.AddSigned
		}
	case !shape.ReLU:
		mode, kind = asm.Signed, kind+", shortcut"
	case shape.Groups > 1:
		kind += fmt.Sprintf(", groups of %d", shape.In/shape.Groups)
	}
	shape.Name = ""
	image := i8.Image{H: shape.InH, W: shape.InW, Border: shape.Kernel / 2}
	in := mapOf(p.Maps[step.In])
	inBytes := in.Bytes()
	if shape.Image {
		inBytes = image.Bytes()
	}
	activations := inBytes + out.Bytes()
	if step.Add != topology.None {
		activations += out.Bytes()
	}
	s.layer(step.Name, kind, fmt.Sprintf("%+v %d", shape, mode), shape.MACs(), activations, func() int {
		c := i8.NewConv(s.kernels, s.spec(shape, mode))
		b := i8.Buffers{In: make([]byte, inBytes), Out: make([]byte, out.Bytes())}
		if shape.Image {
			return s.runConv(c, c.BindImage(image, out), b)
		}
		if step.Add != topology.None {
			b.Residual = b.Out
		}
		return s.runConv(c, c.Bind(in, out), b)
	})
}

func (s *surveyor) head(shape resnext.ConvShape, in i8.Map) {
	p := params(shape.Out, shape.In, s.weight)
	h := i8.NewHead(s.kernels, in, 1, p.Weight, p.Bias, p.Multiplier)
	state, logits := h.NewState(), make([]float32, shape.Out)
	s.layer(resnext.AverageName, "average", in, 0, in.Bytes(), func() int {
		h.Pool(make([]byte, in.Bytes()), state, &s.scratch)
		return 0
	})
	s.layer(shape.Name, "classifier", in, shape.MACs(), 4*shape.Out, func() int {
		h.Logits(logits, state, 0, 1, &s.scratch)
		return h.Bytes()
	})
}

// mapOf and spec place a map and a convolution in memory as the library does.
func mapOf(m topology.Map) i8.Map {
	return i8.Map{H: m.H, W: m.W, Border: m.Border, Layout: i8.Grouped(m.Channels, m.Groups)}
}

func (v *surveyor) spec(s resnext.ConvShape, mode asm.Epilogue) i8.ConvSpec {
	p := params(s.Out, s.Weights()/s.Out, v.weight)
	return i8.ConvSpec{
		In: i8.Grouped(s.In, s.InGroups), Out: i8.Grouped(s.Out, s.OutGroups), Stem: s.Image,
		Kernel: s.Kernel, Stride: s.Stride, Groups: s.Groups,
		Weight: p.Weight, Bias: p.Bias, Multiplier: p.Multiplier, Epilogue: mode, Residual: 1,
	}
}
