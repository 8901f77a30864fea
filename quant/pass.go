package quant

import (
	"context"
	"fmt"

	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// pass carries calibration images through both networks side by side: through the float network, and through as
// much of the int8 network as there is.
type pass struct {
	ctx      context.Context
	program  *topology.Program
	uses     []topology.Uses
	budget   passBudget
	threads  int
	images   []*imageState
	observed int // layers so far
}

// imageState is one image on its way.
type imageState struct {
	maps []mapPair // of the program; empty where they are not made yet, or not needed any more
	next u16Map    // the float output of the layer under way
}

// mapPair is a map in both networks.
type mapPair struct {
	int8  int8Map
	float u16Map
}

// imageBytes is about what one image's maps take at most: three bytes for each value that is still needed, and for
// those of the layer under way twice.
func imageBytes(p *topology.Program) int64 {
	uses := p.Uses()
	most := 0
	for i, s := range p.Steps {
		if s.Out == topology.None {
			continue
		}
		n := p.Maps[s.Out].Values()
		for id, u := range uses {
			if u.Writer <= i && u.Last >= i {
				n += p.Maps[id].Values()
			}
		}
		most = max(most, n)
	}
	return 3 * int64(most)
}

// passBudget bounds what a pass takes.
type passBudget struct {
	// memory bounds the bytes that the images' maps take; images that do not fit only help to choose ranges.
	memory int64
	// samples is how many pixels of each layer are looked at, over all images.
	samples int
}

// images chooses as many of n as fit the memory, evenly, and alternating between those that Moments.Low knows and the
// others.
func (b passBudget) images(program *topology.Program, n int) []int {
	m := min(int64(n), max(1, b.memory/imageBytes(program)))
	chosen := make([]int, m)
	first := func(i int) int { return int(int64(i) * int64(n) / m) }
	for i := range chosen {
		chosen[i] = first(i)
		if (chosen[i]-i)%2 != 0 && chosen[i]+1 < first(i+1) {
			chosen[i]++
		}
	}
	return chosen
}

// newPass loads the images, as the networks see them less what borders them.
func newPass(ctx context.Context, program *topology.Program, preprocess resnext.Preprocess, source Images,
	budget passBudget, threads int) (*pass, error) {
	p := &pass{ctx: ctx, program: program, uses: program.Uses(), budget: budget, threads: threads}
	chosen := budget.images(program, source.N)
	image := program.Maps[topology.Image]
	p.images = make([]*imageState, len(chosen))
	pad, border, mean := preprocess.PadBytes(), make([]float32, 3), make([]float32, 3)
	for c := range 3 {
		border[c], mean[c] = float32(pad[c]), preprocess.Mean[c]/imageScale
	}
	return p, p.each(func() func(i int) error {
		x := make([]float32, image.Values())
		return func(i int) error {
			rgb, err := source.Load(chosen[i])
			if err == nil {
				err = checkImage(image.H, image.W, rgb)
			}
			if err != nil {
				return fmt.Errorf("image %d: %w", chosen[i], err)
			}
			int8Map{v: rgb, offset: mean}.widen(x, imageScale)
			p.images[i] = &imageState{maps: make([]mapPair, len(program.Maps))}
			p.images[i].maps[topology.Image] = mapPair{int8Map{v: rgb, offset: border}, newU16Map(x)}
			return nil
		}
	})
}

// each runs work on every image; newWork makes a worker's.
func (p *pass) each(newWork func() func(i int) error) error {
	newTask := func() parallel.Task[struct{}] {
		work := newWork()
		return func(i int) (struct{}, error) { return struct{}{}, work(i) }
	}
	return parallel.InOrder(p.ctx, len(p.images), p.threads, newTask, func(int, struct{}) {})
}

// layerContext is a convolution and what it reads in the pass.
type layerContext struct {
	topology.Step
	inputScale float64 // the real value of a step of what it reads
	addScale   float64 // the real value of a step of what is added to its sums
}

// adds reports whether something is added.
func (lc layerContext) adds() bool { return lc.Add != topology.None }

// runner runs a convolution of the pass in one network.
type runner struct {
	layerContext
	layer *float.Layer
	x     []float32
	y     []float32 // the sums, before the ReLU
}

// runner makes a runner. Only the weights and biases of c count.
func (lc layerContext) runner(c *float.Conv) *runner {
	s := lc.Conv
	s.ReLU = false
	return (&runner{layerContext: lc, layer: float.NewLayer(&float.Conv{Shape: s, Weight: c.Weight, Bias: c.Bias})}).clone()
}

// clone is for another goroutine.
func (r *runner) clone() *runner {
	s := r.Conv
	return &runner{
		layerContext: r.layerContext, layer: r.layer.Clone(),
		x: make([]float32, s.InH*s.InW*s.In), y: make([]float32, s.OutH*s.OutW*s.Out),
	}
}

// floatSums computes the sums in the float network.
func (r *runner) floatSums(state *imageState) []float32 {
	if r.adds() {
		state.maps[r.Add].float.widen(r.y)
	}
	state.maps[r.In].float.widen(r.x)
	r.layer.Run(r.x, r.y, r.adds())
	return r.y
}

// int8Sums computes the sums in the int8 network.
func (r *runner) int8Sums(state *imageState) []float32 {
	if r.adds() {
		state.maps[r.Add].int8.widen(r.y, float32(r.addScale))
	}
	state.maps[r.In].int8.widen(r.x, float32(r.inputScale))
	r.layer.Run(r.x, r.y, r.adds())
	return r.y
}

// advance computes the output of the quantised layer for every image, as the int8 network does up to the last bit of
// its float32, and moves on.
func (p *pass) advance(lc layerContext, c *float.Conv, scale float64) error {
	shared := lc.runner(c)
	return p.each(func() func(i int) error {
		r := shared.clone()
		return func(i int) error {
			state := p.images[i]
			state.maps[lc.Out] = mapPair{newInt8Map(r.int8Sums(state), float32(scale), lc.Conv.ReLU), state.next}
			state.next = u16Map{}
			return nil
		}
	})
}

// pool applies a max pooling.
func (p *pass) pool(s topology.Step) error {
	in, out := p.program.Maps[s.In], p.program.Maps[s.Out]
	return p.each(func() func(i int) error {
		x, y := make([]float32, in.Values()), make([]float32, out.Values())
		return func(i int) error {
			from, to := &p.images[i].maps[s.In], &p.images[i].maps[s.Out]
			from.float.widen(x)
			float.MaxPool(in, x, y)
			to.float = newU16Map(y)
			from.int8.widen(x, 1)
			float.MaxPool(in, x, y)
			to.int8 = newInt8Map(y, 1, true)
			return nil
		}
	})
}

// forget frees the maps that no step after the given one needs.
func (p *pass) forget(step int) {
	for id, u := range p.uses {
		if u.Last == step {
			for _, state := range p.images {
				state.maps[id] = mapPair{}
			}
		}
	}
}
