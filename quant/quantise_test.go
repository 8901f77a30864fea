package quant

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Small networks with all that the family has: both stems, projections and identities, strides, groups of
// widths that are no multiple of 4, more than 128 pixels before the classifier.
var small = map[string]resnext.Config{
	"cifar 4 groups of 14": {
		Stem: resnext.SimpleStem(3, 1, 16, resnext.NoPool), Classes: 10, Height: 8, Width: 8,
		Stages: resnext.Uniform(4, []resnext.Stage{{Blocks: 2, Inner: 56, Out: 32, Stride: 1}, {Blocks: 2, Inner: 56, Out: 48, Stride: 2}}),
	},
	"imagenet 1 group": {
		Stem: resnext.SimpleStem(7, 2, 12, resnext.Max3x3), Classes: 7, Height: 16, Width: 13,
		Stages: resnext.Uniform(1, []resnext.Stage{{Blocks: 1, Inner: 10, Out: 20, Stride: 1}, {Blocks: 2, Inner: 12, Out: 20, Stride: 2}}),
	},
	"wide last map": {
		Stem: resnext.SimpleStem(3, 1, 8, resnext.NoPool), Classes: 4, Height: 12, Width: 12,
		Stages: resnext.Uniform(2, []resnext.Stage{{Blocks: 2, Inner: 8, Out: 8, Stride: 1}}),
	},
	"basic blocks": {
		Stem: resnext.SimpleStem(3, 1, 12, resnext.NoPool), Classes: 6, Height: 10, Width: 11,
		Stages: resnext.Uniform(1, []resnext.Stage{
			{Kind: resnext.Basic, Blocks: 1, Inner: 12, Out: 12, Stride: 1, Shortcut: topology.Padded},
			{Kind: resnext.Basic, Blocks: 2, Inner: 24, Out: 24, Stride: 2, Shortcut: topology.Padded},
		}),
	},
	"blurred": {
		Stem: resnext.SimpleStem(3, 1, 12, resnext.MaxBlur), Classes: 5, Height: 19, Width: 22,
		Stages: resnext.Uniform(2, []resnext.Stage{
			{Blocks: 1, Inner: 12, Out: 20, Stride: 1},
			{Blocks: 2, Inner: 16, Out: 24, Stride: 2, AntiAlias: resnext.Blur3x3},
		}),
	},
	"stride on the first": {
		Stem: resnext.SimpleStem(7, 2, 12, resnext.Average2x2), Classes: 7, Height: 27, Width: 30,
		Stages: []resnext.Stage{
			{Blocks: 1, Inner: 10, Out: 20, Cardinality: 5, Stride: 1},
			{Blocks: 2, Inner: 12, Out: 20, Cardinality: 2, Stride: 2, StrideOn: topology.Reduce},
			{Blocks: 1, Inner: 16, Out: 28, Cardinality: 2, Stride: 2, AntiAlias: resnext.Average2x2},
		},
	},
}

func init() {
	for name, cfg := range testnet.Gated() {
		small[name] = cfg
	}
}

func testPreprocess() resnext.Preprocess { return resnext.ImageNetPreprocess() }

// picture is a smooth random image with some noise.
func picture(cfg resnext.Config, seed int) []byte {
	r := rand.New(rand.NewPCG(uint64(seed), 77))
	rgb := make([]byte, cfg.Height*cfg.Width*3)
	fx, fy, phase := r.Float64(), r.Float64(), 6*r.Float64()
	for i := range rgb {
		x, y, c := float64(i/3%cfg.Width), float64(i/3/cfg.Width), float64(i%3)
		v := 128 + 80*math.Sin(fx*x+fy*y+phase*(1+c)) + 25*r.NormFloat64()
		rgb[i] = byte(min(max(v, 0), 255))
	}
	return rgb
}

func pictures(cfg resnext.Config) func(i int) ([]byte, error) {
	return func(i int) ([]byte, error) { return picture(cfg, i), nil }
}

func collect(t testing.TB, net *float.Net, n int) *Statistics {
	stats, err := Collect(context.Background(), net, n, pictures(net.Config), testPreprocess(), 2, nil)
	require.NoError(t, err)
	return stats
}

// source returns the images that collect takes.
func source(cfg resnext.Config, n int) Images { return Images{n, pictures(cfg)} }

func quantised(t testing.TB, net *float.Net, o Options) *resnext.Quantised {
	q, _, err := Quantise(context.Background(), net, source(net.Config, 16), collect(t, net, 16), testPreprocess(), o)
	require.NoError(t, err)
	return q
}

// logitsSQNR compares the naive int8 network with the float one on images that were not calibrated on.
func logitsSQNR(net *float.Net, q *resnext.Quantised) Decibel {
	runner, slow := net.NewRunner(), naive{q: q}
	var sum observe.Power
	for i := range 8 {
		rgb := picture(net.Config, 1000+i)
		sum.Add(runner.Forward(rgb, testPreprocess()), slow.run(rgb))
	}
	return sum.SQNR()
}

