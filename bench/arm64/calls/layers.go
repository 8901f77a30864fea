package main

import (
	"fmt"

	"github.com/libresnext/libresnext/asm"
	i8 "github.com/libresnext/libresnext/int8"
	"github.com/libresnext/libresnext/resnext"
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
	in := s.stem(cfg)
	for _, b := range cfg.Blocks() {
		in = s.block(b, in)
	}
	s.head(cfg, in)
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
func (s *surveyor) runConv(c *i8.Conv, p *i8.Place, b i8.Buffers) int {
	tasks := c.Tasks(p, 1)
	for t := range tasks {
		c.Run(p, b, t, tasks, &s.scratch)
	}
	return c.Bytes()
}

func (s *surveyor) stem(cfg resnext.Config) i8.Map {
	shape := cfg.StemShape()
	image := i8.Image{H: shape.InH, W: shape.InW, Border: shape.Kernel / 2}
	border := 0
	if cfg.Stem.MaxPool {
		border = 1
	}
	out := outMap(shape, border)
	s.layer(shape.Name, "stem", shape, shape.MACs(), image.Bytes()+out.Bytes(), func() int {
		c := i8.NewConv(s.kernels, s.spec(shape, asm.ReLU))
		return s.runConv(c, c.PlaceStem(image, out), i8.Buffers{In: make([]byte, image.Bytes()), Out: make([]byte, out.Bytes())})
	})
	if !cfg.Stem.MaxPool {
		return out
	}
	h, w := cfg.BodySize()
	pooled := i8.Map{H: h, W: w, Layout: out.Layout}
	s.layer(resnext.PoolName, "max pooling", out, 0, out.Bytes()+pooled.Bytes(), func() int {
		p := i8.NewMaxPool(s.kernels, out, pooled)
		from, to := make([]byte, out.Bytes()), make([]byte, pooled.Bytes())
		for t := range p.Tasks() {
			p.Run(from, to, t, p.Tasks(), &s.scratch)
		}
		return 0
	})
	return pooled
}

func (s *surveyor) block(b resnext.BlockShape, in i8.Map) i8.Map {
	reduced, transformed, out := outMap(b.Reduce, 1), outMap(b.Transform, 0), outMap(b.Expand, 0)
	mode := asm.AddUnsigned
	if b.Shortcut != nil {
		mode = asm.AddSigned
		s.conv(*b.Shortcut, "1x1, shortcut", asm.Signed, in, out)
	}
	s.conv(b.Reduce, "1x1", asm.ReLU, in, reduced)
	kind := "3x3"
	if b.Transform.Groups > 1 {
		kind = fmt.Sprintf("3x3, groups of %d", b.Transform.In/b.Transform.Groups)
	}
	s.conv(b.Transform, kind, asm.ReLU, reduced, transformed)
	s.conv(b.Expand, "1x1 and add", mode, transformed, out)
	return out
}

func (s *surveyor) conv(shape resnext.ConvShape, kind string, mode asm.Mode, in, out i8.Map) {
	name := shape.Name
	shape.Name = ""
	activations := in.Bytes() + out.Bytes()
	adds := mode == asm.AddSigned || mode == asm.AddUnsigned
	if adds {
		activations += out.Bytes()
	}
	s.layer(name, kind, fmt.Sprintf("%+v %d", shape, mode), shape.MACs(), activations, func() int {
		c := i8.NewConv(s.kernels, s.spec(shape, mode))
		b := i8.Buffers{In: make([]byte, in.Bytes()), Out: make([]byte, out.Bytes())}
		if adds {
			b.Residual = b.Out
		}
		return s.runConv(c, c.Place(in, out), b)
	})
}

func (s *surveyor) head(cfg resnext.Config, in i8.Map) {
	p := params(cfg.Classes, cfg.Features(), s.weight)
	h := i8.NewHead(s.kernels, in, 1, p.Weight, p.Bias, p.Multiplier)
	state, logits := h.NewState(), make([]float32, cfg.Classes)
	s.layer(resnext.AverageName, "average", in, 0, in.Bytes(), func() int {
		h.Pool(make([]byte, in.Bytes()), state, &s.scratch)
		return 0
	})
	macs := int64(cfg.Features()) * int64(cfg.Classes)
	s.layer(resnext.ClassifierName, "classifier", in, macs, 4*cfg.Classes, func() int {
		h.Logits(logits, state, 0, 1, &s.scratch)
		return h.Bytes()
	})
}

// outMap and spec place a shape in memory as the library does.
func outMap(s resnext.ConvShape, border int) i8.Map {
	return i8.Map{H: s.OutH, W: s.OutW, Border: border, Layout: i8.Grouped(s.Out, s.OutGroups)}
}

func (v *surveyor) spec(s resnext.ConvShape, mode asm.Mode) i8.ConvSpec {
	p := params(s.Out, s.Weights()/s.Out, v.weight)
	return i8.ConvSpec{
		In: i8.Grouped(s.In, s.InGroups), Out: i8.Grouped(s.Out, s.OutGroups), Stem: s.Name == resnext.StemName,
		Kernel: s.Kernel, Stride: s.Stride, Groups: s.Groups,
		Weight: p.Weight, Bias: p.Bias, Multiplier: p.Multiplier, Mode: mode, Residual: 1,
	}
}
