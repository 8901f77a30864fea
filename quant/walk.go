package quant

import (
	"context"
	"fmt"

	"github.com/libresnext/libresnext/internal/floatnet"
	"github.com/libresnext/libresnext/resnext"
)

// walk carries calibration images through both networks side by side: through the float network, and through as
// much of the int8 network as there is.
type walk struct {
	ctx     context.Context
	cfg     resnext.Config
	toil    toil
	threads int
	tracks  []*track
	layers  int // observed so far
}

// track is one image on its way.
type track struct {
	input    stage // of the block under way
	inner    stage // what the block's layers have made of it so far
	shortcut stage // the projection's output
	next     fine  // the float output of the layer under way
}

// stage is a map in both networks.
type stage struct {
	steps steps
	real  fine
}

// trackBytes is about what one image's maps take at most: three bytes for each value.
func trackBytes(cfg resnext.Config) int64 {
	size := func(s resnext.ConvShape) int64 { return int64(s.OutH) * int64(s.OutW) * int64(s.Out) }
	most := size(cfg.StemShape()) * 2
	for _, b := range cfg.Blocks() {
		input := int64(b.Reduce.InH) * int64(b.Reduce.InW) * int64(b.Reduce.In)
		n := input + 2*max(size(b.Reduce), size(b.Transform)) + size(b.Expand)
		if b.Shortcut != nil {
			n += size(*b.Shortcut)
		}
		most = max(most, n)
	}
	return 3 * most
}

// slot picks a map of a track.
type slot func(t *track) *stage

func inputSlot(t *track) *stage    { return &t.input }
func innerSlot(t *track) *stage    { return &t.inner }
func shortcutSlot(t *track) *stage { return &t.shortcut }

// newWalk loads the images, as the networks see them less what borders them.
func newWalk(ctx context.Context, cfg resnext.Config, p resnext.Preprocess, source Images, t toil, threads int) (*walk, error) {
	w := &walk{ctx: ctx, cfg: cfg, toil: t, threads: threads}
	chosen := t.images(cfg, source.N)
	w.tracks = make([]*track, len(chosen))
	pad, border, mean := p.PadBytes(), make([]float32, 3), make([]float32, 3)
	for c := range 3 {
		border[c], mean[c] = float32(pad[c]), p.Mean[c]/imageScale
	}
	return w, w.each(func() func(i int) error {
		x := make([]float32, cfg.Height*cfg.Width*3)
		return func(i int) error {
			rgb, err := source.Load(chosen[i])
			if err == nil {
				err = checkImage(cfg, rgb)
			}
			if err != nil {
				return fmt.Errorf("image %d: %w", chosen[i], err)
			}
			steps{v: rgb, offset: mean}.widen(x, imageScale)
			w.tracks[i] = &track{input: stage{steps{v: rgb, offset: border}, newFine(x)}}
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

// place is a layer where it stands in the walk.
type place struct {
	shape    resnext.ConvShape
	from, to slot
	input    float64 // the real value of a step of what it reads
	add      slot    // what is added to its sums; nil is nothing
	addScale float64 // the real value of a step of that
}

// runner runs a convolution at the place in one network.
type runner struct {
	place
	layer *floatnet.Layer
	x     []float32
	y     []float32 // the sums, before the ReLU
}

// runner makes a runner. Only the weights and biases of c count.
func (p place) runner(c *floatnet.Conv) *runner {
	s := p.shape
	s.ReLU = false
	return (&runner{place: p, layer: floatnet.NewLayer(&floatnet.Conv{Shape: s, Weight: c.Weight, Bias: c.Bias})}).clone()
}

// clone is for another goroutine.
func (r *runner) clone() *runner {
	s := r.shape
	return &runner{
		place: r.place, layer: r.layer.Clone(),
		x: make([]float32, s.InH*s.InW*s.In), y: make([]float32, s.OutH*s.OutW*s.Out),
	}
}

// real computes the sums in the float network.
func (r *runner) real(t *track) []float32 {
	if r.add != nil {
		r.add(t).real.widen(r.y)
	}
	r.from(t).real.widen(r.x)
	r.layer.Run(r.x, r.y, r.add != nil)
	return r.y
}

// steps computes the sums in the int8 network.
func (r *runner) steps(t *track) []float32 {
	if r.add != nil {
		r.add(t).steps.widen(r.y, float32(r.addScale))
	}
	r.from(t).steps.widen(r.x, float32(r.input))
	r.layer.Run(r.x, r.y, r.add != nil)
	return r.y
}

// advance computes the output of the quantised layer for every image, as the int8 network does but for the last
// bit of its float32, and moves on.
func (w *walk) advance(p place, c *floatnet.Conv, scale float64) error {
	shared := p.runner(c)
	return w.each(func() func(i int) error {
		r := shared.clone()
		return func(i int) error {
			t := w.tracks[i]
			to := p.to(t)
			to.steps = newSteps(r.steps(t), float32(scale), p.shape.ReLU)
			to.real, t.next = t.next, fine{}
			return nil
		}
	})
}

// pool applies the stem's max pooling.
func (w *walk) pool() error {
	s := w.cfg.StemShape()
	height, width := w.cfg.BodySize()
	return w.each(func() func(i int) error {
		x, y := make([]float32, s.OutH*s.OutW*s.Out), make([]float32, height*width*s.Out)
		return func(i int) error {
			in := &w.tracks[i].input
			in.real.widen(x)
			floatnet.StemPool(w.cfg, x, y)
			in.real = newFine(y)
			in.steps.widen(x, 1)
			floatnet.StemPool(w.cfg, x, y)
			in.steps = newSteps(y, 1, true)
			return nil
		}
	})
}