func TestQuantisedNetworkIsClose(t *testing.T) {
	for name, cfg := range small {
		for _, o := range Observers() {
			for _, effort := range Efforts() {
				if o != MSE && effort == Max {
					continue
				}
				t.Run(fmt.Sprint(name, "/", o, "/", effort), func(t *testing.T) {
					net := float.Random(cfg, 1)
					got := logitsSQNR(net, quantised(t, net, Options{Observer: o, Effort: effort}))
					t.Log(got)
					least := 23.0
					switch {
					case o == Average: // clips all that is above the first of so few images
						least = 15
					case o == Entropy && cfg.Gated(): // clips what gates make of so few images, which is peaked
						least = 9
					}
					require.Greater(t, float64(got), least)
				})
			}
		}
	}
}

// TestModelEqualsContract: what the library computes from the numbers is what the contract says, to the bit.
func TestModelEqualsContract(t *testing.T) {
	for name, cfg := range small {
		t.Run(name, func(t *testing.T) {
			q := quantised(t, float.Random(cfg, 2), Options{})
			slow := naive{q: q}
			for _, kernels := range []string{"generic", ""} {
				model, err := resnext.New(q, resnext.Options{Kernels: kernels})
				require.NoError(t, err)
				session, err := model.NewSession(resnext.SessionOptions{Threads: 2})
				require.NoError(t, err)
				t.Cleanup(session.Close)
				session.Observe = func(name string, h, w, c int, values []float32) {
					if name == float.LogitsName {
						return
					}
					want := make([]float32, len(values))
					for i, v := range slow.maps[name] {
						want[i] = float32(v) * q.Scale[name]
					}
					require.Equal(t, want, values, name)
				}
				for i := range 3 {
					rgb := picture(cfg, 500+i)
					want := slow.run(rgb)
					got, err := session.Infer(rgb)
					require.NoError(t, err)
					require.Equal(t, want, got)
				}
			}
		})
	}
}

func TestQuantiseIsDeterministic(t *testing.T) {
	cfg := small["cifar 4 groups of 14"]
	net := float.Random(cfg, 3)
	stats := collect(t, net, 5)
	before := net.Clone()
	unchanged := collect(t, net, 5)
	for _, o := range []Options{{Effort: Fast}, {Depth: 4}, {Depth: DepthAuto}, {Without: []Technique{Equalisation}}} {
		var first *resnext.Quantised
		var told *Diagnostics
		for _, threads := range []int{1, 3, 0} {
			o.Threads = threads
			q, d, err := Quantise(context.Background(), net, source(cfg, 5), stats, testPreprocess(), o)
			require.NoError(t, err)
			d.Float = nil
			if first == nil {
				first, told = q, d
			}
			require.Equal(t, first, q)
			require.Equal(t, told, d)
		}
	}
	require.Equal(t, unchanged, stats, "the statistics are not changed")
	require.Equal(t, before.Convs, net.Convs, "the float network is not changed")
	require.Equal(t, before.Classifier, net.Classifier)
	for _, c := range []struct {
		o    Options
		want map[string]string
	}{
		{Options{Effort: Fast}, map[string]string{"chains": "0", "observer": "mse", "images": "5", "effort": "fast"}},
		{Options{Observer: Percentile, Percentile: 99.5, Depth: DepthAuto, Without: []Technique{Rounding, Correction}},
			map[string]string{"chains": "auto", "observer": "percentile", "percentile": "99.5", "images": "5", "effort": "default", "without": "rounding,correction"}},
	} {
		q, _, err := Quantise(context.Background(), net, source(cfg, 5), stats, testPreprocess(), c.o)
		require.NoError(t, err)
		require.Equal(t, c.want, q.Calibration)
	}
}

func TestScalesFollowTheRanges(t *testing.T) {
	cfg := small["imagenet 1 group"]
	net := float.Random(cfg, 4)
	stats := collect(t, net, 4)
	q, _, err := Quantise(context.Background(), net, Images{}, stats, testPreprocess(), Options{Observer: MinMax, Effort: Fast})
	require.NoError(t, err)
	names := make(map[string]bool)
	for _, s := range cfg.Convs() {
		names[s.Name] = true
		n := float32(255)
		if !s.ReLU {
			n = 127
		}
		require.InEpsilon(t, stats.Maps[s.Name].Max()/n, q.Scale[s.Name], 1e-6)
		require.Len(t, q.Convs[s.Name].Weight, s.Weights())
	}
	require.Len(t, q.Scale, len(names))
	require.Len(t, q.Convs, len(names))
	p := topology.Lower(cfg)
	for _, s := range p.Steps {
		if s.Add != topology.None {
			shortcut := p.Maps[s.Add].Name
			if shortcut == topology.PoolName {
				shortcut = topology.StemName // which has no scale of its own
			}
			require.InEpsilon(t, q.Scale[shortcut]/q.Scale[s.Name], q.Residual[s.Block], 1e-6)
		}
	}
}

