package float

import (
	"fmt"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Names under which Runner.Observe sees what is not the output of a convolution.
const (
	InputName  = topology.InputName
	LogitsName = "logits"
)

// Runner runs a network, image after image, in memory of its own. Not for concurrent use; several
// runners of one Net share its packed weights and may run at the same time.
type Runner struct {
	// Observe, if not nil, is called with every activation map as it is made: the normalised image as
	// "input", each map under the name of the step that writes it, what lies between the two layers of a gate under the
	// name of the first, and "logits" as a map of one pixel: the features where the network has no classifier. Outputs are
	// seen after the ReLU where the step has one, and after the add. data is [h][w][c] and valid during the call only.
	Observe func(name string, h, w, c int, data []float32)
	// Sums, if not nil, is called with what each convolution gives before a shortcut is added and before a ReLU, as Observe
	// is; that of a layer in a gate and of the classifier excepted.
	Sums func(name string, c int, data []float32)

	sums    []float32 // of one layer, for Sums
	program *topology.Program
	layers  []*layer    // of the program's steps; nil for others than convolutions and the classifier
	gates   []*Gate     // likewise
	maps    [][]float32 // parts of one arena
	pooled  []float32
	logits  []float32
	work    workspace
}

// NewRunner makes a runner for the network as it is now. Weights that are changed later are seen only by
// runners made after the change. A Net that was not made by FromCheckpoint or Random, or from one of
// these, must hold every convolution of its Config in the right size; if not, NewRunner panics.
func (n *Net) NewRunner() *Runner {
	p := topology.Lower(n.Config)
	r := &Runner{program: p, layers: make([]*layer, len(p.Steps)), gates: make([]*Gate, len(p.Steps))}
	var made []*layer
	for i, s := range p.Steps {
		switch s.Op {
		case topology.Conv, topology.Classify:
			r.layers[i] = n.layer(s)
			made = append(made, r.layers[i])
		case topology.Gated:
			r.gates[i] = n.NewGate(p, s)
		}
	}
	offset, total := p.Arena(func(id topology.MapID) int64 { return int64(p.Maps[id].Values()) })
	arena := make([]float32, total)
	for id, at := range offset {
		end := at + int64(p.Maps[id].Values())
		r.maps = append(r.maps, arena[at:end:end])
	}
	head := p.Head()
	r.pooled = make([]float32, p.Maps[head.In].Channels)
	if r.logits = r.pooled; head.Op == topology.Classify {
		r.logits = make([]float32, head.Conv.Out)
	}
	r.work = newWorkspace(made)
	return r
}

func (n *Net) layer(s topology.Step) *layer {
	c := &n.Classifier
	if s.Op != topology.Classify {
		c = n.conv(s.Conv)
	}
	weights := *c
	weights.Shape = s.Conv
	l := newLayer(s.Conv, n.packing.get(&weights))
	return &l
}

// conv is the layer of a shape.
func (n *Net) conv(s resnext.ConvShape) *Conv {
	c := n.Convs[s.Name]
	if c == nil {
		panic(fmt.Sprintf("float: the network has no convolution %q", s.Name))
	}
	if len(c.Weight) != s.Weights() || len(c.Bias) != s.Out {
		panic(fmt.Sprintf("float: %s has %d weights and %d biases, its shape needs %d and %d",
			s.Name, len(c.Weight), len(c.Bias), s.Weights(), s.Out))
	}
	return c
}

// Forward runs one image: rgb is Height*Width*3 bytes, row by row, and is normalised as p says
// (p's resizing is not done here). The logits are valid until the next call. Forward panics if rgb has
// another length.
func (r *Runner) Forward(rgb []byte, p resnext.Preprocess) []float32 {
	input := r.input(len(rgb), "an image of %d bytes")
	var table [3][256]float32
	for c := range 3 {
		for v := range 256 {
			table[c][v] = (float32(v)/255 - p.Mean[c]) / p.Std[c]
		}
	}
	for i := 0; i < len(rgb); i += 3 {
		input[i] = table[0][rgb[i]]
		input[i+1] = table[1][rgb[i+1]]
		input[i+2] = table[2][rgb[i+2]]
	}
	return r.run()
}

// ForwardInput is Forward for an image that is normalised already: x is [Height][Width][3].
func (r *Runner) ForwardInput(x []float32) []float32 {
	copy(r.input(len(x), "an input of %d numbers"), x)
	return r.run()
}

// input is the memory of the image, which must have n numbers.
func (r *Runner) input(n int, what string) []float32 {
	if image := r.program.Maps[topology.Image]; n != image.Values() {
		panic(fmt.Sprintf("float: "+what+", the network takes %dx%d pixels of 3", n, image.W, image.H))
	}
	return r.maps[topology.Image]
}

func (r *Runner) run() []float32 {
	r.observe(topology.Image)
	for i, s := range r.program.Steps {
		x := r.maps[s.In]
		switch s.Op {
		case topology.Conv:
			y, adds := r.maps[s.Out], s.Add != topology.None
			if r.Sums != nil {
				r.showSums(s, r.layers[i], x, y)
				r.observe(s.Out)
				continue
			}
			if adds {
				copy(y, r.maps[s.Add]) // mostly onto itself
			}
			r.layers[i].run(&r.work, x, y, adds)
			r.observe(s.Out)
		case topology.MaxPool, topology.AveragePool, topology.Blur:
			Pool(s, r.program.Maps[s.In], x, r.maps[s.Out])
			r.observe(s.Out)
		case topology.Gated:
			y, adds := r.maps[s.Out], s.Add != topology.None
			if adds {
				copy(y, r.maps[s.Add])
			}
			if _, hidden := r.gates[i].Of(x); hidden != nil && r.Observe != nil {
				r.Observe(s.Gate[0].Name, 1, 1, len(hidden), hidden)
			}
			r.gates[i].Apply(x, y, adds)
			r.observe(s.Out)
		case topology.Classify, topology.Embed:
			in := r.program.Maps[s.In]
			averagePool(x, in.H*in.W, in.Channels, r.pooled)
			if s.Op == topology.Classify {
				r.layers[i].run(&r.work, r.pooled, r.logits, false)
			}
		}
	}
	if r.Observe != nil {
		r.Observe(LogitsName, 1, 1, len(r.logits), r.logits)
	}
	return r.logits
}

// showSums runs a convolution with what follows it apart.
func (r *Runner) showSums(s topology.Step, l *layer, x, y []float32) {
	alone := *l
	alone.shape.ReLU = false
	if len(r.sums) < len(y) {
		r.sums = make([]float32, len(y))
	}
	sums := r.sums[:len(y)]
	alone.run(&r.work, x, sums, false)
	r.Sums(s.Name, s.Conv.Out, sums)
	for i, v := range sums {
		if s.Add != topology.None {
			v += r.maps[s.Add][i]
		}
		if s.Conv.ReLU {
			v = max(v, 0)
		}
		y[i] = v
	}
}

func (r *Runner) observe(id topology.MapID) {
	if r.Observe != nil {
		m := r.program.Maps[id]
		r.Observe(m.Name, m.H, m.W, m.Channels, r.maps[id])
	}
}
