package resnext

import (
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/resnext/topology"
)

// selfTestSum is the CRC-32C of the self-test's logits, as little-endian float32, on every CPU.
const selfTestSum = 0x23320087

// SelfTest runs every kernel set of this CPU: first its known-answer check, then some small built-in
// networks that meet every kind of layer, on one thread and on several. Their logits must be the ones that
// are recorded here, to the bit. report, if not nil, is called after each set, best set first, with what
// went wrong or nil. The errors of all sets are joined.
func SelfTest(report func(kernels string, err error)) error {
	var failed []error
	for _, kernels := range asm.Available() {
		err := selfTest(kernels)
		if report != nil {
			report(kernels, err)
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func selfTest(kernels string) error {
	threads := slices.Compact([]int{1, 2, max(2, runtime.GOMAXPROCS(0))})
	for _, n := range threads {
		sum, err := selfTestLogits(kernels, n)
		if err != nil {
			return err
		}
		if sum != selfTestSum {
			return fmt.Errorf("kernel set %s, %d threads: the logits have the CRC %08x, expected %08x; please report this CPU",
				kernels, n, sum, selfTestSum)
		}
	}
	return nil
}

// selfTestLogits returns the CRC of the logits of all networks.
func selfTestLogits(kernels string, threads int) (uint32, error) {
	crc := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	for i, cfg := range selfTestConfigs() {
		r := selfTestRNG(i)
		m, err := New(r.network(cfg), Options{Kernels: kernels})
		if err != nil {
			return 0, err
		}
		s, err := m.NewSession(SessionOptions{Threads: threads})
		if err != nil {
			return 0, err
		}
		defer s.Close()
		for range 2 {
			logits, err := s.Infer(r.image(cfg))
			if err != nil {
				return 0, err
			}
			crc.Write(bytesOf(logits))
		}
	}
	return crc.Sum32(), nil
}

// selfTestConfigs are networks of both stems, with projections and identities, groups of 3, 4, 8, 14, 16
// and 40 channels and none, odd maps, one map so large that its pooled sums do not fit 16 bits, and maps that are the
// same in all blocks, of one stage and of two.
func selfTestConfigs() []Config {
	two := func(cardinality, width int, stem Stem, h, w int) Config {
		return Config{Stem: stem, Classes: 11, Height: h, Width: w, Stages: Uniform(cardinality, []Stage{
			{Blocks: 2, Inner: cardinality * width, Out: 40, Stride: 1},
			{Blocks: 2, Inner: cardinality * width * 2, Out: 64, Stride: 2},
		})}
	}
	equal := func(width, h, w int, stages ...Stage) Config {
		for i := range stages {
			stages[i].Inner, stages[i].Out, stages[i].Stride = 2*width, 48, 1
		}
		return Config{Stem: SimpleStem(5, 2, 16, NoPool), Classes: 11, Height: h, Width: w, Stages: Uniform(2, stages)}
	}
	each := func(c Config, with Stage) Config {
		for i := range c.Stages {
			s := &c.Stages[i]
			s.Kind, s.Shortcut, s.AntiAlias, s.Gate = with.Kind, with.Shortcut, with.AntiAlias, with.Gate
		}
		return c
	}
	deep := Stem{Convs: []topology.StemConv{{Kernel: 3, Stride: 2, Width: 12}, {Kernel: 3, Stride: 1, Width: 24}}, Pool: Average2x2}
	small := SimpleStem(3, 1, 24, NoPool)
	large := SimpleStem(7, 2, 32, Max3x3)
	return []Config{
		two(8, 4, large, 31, 27), two(4, 8, small, 5, 7), two(2, 14, small, 4, 6), two(3, 3, small, 7, 5),
		two(2, 40, large, 13, 16), two(1, 20, large, 19, 19), two(2, 4, small, 24, 24),
		equal(8, 9, 8, Stage{Blocks: 2}), equal(12, 11, 6, Stage{Blocks: 1}, Stage{Blocks: 2}),
		each(two(1, 20, small, 9, 8), Stage{Kind: Basic, Gate: topology.Gate{Kind: topology.SqueezeExcite, After: topology.Second, Hidden: 9}}),
		each(two(4, 6, deep, 33, 30), Stage{Shortcut: topology.AveragedProjection, AntiAlias: Average2x2}),
		each(two(5, 3, small, 7, 6), Stage{Gate: topology.Gate{Kind: topology.SqueezeExcite, After: topology.Transform, Hidden: 4}}),
		each(two(2, 8, small, 13, 13), Stage{Gate: topology.Gate{Kind: topology.NeighbourGate, After: topology.Expand, Kernel: 3}}),
	}
}

// rng makes numbers that are the same on every machine: integers, and floats of one rounding each.
type rng struct{ *rand.PCG }

// selfTestRNG is that of one network.
func selfTestRNG(network int) rng { return rng{rand.NewPCG(uint64(network), 0x5e1f7e57)} }

// between returns an integer from low to high.
func (r rng) between(low, high int) int { return low + int(r.Uint64()%uint64(high-low+1)) }

// network makes a network whose activations neither die nor saturate. Weights grow smaller from layer to
// layer and then large again, so that all acc16 depths occur.
func (r rng) network(cfg Config) *Quantised {
	q := &Quantised{
		Config: cfg, Preprocess: CIFARPreprocess(),
		Convs: map[string]ConvParams{}, Residual: map[string]float32{}, Scale: map[string]float32{},
	}
	largest := []int{127, 40, 20, 10, 5}
	i := -1
	q.fill(func(s ConvShape) ConvParams {
		if s.Name == ClassifierName {
			return r.params(s.Out, s.In, 127)
		}
		i++
		return r.params(s.Out, s.Weights()/s.Out, largest[i%len(largest)])
	})
	return q
}

// fill gives all layers numbers, in the order of the program's, and scales and multipliers that keep the network alive.
// The sigmoid is a straight line, which has the same numbers on every machine.
func (q *Quantised) fill(params func(s ConvShape) ConvParams) {
	q.Gates = map[string]float32{}
	for _, s := range topology.Lower(q.Config).Steps {
		for _, l := range s.Layers() {
			if s.Op == topology.Classify {
				q.Classifier = params(l)
				continue
			}
			q.Convs[l.Name] = params(l)
		}
		switch s.Op {
		case topology.Conv:
			q.Scale[s.Name] = 1
		case topology.Gated:
			q.Scale[s.Name], q.Gates[s.Name] = 1, 1.0/40000
			last := q.Convs[s.Gate[len(s.Gate)-1].Name] // its multipliers are shared with q
			for i := range last.Multiplier {            // sums of 16 bits
				last.Multiplier[i] /= 16
			}
		}
		if s.Add != topology.None {
			q.Residual[s.Block] = 0.7
		}
	}
	if q.Config.Gated() {
		for i := range SigmoidSteps {
			q.Sigmoid = append(q.Sigmoid, uint16(i*8))
		}
	}
}

// params makes out filters of perChannel weights, each up to largest.
func (r rng) params(out, perChannel, largest int) ConvParams {
	p := ConvParams{Weight: make([]int8, out*perChannel), Bias: make([]int32, out), Multiplier: make([]float32, out)}
	for i := range p.Weight {
		p.Weight[i] = int8(r.between(-largest, largest))
	}
	for i := range out {
		p.Bias[i] = int32(r.between(-10, 30) * largest)
		p.Multiplier[i] = float32(r.between(512, 1536)) / float32(math.Sqrt(float64(perChannel))) / float32(largest) / 1024
	}
	return p
}

func (r rng) image(cfg Config) []byte {
	rgb := make([]byte, cfg.Height*cfg.Width*3)
	for i := range rgb {
		rgb[i] = byte(r.between(0, 255))
	}
	return rgb
}