// TestStemOfTheMean: an image of the mean adds nothing to the stem's bias, on the border as inside, however
// its weights are rounded.
func TestStemOfTheMean(t *testing.T) {
	for name, cfg := range small {
		t.Run(name, func(t *testing.T) {
			net := float.Random(cfg, 8)
			p := resnext.Preprocess{Filter: "bilinear", Mean: [3]float32{128. / 255, 200. / 255, 9. / 255}, Std: [3]float32{0.2, 0.3, 0.02}}
			stats, err := Collect(context.Background(), net, 4, pictures(cfg), p, 2, nil)
			require.NoError(t, err)
			q, _, err := Quantise(context.Background(), net, Images{}, stats, p, Options{Observer: MinMax, Effort: Fast})
			require.NoError(t, err)
			rgb := make([]byte, cfg.Height*cfg.Width*3)
			for i := range rgb {
				rgb[i] = []byte{128, 200, 9}[i%3]
			}
			slow := naive{q: q}
			slow.run(rgb)
			scale := float64(q.Scale[resnext.StemName])
			for i, v := range slow.maps[resnext.StemName] {
				oc := i % cfg.Stem.Convs[0].Width
				want := max(0, float64(net.Convs[resnext.StemName].Bias[oc])) / scale
				half := 0.501 + float64(q.Convs[resnext.StemName].Multiplier[oc])/2 // rounded bias, rounded output
				require.InDelta(t, want, float64(v), half)
			}
		})
	}
}

// TestStrangeNetworks: networks that no training gives on purpose, but pruning, collapse and broken
// normalisation do. Each must give a model that the library accepts and that is still near the float one.
func TestStrangeNetworks(t *testing.T) {
	cfg := small["cifar 4 groups of 14"]
	scale := func(c *float.Conv, f float32) {
		for i := range c.Weight {
			c.Weight[i] *= f
		}
		for i := range c.Bias {
			c.Bias[i] *= f
		}
	}
	cases := map[string]struct {
		change func(n *float.Net)
		least  Decibel
	}{
		"dead filters": {func(n *float.Net) {
			for _, c := range n.Convs {
				clear(c.Weight[:len(c.Weight)/c.Shape.Out])
				c.Bias[1] = 0
				clear(c.Weight[len(c.Weight)/c.Shape.Out:][:len(c.Weight)/c.Shape.Out])
			}
		}, 25},
		"nearly dead filters with a bias": {func(n *float.Net) {
			for _, c := range n.Convs {
				for i := range len(c.Weight) / c.Shape.Out {
					c.Weight[i] *= 1e-20
				}
			}
		}, 25},
		"a dead layer": {func(n *float.Net) {
			c := n.Convs["stage2.block1.reduce"]
			clear(c.Weight)
			clear(c.Bias)
		}, 25},
		"a layer that is always negative": {func(n *float.Net) {
			c := n.Convs["stage1.block1.transform"]
			for i := range c.Bias {
				c.Bias[i] = -1e4
			}
		}, 25},
		"a dead shortcut": {func(n *float.Net) {
			c := n.Convs["stage2.block0.shortcut"]
			clear(c.Weight)
			clear(c.Bias)
		}, 25},
		"tiny activations":                  {func(n *float.Net) { scale(n.Convs["stage1.block0.reduce"], 1e-12) }, 15},
		"activations below the least range": {func(n *float.Net) { scale(n.Convs["stage1.block0.reduce"], 1e-36) }, 15},
		"large activations": {func(n *float.Net) {
			scale(n.Convs["stage1.block0.shortcut"], 1e15)
			for _, name := range []string{"reduce", "shortcut"} {
				c := n.Convs["stage2.block0."+name]
				bias := slices.Clone(c.Bias)
				scale(c, 1e-15)
				copy(c.Bias, bias)
			}
		}, 25},
		"a large bias":          {func(n *float.Net) { n.Convs["stage1.block0.transform"].Bias[3] = 100 }, 15},
		"a large negative bias": {func(n *float.Net) { n.Convs["stage1.block0.transform"].Bias[3] = -1e6 }, 25},
		"everything zero but the classifier's bias": {func(n *float.Net) {
			for _, c := range n.Convs {
				clear(c.Weight)
				clear(c.Bias)
			}
			n.Classifier.Bias[2] = 3
		}, 60},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			net := float.Random(cfg, 5)
			c.change(net)
			q := quantised(t, net, Options{})
			got := logitsSQNR(net, q)
			t.Log(got)
			require.GreaterOrEqual(t, float64(got), float64(c.least))
			_, err := resnext.New(q, resnext.Options{Kernels: "generic"})
			require.NoError(t, err)
		})
	}
}

