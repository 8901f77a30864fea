package floatnet

import (
	"fmt"

	"github.com/libresnext/libresnext/resnext"
)

// Names under which Runner.Observe sees what is not the output of a convolution.
const (
	InputName  = "input"
	LogitsName = "logits"
)

// Runner runs a network, image after image, in memory of its own. Not for concurrent use; several
// runners of one Net share its packed weights and may run at the same time.
type Runner struct {
	// Observe, if not nil, is called with every activation map as it is made: the normalised image as
	// "input", the output of each convolution of Config.Convs under its Shape.Name, and "logits" as a
	// map of one pixel. Outputs are seen after the ReLU where the layer has one: Expand's after the add
	// and the ReLU, the shortcut's before the add, the stem's before the max pooling, whose own output
	// is resnext.PoolName. data is
	// [h][w][c] and valid during the call only.
	Observe func(name string, h, w, c int, data []float32)

	cfg        resnext.Config
	stem       layer
	blocks     []blockLayers
	classifier layer

	input  []float32
	maps   [2][]float32 // a block's input and, where it has a projection, its output
	reduce []float32
	inner  []float32 // transform's output
	pooled []float32
	logits []float32
	work   workspace
}

type blockLayers struct {
	reduce, transform, expand layer
	shortcut                  *layer
}

// NewRunner makes a runner for the network as it is now. Weights that are changed later are seen only by
// runners made after the change. A Net that was not made by FromCheckpoint or Random, or from one of
// these, must hold every convolution of its Config in the right size; if not, NewRunner panics.
func (n *Net) NewRunner() *Runner {
	r := &Runner{cfg: n.Config}
	r.stem = n.layer(n.Config.StemShape())
	var body, reduce, inner int
	mapSize := func(s resnext.ConvShape) int { return s.OutH * s.OutW * s.Out }
	h, w := n.Config.BodySize()
	body = max(mapSize(r.stem.shape), h*w*n.Config.Stem.Width)
	for _, b := range n.Config.Blocks() {
		made := blockLayers{reduce: n.layer(b.Reduce), transform: n.layer(b.Transform), expand: n.layer(b.Expand)}
		if b.Shortcut != nil {
			s := n.layer(*b.Shortcut)
			made.shortcut = &s
		}
		r.blocks = append(r.blocks, made)
		body, reduce, inner = max(body, mapSize(b.Expand)), max(reduce, mapSize(b.Reduce)), max(inner, mapSize(b.Transform))
	}
	r.classifier = n.layer(classifierShape(n.Config))

	r.input = make([]float32, n.Config.Height*n.Config.Width*3)
	r.maps = [2][]float32{make([]float32, body), make([]float32, body)}
	r.reduce, r.inner = make([]float32, reduce), make([]float32, inner)
	r.pooled, r.logits = make([]float32, n.Config.Features()), make([]float32, n.Config.Classes)
	r.work = newWorkspace(r.layers())
	return r
}

func (n *Net) layer(s resnext.ConvShape) layer {
	c := &n.Classifier
	if s.Name != resnext.ClassifierName {
		c = n.Convs[s.Name]
	}
	if c == nil {
		panic(fmt.Sprintf("floatnet: the network has no convolution %q", s.Name))
	}
	weights := *c
	weights.Shape = s
	return newLayer(s, n.packing.get(&weights))
}

func (r *Runner) layers() []*layer {
	all := []*layer{&r.stem, &r.classifier}
	for i := range r.blocks {
		b := &r.blocks[i]
		all = append(all, &b.reduce, &b.transform, &b.expand)
		if b.shortcut != nil {
			all = append(all, b.shortcut)
		}
	}
	return all
}

// Forward runs one image: rgb is Height*Width*3 bytes, row by row, and is normalised as p says
// (p's resizing is not done here). The logits are valid until the next call. Forward panics if rgb has
// another length.
func (r *Runner) Forward(rgb []byte, p resnext.Preprocess) []float32 {
	if len(rgb) != len(r.input) {
		panic(fmt.Sprintf("floatnet: an image of %d bytes, the network takes %dx%d pixels of 3", len(rgb), r.cfg.Width, r.cfg.Height))
	}
	var table [3][256]float32
	for c := range 3 {
		for v := range 256 {
			table[c][v] = (float32(v)/255 - p.Mean[c]) / p.Std[c]
		}
	}
	for i := 0; i < len(rgb); i += 3 {
		r.input[i] = table[0][rgb[i]]
		r.input[i+1] = table[1][rgb[i+1]]
		r.input[i+2] = table[2][rgb[i+2]]
	}
	return r.run(r.input)
}

// ForwardInput is Forward for an image that is normalised already: x is [Height][Width][3].
func (r *Runner) ForwardInput(x []float32) []float32 {
	if len(x) != len(r.input) {
		panic(fmt.Sprintf("floatnet: an input of %d numbers, the network takes %dx%d pixels of 3", len(x), r.cfg.Width, r.cfg.Height))
	}
	return r.run(x)
}

func (r *Runner) run(input []float32) []float32 {
	r.observe(InputName, r.cfg.Height, r.cfg.Width, 3, input)
	x, y := r.maps[0], r.maps[1]
	r.conv(&r.stem, input, x, false)
	if r.cfg.Stem.MaxPool {
		s := r.stem.shape
		maxPool(x, s.OutH, s.OutW, s.Out, y)
		x, y = y, x
		h, w := r.cfg.BodySize()
		r.observe(resnext.PoolName, h, w, s.Out, x)
	}
	for i := range r.blocks {
		b := &r.blocks[i]
		if b.shortcut != nil {
			r.conv(b.shortcut, x, y, false)
		}
		r.conv(&b.reduce, x, r.reduce, false)
		r.conv(&b.transform, r.reduce, r.inner, false)
		if b.shortcut != nil {
			x, y = y, x
		}
		r.conv(&b.expand, r.inner, x, true) // onto the shortcut, in place
	}
	last := r.blocks[len(r.blocks)-1].expand.shape
	averagePool(x, last.OutH*last.OutW, last.Out, r.pooled)
	r.classifier.run(&r.work, r.pooled, r.logits, false)
	r.observe(LogitsName, 1, 1, r.cfg.Classes, r.logits)
	return r.logits
}

// conv runs a layer and shows its output.
func (r *Runner) conv(l *layer, x, y []float32, add bool) {
	l.run(&r.work, x, y, add)
	r.observe(l.shape.Name, l.shape.OutH, l.shape.OutW, l.shape.Out, y)
}

func (r *Runner) observe(name string, h, w, c int, data []float32) {
	if r.Observe != nil {
		n := h * w * c
		r.Observe(name, h, w, c, data[:n:n])
	}
}
