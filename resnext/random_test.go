//go:build unix

package resnext

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/resnext/topology"
)

// FuzzNetwork makes a network from a seed and wants the same bytes, layer by layer, of every kernel set, with every
// buffer between inaccessible pages. As a test it runs over the first seeds; -short leaves most of them out.
func FuzzNetwork(f *testing.F) {
	seeds := uint64(120)
	if testing.Short() {
		seeds = 25
	}
	for seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := extremes{rand.New(rand.NewPCG(seed, 0xd1ff))}
		q := r.network(r.config())
		sameEverywhere(t, q, r.image(q.Config), r.image(q.Config))
	})
}

// sameEverywhere runs images one after the other and compares each layer's output with the generic kernels', and the
// logits of two threads, also of all images at once.
func sameEverywhere(t *testing.T, q *Quantised, images ...[]byte) {
	t.Helper()
	want := outputs(t, q, "generic", true, images)
	for _, kernels := range asm.Available() {
		for _, atStart := range []bool{false, true} {
			got := outputs(t, q, kernels, atStart, images)
			require.Len(t, got, len(want))
			for i := range want {
				if !slices.Equal(want[i].bits, got[i].bits) {
					t.Fatalf("%s gives other numbers than generic, first in %s (fences at the start: %v) of %+v",
						kernels, want[i].name, atStart, q.Config)
				}
			}
		}
		m, err := New(q, Options{Kernels: kernels})
		require.NoError(t, err)
		s, err := m.NewSession(SessionOptions{Threads: 2})
		require.NoError(t, err)
		defer s.Close()
		perImage := len(want) / len(images)
		batch := make([]float32, len(images)*q.Config.Classes)
		require.NoError(t, s.InferBatch(images, batch))
		for i, image := range images {
			logits, err := s.Infer(image)
			require.NoError(t, err)
			require.Equal(t, want[(i+1)*perImage-1].bits, bitsOf(logits), "%s, 2 threads, %+v", kernels, q.Config)
			require.Equal(t, logits, batch[i*len(logits):(i+1)*len(logits)], "%s, a batch, %+v", kernels, q.Config)
		}
		features, err := s.Embed(images[0])
		require.NoError(t, err)
		require.Equal(t, want[perImage-2].bits, bitsOf(features), "%s, 2 threads, %+v", kernels, q.Config)
	}
}

// layerOutput is what an observer saw of a layer, as bits, so that -0 and NaN count.
type layerOutput struct {
	name string
	bits []uint32
}

func outputs(t *testing.T, q *Quantised, kernels string, atStart bool, images [][]byte) (all []layerOutput) {
	t.Helper()
	m, err := New(q, Options{Kernels: kernels})
	require.NoError(t, err)
	fence(t, m, atStart)
	s := fencedSession(t, m, atStart)
	defer s.Close()
	s.Observe = func(name string, _, _, _ int, values []float32) {
		if name == "logits" { // and what they are made of, as Embed gives it
			m.head.Features(s.features, m.scale, s.head)
			all = append(all, layerOutput{"features", bitsOf(s.features)})
		}
		all = append(all, layerOutput{name, bitsOf(values)})
	}
	for _, image := range images {
		_, err := s.Infer(image)
		require.NoError(t, err)
	}
	return all
}

func bitsOf(values []float32) []uint32 {
	bits := make([]uint32, len(values))
	for i, v := range values {
		bits[i] = math.Float32bits(v)
	}
	return bits
}

// extremes makes small networks of all shapes with the largest numbers that Validate lets pass.
type extremes struct{ *rand.Rand }

// mostMACs bounds an inference, for the emulated CPUs' sake.
const mostMACs = 1_500_000

func (r extremes) config() Config {
	for {
		c := Config{
			Stem:    r.stem(),
			Classes: r.pick(1, 2, 3, 10, 17, 101),
			Height:  r.pick(1, 2, 3, 5, 7, 8, 14, 19, 28, 33), Width: r.pick(1, 2, 3, 5, 8, 11, 16, 27, 40, 131, 600),
		}
		// Two stages in three are like the one before them, as in networks whose maps stay equal.
		stage := r.stage()
		for range r.between(1, 3) {
			if r.IntN(3) == 0 {
				stage = r.stage()
			}
			c.Stages = append(c.Stages, stage)
		}
		if c.Validate() == nil && c.MACs() < mostMACs {
			return c
		}
	}
}

func (r extremes) stem() Stem {
	s := Stem{Pool: []topology.Pool{NoPool, Max3x3, Average2x2, MaxBlur}[r.IntN(4)]}
	for range r.pick(1, 1, 1, 2, 3) {
		s.Convs = append(s.Convs, topology.StemConv{
			Kernel: r.pick(1, 3, 3, 5, 7, 9, 11, 13, 15), Stride: r.between(1, 4),
			Width: r.pick(1, 2, 3, 8, 13, 16, 17, 24, 31, 32, 48, 61, 64),
		})
	}
	return s
}

