// Package pass carries calibration images through the float network and the int8 network side by side, layer after
// layer, and measures at sampled pixels what rounding the next layer depends on.
package pass

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// ImageScale is the real value of one step of an image's bytes, before mean and standard deviation.
const ImageScale = 1.0 / 255

// Pass carries calibration images through both networks side by side: through the float network, and through as
// much of the int8 network as there is. Early maps are large and have many pixels to look at, late ones are small and have
// few: so images join on the way, see Join.
type Pass struct {
	ctx      context.Context
	program  *topology.Program
	uses     []topology.Uses
	budget   Budget
	threads  int
	load     func(i int) (*imageState, error)
	chosen   []int // the images that are carried at last, in the order in which they join
	images   []*imageState
	past     []maker // of the steps so far
	observed int     // layers so far
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

// maker makes a step of both networks ready to run, and gives what makes it ready for one worker: a function that
// computes the step's output for an image.
type maker func() func(w *worker) func(state *imageState)

// New prepares to carry as many of the n images as fit the budget, as the networks see them less what borders them. load
// returns image i, bytes RGB of the program's size, and is called in Join; an error names the image.
func New(ctx context.Context, program *topology.Program, preprocess resnext.Preprocess, n int,
	load func(i int) ([]byte, error), budget Budget, threads int) *Pass {
	p := &Pass{ctx: ctx, program: program, uses: program.Uses(), budget: budget, threads: threads}
	most := budget.Images(program, len(program.Steps)-1, n)
	p.chosen = choose(most, n, budget.Images(program, 0, n) == most)
	pad, border, mean := preprocess.PadBytes(), make([]float32, 3), make([]float32, 3)
	for c := range 3 {
		border[c], mean[c] = float32(pad[c]), preprocess.Mean[c]/ImageScale
	}
	p.load = func(i int) (*imageState, error) {
		rgb, err := load(i)
		if err != nil {
			return nil, fmt.Errorf("image %d: %w", i, err)
		}
		x := make([]float32, len(rgb))
		int8Map{v: rgb, offset: mean}.widen(x, ImageScale)
		state := &imageState{maps: make([]mapPair, len(program.Maps))}
		state.maps[topology.Image] = mapPair{int8Map{v: rgb, offset: border}, newU16Map(x)}
		return state, nil
	}
	return p
}

// Join brings the images up to as many as the next step, which is that of the given number, has room and use for: those
// that are new go through all the steps before it, one image after the other on each thread.
func (p *Pass) Join(step int) error {
	from := len(p.images)
	n := p.budget.Images(p.program, step, len(p.chosen))
	if n <= from {
		return nil
	}
	p.images = append(p.images, make([]*imageState, n-from)...)
	var ready []func(w *worker) func(state *imageState)
	for _, m := range p.past {
		ready = append(ready, m())
	}
	return p.each(from, func(w *worker) func(i int) error {
		var run []func(state *imageState)
		for _, r := range ready {
			run = append(run, r(w))
		}
		return func(i int) (err error) {
			state, err := p.load(p.chosen[i])
			if err != nil {
				return err
			}
			for step, r := range run {
				r(state)
				p.forget(state, step)
			}
			p.images[i] = state
			return nil
		}
	})
}

// Images is how many images are carried along.
func (p *Pass) Images() int { return len(p.images) }

// Chosen is which image the i-th is that is carried along.
func (p *Pass) Chosen(i int) int { return p.chosen[i] }

// inOrder lists the images that are carried in the order in which they were given.
func (p *Pass) inOrder() []int {
	list := make([]int, len(p.images))
	for i := range list {
		list[i] = i
	}
	slices.SortFunc(list, func(a, b int) int { return cmp.Compare(p.chosen[a], p.chosen[b]) })
	return list
}

// Int8 returns the bytes of image i's map in the int8 network.
func (p *Pass) Int8(i int, id topology.MapID) []uint8 { return p.images[i].maps[id].int8.v }

// Float returns image i's map in the float network.
func (p *Pass) Float(i int, id topology.MapID) []float32 {
	m := p.images[i].maps[id].float
	x := make([]float32, len(m.v))
	m.widen(x)
	return x
}

// each runs work on every image from one on; newWork makes a worker's.
func (p *Pass) each(from int, newWork func(w *worker) func(i int) error) error {
	newTask := func() parallel.Task[struct{}] {
		work := newWork(&worker{})
		return func(i int) (struct{}, error) { return struct{}{}, work(from + i) }
	}
	return parallel.InOrder(p.ctx, len(p.images)-from, p.threads, newTask, func(int, struct{}) {})
}

// advance remembers the step for images that join later, and runs what is left of it for those that are here: done says
// that the float network's output lies in next already.
func (p *Pass) advance(both maker, rest maker) error {
	p.past = append(p.past, both)
	ready := rest()
	return p.each(0, func(w *worker) func(i int) error {
		run := ready(w)
		return func(i int) error {
			run(p.images[i])
			return nil
		}
	})
}

// Advance computes the output of the quantised layer for every image, as the int8 network does up to the last bit of
// its float32, and moves on. wanted is the layer of the float network, quantised gives that of the int8 network.
func (p *Pass) Advance(lc LayerContext, wanted *float.Conv, quantised func() *float.Conv, scale float64) error {
	rest := func() func(w *worker) func(state *imageState) {
		layer := lc.layer(quantised())
		return func(w *worker) func(state *imageState) {
			r := runner{lc, w, layer.Clone()}
			return func(state *imageState) {
				state.maps[lc.Out] = mapPair{newInt8Map(r.int8(state), float32(scale), lc.Conv.ReLU), state.next}
				state.next = u16Map{}
			}
		}
	}
	return p.advance(after(func() func(w *worker) func(state *imageState) {
		layer := lc.layer(wanted)
		return func(w *worker) func(state *imageState) {
			r := runner{lc, w, layer.Clone()}
			return func(state *imageState) { state.next = newU16Map(r.float(state)) }
		}
	}, rest), rest)
}

// after is two makers' work one after the other.
func after(first, second maker) maker {
	return func() func(w *worker) func(state *imageState) {
		a, b := first(), second()
		return func(w *worker) func(state *imageState) {
			a, b := a(w), b(w)
			return func(state *imageState) {
				a(state)
				b(state)
			}
		}
	}
}

// Pool applies a pooling.
func (p *Pass) Pool(s topology.Step) error {
	in, out := p.program.Maps[s.In], p.program.Maps[s.Out]
	pool := func() func(w *worker) func(state *imageState) {
		return func(w *worker) func(state *imageState) {
			return func(state *imageState) {
				x, y := w.read(in.Values()), w.write(out.Values())
				from, to := &state.maps[s.In], &state.maps[s.Out]
				from.float.widen(x)
				float.Pool(s, in, x, y)
				to.float = newU16Map(y)
				from.int8.widen(x, 1)
				float.Pool(s, in, x, y)
				to.int8 = newInt8Map(y, 1, true)
			}
		}
	}
	return p.advance(pool, pool)
}

// Forget frees the maps that no step after the given one needs.
func (p *Pass) Forget(step int) {
	for _, state := range p.images {
		p.forget(state, step)
	}
}

func (p *Pass) forget(state *imageState, step int) {
	for id, u := range p.uses {
		if u.Last == step {
			state.maps[id] = mapPair{}
		}
	}
}
