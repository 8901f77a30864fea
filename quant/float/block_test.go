package float

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// path is one member T_i of the set of transformations that a block aggregates: a bottleneck of its own,
// with a few channels (figure 3a of the paper).
type path struct{ reduce, transform, expand Conv }

// split takes path i out of the grouped form of a block, whose steps are given by their roles. The biases of expand
// belong to the sum, not to a path.
func split(n *Net, block map[topology.Role]topology.Step, i int) path {
	b := struct{ Reduce, Transform, Expand resnext.ConvShape }{
		block[topology.Reduce].Conv, block[topology.Transform].Conv, block[topology.Expand].Conv,
	}
	width := b.Transform.In / b.Transform.Groups
	own := func(s resnext.ConvShape, in, out int) Conv {
		s.In, s.Out, s.Groups = in, out, 1
		return Conv{Shape: s, Bias: make([]float32, out)}
	}
	reduce, transform, expand := n.Convs[b.Reduce.Name], n.Convs[b.Transform.Name], n.Convs[b.Expand.Name]
	p := path{own(b.Reduce, b.Reduce.In, width), own(b.Transform, width, width), own(b.Expand, width, b.Expand.Out)}
	p.reduce.Weight = reduce.Weight[i*width*b.Reduce.In:][:width*b.Reduce.In]
	p.transform.Weight = transform.Weight[i*width*9*width:][:width*9*width]
	copy(p.reduce.Bias, reduce.Bias[i*width:])
	copy(p.transform.Bias, transform.Bias[i*width:])
	for out := range b.Expand.Out {
		p.expand.Weight = append(p.expand.Weight, expand.Weight[out*b.Expand.In+i*width:][:width]...)
	}
	p.expand.Shape.ReLU = false
	return p
}

// y = shortcut(x) + sum_i T_i(x), path by path, must be what the runner's grouped block gives
// (section 3.3 of the paper: forms a and c of figure 3 are equal).
func TestSplitTransformMerge(t *testing.T) {
	cfg := resnext.Config{
		Stem: resnext.SimpleStem(3, 1, 20, resnext.NoPool), Classes: 3, Height: 7, Width: 6,
		Stages: resnext.Uniform(6, []resnext.Stage{{Blocks: 2, Inner: 30, Out: 20, Stride: 1}, {Blocks: 1, Inner: 36, Out: 25, Stride: 2}}),
	}
	n := Random(cfg, 5)
	maps := make(map[string][]float32)
	r := n.NewRunner()
	r.Observe = func(name string, _, _, _ int, data []float32) { maps[name] = append([]float32(nil), data...) }
	r.ForwardInput(randomFloats(rand.New(rand.NewPCG(5, 5)), cfg.Height*cfg.Width*3))

	x := maps[resnext.StemName]
	block := map[topology.Role]topology.Step{}
	for _, s := range topology.Lower(cfg).Steps {
		if block[s.Role] = s; s.Role != topology.Expand {
			continue
		}
		sum := x
		if shortcut, ok := block[topology.Shortcut]; ok && shortcut.Block == s.Block {
			sum = naiveConv(n.Convs[shortcut.Name], x, nil)
		}
		y := make([]float64, len(maps[s.Name]))
		for at := range y {
			y[at] = float64(sum[at]) + float64(n.Convs[s.Name].Bias[at%s.Conv.Out])
		}
		for i := range cfg.Stages[0].Cardinality {
			p := split(n, block, i)
			for at, v := range naiveConv(&p.expand, naiveConv(&p.transform, naiveConv(&p.reduce, x, nil), nil), nil) {
				y[at] += float64(v)
			}
		}
		for at, want := range y {
			require.InDelta(t, max(want, 0), maps[s.Name][at], 1e-5, "%s element %d", s.Block, at)
		}
		x = maps[s.Name]
	}
}
