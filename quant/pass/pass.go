// Package pass carries calibration images through the float network and the int8 network side by side, layer after
// layer, and measures at sampled pixels what rounding the next layer depends on.
package pass

import (
	"context"
	"fmt"

	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// ImageScale is the real value of one step of an image's bytes, before mean and standard deviation.
const ImageScale = 1.0 / 255

// Pass carries calibration images through both networks side by side: through the float network, and through as
// much of the int8 network as there is.
type Pass struct {
	ctx      context.Context
	program  *topology.Program
	uses     []topology.Uses
	budget   Budget
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

// New loads as many of the n images as fit the budget, as the networks see them less what borders them. load returns
// image i, bytes RGB of the program's size. An error names the image.
func New(ctx context.Context, program *topology.Program, preprocess resnext.Preprocess, n int,
	load func(i int) ([]byte, error), budget Budget, threads int) (*Pass, error) {
	p := &Pass{ctx: ctx, program: program, uses: program.Uses(), budget: budget, threads: threads}
	chosen := budget.images(program, n)
	image := program.Maps[topology.Image]
	p.images = make([]*imageState, len(chosen))
	pad, border, mean := preprocess.PadBytes(), make([]float32, 3), make([]float32, 3)
	for c := range 3 {
		border[c], mean[c] = float32(pad[c]), preprocess.Mean[c]/ImageScale
	}
	return p, p.each(func() func(i int) error {
		x := make([]float32, image.Values())
		return func(i int) error {
			rgb, err := load(chosen[i])
			if err != nil {
				return fmt.Errorf("image %d: %w", chosen[i], err)
			}
			int8Map{v: rgb, offset: mean}.widen(x, ImageScale)
			p.images[i] = &imageState{maps: make([]mapPair, len(program.Maps))}
			p.images[i].maps[topology.Image] = mapPair{int8Map{v: rgb, offset: border}, newU16Map(x)}
			return nil
		}
	})
}

// Images is how many images are carried along.
func (p *Pass) Images() int { return len(p.images) }

// Int8 returns the bytes of image i's map in the int8 network.
func (p *Pass) Int8(i int, id topology.MapID) []uint8 { return p.images[i].maps[id].int8.v }

// Float returns image i's map in the float network.
func (p *Pass) Float(i int, id topology.MapID) []float32 {
	m := p.images[i].maps[id].float
	x := make([]float32, len(m.v))
	m.widen(x)
	return x
}

// each runs work on every image; newWork makes a worker's.
func (p *Pass) each(newWork func() func(i int) error) error {
	newTask := func() parallel.Task[struct{}] {
		work := newWork()
		return func(i int) (struct{}, error) { return struct{}{}, work(i) }
	}
	return parallel.InOrder(p.ctx, len(p.images), p.threads, newTask, func(int, struct{}) {})
}

// Advance computes the output of the quantised layer for every image, as the int8 network does up to the last bit of
// its float32, and moves on.
func (p *Pass) Advance(lc LayerContext, c *float.Conv, scale float64) error {
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

// Pool applies a pooling.
func (p *Pass) Pool(s topology.Step) error {
	in, out := p.program.Maps[s.In], p.program.Maps[s.Out]
	return p.each(func() func(i int) error {
		x, y := make([]float32, in.Values()), make([]float32, out.Values())
		return func(i int) error {
			from, to := &p.images[i].maps[s.In], &p.images[i].maps[s.Out]
			from.float.widen(x)
			float.Pool(s, in, x, y)
			to.float = newU16Map(y)
			from.int8.widen(x, 1)
			float.Pool(s, in, x, y)
			to.int8 = newInt8Map(y, 1, true)
			return nil
		}
	})
}

// Forget frees the maps that no step after the given one needs.
func (p *Pass) Forget(step int) {
	for id, u := range p.uses {
		if u.Last == step {
			for _, state := range p.images {
				state.maps[id] = mapPair{}
			}
		}
	}
}