func TestQuantiseNamesWhatIsWrong(t *testing.T) {
	cfg := small["wide last map"]
	good := float.Random(cfg, 6)
	stats := collect(t, good, 2)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	cases := map[string]struct {
		net    func(n *float.Net)
		stats  func(s *Statistics)
		p      func(p *resnext.Preprocess)
		o      Options
		source Images
		want   string
	}{
		"NaN weight":        {net: func(n *float.Net) { n.Convs["stage1.block1.reduce"].Weight[9] = nan }, want: "stage1.block1.reduce: a weight of output channel 1 is infinite or NaN"},
		"infinite bias":     {net: func(n *float.Net) { n.Convs["stem"].Bias[2] = inf }, want: "stem: the bias of output channel 2"},
		"NaN in classifier": {net: func(n *float.Net) { n.Classifier.Weight[0] = nan }, want: "classifier: a weight"},
		"folded weight":     {net: func(n *float.Net) { n.Convs["stem"].Weight[0] = 3e38 }, want: "stem: a weight of output channel 0 divided by the standard deviation"},
		"beyond float32": {net: func(n *float.Net) {
			for i := range n.Convs["stem"].Weight {
				n.Convs["stem"].Weight[i] = 7e37
			}
			for i := range n.Convs["stage1.block0.reduce"].Weight {
				n.Convs["stage1.block0.reduce"].Weight[i] = 3e38
			}
		}, want: "stage1.block0.reduce: "},
		"large logits":         {net: func(n *float.Net) { n.Classifier.Bias[0] = 1e12 }, want: "classifier: logits could reach"},
		"missing layer":        {net: func(n *float.Net) { delete(n.Convs, "stage1.block0.expand") }, want: "stage1.block0.expand: the float network has no such"},
		"short weights":        {net: func(n *float.Net) { n.Convs["stem"].Weight = n.Convs["stem"].Weight[1:] }, want: "stem: the float network has 215 weights and 8 biases, expected 216 and 8"},
		"short classifier":     {net: func(n *float.Net) { n.Classifier.Bias = nil }, want: "classifier: the float network has 32 weights and 0 biases"},
		"configuration":        {net: func(n *float.Net) { n.Config.Classes = 0 }, want: "0 classes"},
		"no statistics":        {stats: func(s *Statistics) { delete(s.Maps, "stage1.block0.transform") }, want: "stage1.block0.transform: the statistics have no values"},
		"no images":            {stats: func(s *Statistics) { s.Images = 0 }, want: "no images"},
		"empty statistics":     {stats: func(s *Statistics) { s.Maps["stem"] = observe.NewHistogram() }, want: "stem: the statistics have no values"},
		"preprocessing":        {p: func(p *resnext.Preprocess) { p.Std[1] = 0 }, want: "preprocessing: standard deviation of channel 1"},
		"no source":            {o: Options{Effort: Default}, want: `no images to carry through the network: effort "fast" needs none`},
		"broken source":        {o: Options{Effort: Default}, source: Images{1, func(int) ([]byte, error) { return nil, errors.New("no such file") }}, want: "image 0: no such file"},
		"images of wrong size": {o: Options{Effort: Default}, source: Images{1, func(int) ([]byte, error) { return make([]byte, 5), nil }}, want: "image 0: 5 bytes, expected 432"},
		"unknown effort":       {o: Options{Effort: "lazy"}, want: `unknown effort "lazy": expected one of [fast default max]`},
		"unknown technique":    {o: Options{Without: []Technique{"magic"}}, want: `unknown technique "magic"`},
		"unknown acc16 depth":  {o: Options{Depth: 3}, want: "an acc16 depth of 3 products, expected -1 (auto), 0 (off), 2, 4 or 8"},
		"unknown observer":     {o: Options{Observer: "best"}, want: `unknown observer "best"`},
		"percentile too low":   {o: Options{Observer: Percentile, Percentile: -1}, want: "percentile is -1"},
		"percentile is NaN":    {o: Options{Observer: Percentile, Percentile: math.NaN()}, want: "percentile is NaN"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			net, p := good.Clone(), testPreprocess()
			s := &Statistics{Images: stats.Images, Maps: maps.Clone(stats.Maps)}
			if c.net != nil {
				c.net(net)
			}
			if c.stats != nil {
				c.stats(s)
			}
			if c.p != nil {
				c.p(&p)
			}
			if c.o.Effort == "" {
				c.o.Effort = Fast
			}
			_, _, err := Quantise(context.Background(), net, c.source, s, p, c.o)
			require.ErrorContains(t, err, c.want)
		})
	}
}
