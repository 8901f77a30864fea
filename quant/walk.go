package quant

import (
	"context"
	"fmt"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// walk carries calibration images through both networks side by side: through the float network, and through as
// much of the int8 network as there is.
type walk struct {
	ctx     context.Context
	program *topology.Program
	uses    []topology.Uses
	toil    toil
	threads int
	tracks  []*track
	layers  int // observed so far
}

// track is one image on its way.
type track struct {
	maps []stage // of the program; empty where they are not made yet, or not needed any more
	next fine    // the float output of the layer under way
}

// stage is a map in both networks.
type stage struct {
	steps steps
	real  fine
}

// trackBytes is about what one image's maps take at most: three bytes for each value that is still needed, and for
// those of the layer under way twice.
func trackBytes(p *topology.Program) int64 {
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

// newWalk loads the images, as the networks see them less what borders them.
func newWalk(ctx context.Context, program *topology.Program, p resnext.Preprocess, source Images, t toil, threads int) (*walk, error) {
	w := &walk{ctx: ctx, program: program, uses: program.Uses(), toil: t, threads: threads}
	chosen := t.images(program, source.N)
	image := program.Maps[topology.Image]
	w.tracks = make([]*track, len(chosen))
	pad, border, mean := p.PadBytes(), make([]float32, 3), make([]float32, 3)
	for c := range 3 {
		border[c], mean[c] = float32(pad[c]), p.Mean[c]/imageScale
	}
	return w, w.each(func() func(i int) error {
		x := make([]float32, image.Values())
		return func(i int) error {
			rgb, err := source.Load(chosen[i])
			if err == nil {
				err = checkImage(image.H, image.W, rgb)
			}
			if err != nil {
				return fmt.Errorf("image %d: %w", chosen[i], err)
			}
			steps{v: rgb, offset: mean}.widen(x, imageScale)
			w.tracks[i] = &track{maps: make([]stage, len(program.Maps))}
			w.tracks[i].maps[topology.Image] = stage{steps{v: rgb, offset: border}, newFine(x)}
			return nil
		}
	})
}

// each runs work on every image; newWork makes a worker's.
func (w *walk) each(newWork func() func(i int) error) error {
	newTask := func() task[struct{}] {
		work := newWork()
		return func(i int) (struct{}, error) { return struct{}{}, work(i) }
	}
	return inOrder(w.ctx, len(w.tracks), w.threads, newTask, func(int, struct{}) {})
}

// place is a convolution where it stands in the walk.
type place struct {
	topology.Step
	input    float64 // the real value of a step of what it reads
	addScale float64 // the real value of a step of what is added to its sums
}

// adds reports whether something is added.
func (p place) adds() bool { return p.Add != topology.None }

// runner runs a convolution at the place in one network.
type runner struct {
	place
	layer *float.Layer
	x     []float32
	y     []float32 // the sums, before the ReLU
}

// runner makes a runner. Only the weights and biases of c count.
func (p place) runner(c *float.Conv) *runner {
	s := p.Conv
	s.ReLU = false
	return (&runner{place: p, layer: float.NewLayer(&float.Conv{Shape: s, Weight: c.Weight, Bias: c.Bias})}).clone()
}

// clone is for another goroutine.
func (r *runner) clone() *runner {
	s := r.Conv
	return &runner{
		place: r.place, layer: r.layer.Clone(),
		x: make([]float32, s.InH*s.InW*s.In), y: make([]float32, s.OutH*s.OutW*s.Out),
	}
}

// real computes the sums in the float network.
func (r *runner) real(t *track) []float32 {
	if r.adds() {
		t.maps[r.Add].real.widen(r.y)
	}
	t.maps[r.In].real.widen(r.x)
	r.layer.Run(r.x, r.y, r.adds())
	return r.y
}

// steps computes the sums in the int8 network.
func (r *runner) steps(t *track) []float32 {
	if r.adds() {
		t.maps[r.Add].steps.widen(r.y, float32(r.addScale))
	}
	t.maps[r.In].steps.widen(r.x, float32(r.input))
	r.layer.Run(r.x, r.y, r.adds())
	return r.y
}

// advance computes the output of the quantised layer for every image, as the int8 network does but for the last
// bit of its float32, and moves on.
func (w *walk) advance(p place, c *float.Conv, scale float64) error {
	shared := p.runner(c)
	return w.each(func() func(i int) error {
		r := shared.clone()
		return func(i int) error {
			t := w.tracks[i]
			t.maps[p.Out] = stage{newSteps(r.steps(t), float32(scale), p.Conv.ReLU), t.next}
			t.next = fine{}
			return nil
		}
	})
}

// pool applies a max pooling.
func (w *walk) pool(s topology.Step) error {
	in, out := w.program.Maps[s.In], w.program.Maps[s.Out]
	return w.each(func() func(i int) error {
		x, y := make([]float32, in.Values()), make([]float32, out.Values())
		return func(i int) error {
			from, to := &w.tracks[i].maps[s.In], &w.tracks[i].maps[s.Out]
			from.real.widen(x)
			float.MaxPool(in, x, y)
			to.real = newFine(y)
			from.steps.widen(x, 1)
			float.MaxPool(in, x, y)
			to.steps = newSteps(y, 1, true)
			return nil
		}
	})
}

// forget frees the maps that no step behind the given one needs.
func (w *walk) forget(step int) {
	for id, u := range w.uses {
		if u.Last == step {
			for _, t := range w.tracks {
				t.maps[id] = stage{}
			}
		}
	}
}