func (r extremes) stage() Stage {
	cardinality := r.pick(1, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32)
	s := Stage{
		Blocks: r.between(1, 3), Inner: cardinality * r.pick(1, 2, 3, 4, 5, 7, 8, 9, 11, 13, 16, 24, 40), Cardinality: cardinality,
		Out: r.pick(1, 2, 7, 13, 16, 24, 31, 32, 40, 47, 64, 96), Stride: r.pick(1, 1, 2, 2, 3, 4),
	}
	kinds := topology.Kinds()
	s.Kind = kinds[r.IntN(len(kinds))]
	branch := s.Kind.Branch()
	role := func() topology.Role { return branch[r.IntN(len(branch))].Role }
	if r.IntN(3) == 0 {
		s.StrideOn = role()
	}
	if s.Kind == Basic {
		s.Cardinality = 1
	}
	s.Shortcut = []topology.ShortcutKind{topology.Projection, topology.AveragedProjection, topology.Padded}[r.IntN(3)]
	if r.IntN(3) == 0 {
		s.AntiAlias = []topology.Pool{Average2x2, Blur3x3}[r.IntN(2)]
	}
	switch r.IntN(4) {
	case 0:
		s.Gate = se(role(), r.pick(1, 2, 3, 8, 15, 16, 17, 40))
	case 1:
		s.Gate = topology.Gate{Kind: topology.NeighbourGate, After: role(), Kernel: r.pick(1, 3, 5, 9, 63)}
	}
	return s
}

func (r extremes) pick(from ...int) int      { return from[r.IntN(len(from))] }
func (r extremes) between(low, high int) int { return low + r.IntN(high-low+1) }
func (r extremes) image(c Config) (rgb []byte) {
	rgb = make([]byte, c.Height*c.Width*3)
	kind := r.IntN(3)
	for i := range rgb {
		switch kind {
		case 0:
			rgb[i] = byte(r.Uint32())
		case 1:
			rgb[i] = byte(255 * r.IntN(2))
		default:
			rgb[i] = 255
		}
	}
	return rgb
}

func (r extremes) network(cfg Config) *Quantised {
	q := &Quantised{
		Config: cfg, Preprocess: CIFARPreprocess(),
		Convs: map[string]ConvParams{}, Residual: map[string]float32{}, Scale: map[string]float32{},
	}
	q.Preprocess.Mean = [3]float32{r.Float32(), r.Float32(), 1}
	q.fill(func(ConvShape) ConvParams { return ConvParams{} }) // scales and names; the numbers follow
	p := topology.Lower(cfg)
	for _, s := range p.Steps {
		in := p.Maps[s.In]
		// What a layer of 16 bits may meet, and what a block's shortcut may add, bound its biases and multipliers.
		inMax, residual := math.MaxUint8, 0.0
		switch {
		case s.Op == topology.Gated:
			q.Gates[s.Name] = []float32{0, 1.0 / 65535, 1.0 / 30000, 63, math.SmallestNonzeroFloat32}[r.IntN(5)]
			if s.Add != topology.None {
				q.Residual[s.Block] = []float32{0, 0.7, 1, 63, math.SmallestNonzeroFloat32}[r.IntN(5)]
			}
		case s.Add != topology.None:
			m := []float32{0, 0.7, 1, 255, 4e6, math.SmallestNonzeroFloat32}[r.IntN(6)]
			q.Residual[s.Block] = m
			residual = float64(m) * math.MaxUint8
		}
		if s.Op != topology.Conv {
			inMax = PooledMax(in.H * in.W)
		}
		for _, l := range s.Layers() {
			numbers := r.params(l.Out, l.Weights()/l.Out, inMax, residual)
			if s.Op == topology.Classify {
				q.Classifier = numbers
			} else {
				q.Convs[l.Name] = numbers
			}
			inMax = math.MaxInt16 // of a gate's second layer
		}
	}
	for i := range q.Sigmoid {
		q.Sigmoid[i] = []uint16{q.Sigmoid[i], q.Sigmoid[i], 0, 1, math.MaxUint16}[r.IntN(5)]
	}
	return q
}

// params makes filters of one kind, with biases and multipliers of which every few are the last legal ones.
func (r extremes) params(out, perChannel, inMax int, residual float64) ConvParams {
	p := ConvParams{Weight: make([]int8, out*perChannel), Bias: make([]int32, out), Multiplier: make([]float32, out)}
	largest := r.pick(127, 127, 64, 32, 16, 3)
	kind := r.IntN(4)
	for i := range p.Weight {
		w := r.between(-largest, largest)
		switch kind {
		case 0: // the extremes alone
			w = largest * (1 - 2*r.IntN(2))
		case 1: // one sign in each filter: the largest sums
			w = largest * (1 - 2*(i/perChannel%2))
		}
		p.Weight[i] = int8(w)
	}
	for oc := range out {
		positive, negative, _ := sums(p.Weight[oc*perChannel : (oc+1)*perChannel])
		p.Bias[oc] = int32(r.between(-5000, 20000))
		switch r.IntN(6) {
		case 0:
			p.Bias[oc] = int32(math.MaxInt32 - int64(inMax)*positive)
		case 1:
			p.Bias[oc] = int32(math.MinInt32 - int64(inMax)*negative)
		}
		highest := float64(int64(p.Bias[oc]) + int64(inMax)*positive)
		lowest := float64(int64(p.Bias[oc]) + int64(inMax)*negative)
		reach := max(highest, -lowest, 1)
		p.Multiplier[oc] = r.multiplier(reach, residual)
	}
	return p
}

// multiplier is mostly one that spreads sums up to reach over the 8 bits, and now and then zero, the smallest, or the
// largest that a sum may be multiplied by.
func (r extremes) multiplier(reach, residual float64) float32 {
	switch r.IntN(8) {
	case 0:
		return 0
	case 1:
		return float32(math.Copysign(0, -1))
	case 2:
		return math.SmallestNonzeroFloat32
	case 3:
		m := float32((productLimit - residual) / reach)
		for !(reach*float64(m)+residual < productLimit) {
			m = math.Nextafter32(m, 0)
		}
		return m
	}
	return float32(300 / reach * (0.5 + r.Float64()))
}
