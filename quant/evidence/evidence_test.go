package evidence

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

const side = 48

// mosaics are images of small patches in warm colours, alike enough that few of them are like many.
func mosaics(n int, seed uint64) Images {
	r := rand.New(rand.NewPCG(seed, 1))
	all := make([][]byte, n)
	for i := range all {
		const patch = 12
		var colours [side / patch * side / patch][3]float64
		for k := range colours {
			colours[k] = [3]float64{255 * r.Float64(), 180 * r.Float64(), 110 * r.Float64()}
		}
		for p := range side * side {
			colour := colours[p/side/patch*(side/patch)+p%side/patch]
			for _, v := range colour {
				all[i] = append(all[i], byte(v))
			}
		}
	}
	return Images{n, func(i int) ([]byte, error) { return all[i], nil }}
}

// train makes a network keep what its layers give on images, as training would.
func train(t *testing.T, net *float.Net, images Images, p resnext.Preprocess) {
	t.Helper()
	total := map[string]*moments{}
	r := net.NewRunner()
	r.Sums = func(name string, channels int, data []float32) {
		if total[name] == nil {
			total[name] = newMoments(channels)
		}
		total[name].add(data)
	}
	for i := range images.N {
		rgb, err := images.Load(i)
		require.NoError(t, err)
		r.Forward(rgb, p)
	}
	for name, m := range total {
		seen := &float.Seen{}
		for i := range m.sum {
			mean := m.sum[i] / m.count
			seen.Mean = append(seen.Mean, float32(mean))
			seen.Variance = append(seen.Variance, float32(m.squares[i]/m.count-mean*mean))
		}
		net.Convs[name].Seen = seen
	}
}

// random is a network of random weights.
func random(t *testing.T, cfg resnext.Config) *float.Net {
	t.Helper()
	n := float.Random(cfg, 3)
	require.NoError(t, n.SetInputSize(side, side))
	return n
}

// bottlenecks and basics are small networks of both forms.
func bottlenecks() resnext.Config {
	cfg := resnext.Config{Stem: resnext.ImageNetStem(), Classes: 5, Height: side, Width: side}
	for i, width := range []int{8, 16, 32} {
		cfg.Stages = append(cfg.Stages, resnext.Stage{Kind: topology.Bottleneck, Blocks: 2, Inner: width, Out: 2 * width, Cardinality: 4, Stride: min(2, 1+i)})
	}
	return cfg
}

func basics() resnext.Config {
	cfg := resnext.Config{Stem: resnext.CIFARStem(), Classes: 5, Height: side, Width: side}
	cfg.Stem.Convs[0].Width = 16
	for i, width := range []int{16, 32} {
		cfg.Stages = append(cfg.Stages, resnext.Stage{
			Kind: topology.Basic, Blocks: 2, Inner: width, Out: width, Cardinality: 1, Stride: 1 + i, Shortcut: topology.Padded,
		})
	}
	return cfg
}

// TestRead: every reading is found from the usual one, and the usual one is kept where it is right.
func TestRead(t *testing.T) {
	as := func(n *float.Net, err error) *float.Net { require.NoError(t, err); return n }
	same := func(n *float.Net) *float.Net { return n }
	turn := func(n *float.Net) *float.Net { return n.WithChannelsTurned() }
	stride := func(role topology.Role) func(n *float.Net) *float.Net {
		return func(n *float.Net) *float.Net { return as(n.WithStrideOn(role)) }
	}
	pool := func(pool topology.Pool) func(n *float.Net) *float.Net {
		return func(n *float.Net) *float.Net { return as(n.WithAntiAlias(pool)) }
	}
	stem := func(stride int, pool topology.Pool) func(n *float.Net) *float.Net {
		return func(n *float.Net) *float.Net { return as(n.WithStem(stride, pool)) }
	}
	padding := func(around bool) func(n *float.Net) *float.Net {
		return func(n *float.Net) *float.Net { return as(n.WithPadding(around)) }
	}
	p := resnext.ImageNetPreprocess()
	for name, c := range map[string]struct {
		cfg          resnext.Config
		right, usual func(n *float.Net) *float.Net
		question     string // about which the usual answer is wrong, and what is taken
		option       string
	}{
		"as usual":          {bottlenecks(), same, same, "", ""},
		"blue first":        {bottlenecks(), same, turn, "channel order", "--channels bgr"},
		"stride on the 1x1": {bottlenecks(), stride(topology.Reduce), stride(topology.Transform), "strides", "--stride-on 1x1"},
		"averages":          {bottlenecks(), pool(topology.Average2x2), pool(topology.NoPool), "strides", "--anti-alias average"},
		"blurs":             {bottlenecks(), pool(topology.Blur3x3), pool(topology.NoPool), "strides", "--anti-alias blur"},
		"basic, as usual":   {basics(), same, same, "", ""},
		"basic, averages":   {basics(), pool(topology.Average2x2), pool(topology.NoPool), "strides", "--anti-alias average"},
		"zeros behind":      {basics(), padding(false), padding(true), "zeros of shortcuts", "--shortcut-pad behind"},
		"a stem of its own": {basics(), stem(2, topology.Max3x3), stem(1, topology.NoPool), "stem", "--stem 3x3/2,pool"},
	} {
		t.Run(name, func(t *testing.T) {
			right := c.right(random(t, c.cfg))
			train(t, right, mosaics(80, 1), p)
			most := 0
			r, err := Read(context.Background(), c.usual(right), Open{true, true, true, true}, mosaics(32, 2), p, 0, func(done, total int) {
				require.LessOrEqual(t, done, total)
				most = max(most, done)
			})
			require.NoError(t, err)
			require.True(t, r.Told)
			require.Greater(t, most, len(r.Verdicts))
			for _, v := range r.Verdicts {
				require.Equal(t, v.Question != c.question, v.Usual, "%+v", v)
				require.Positive(t, v.Margin, "%+v", v)
				require.False(t, v.Doubted())
				if v.Question == c.question {
					require.Equal(t, c.option, v.Option)
				}
			}
			require.Len(t, r.Verdicts, map[topology.Kind]int{topology.Bottleneck: 2, topology.Basic: 4}[c.cfg.Stages[0].Kind])
			require.True(t, resnext.SameShape(right.Config, r.Net.Config))
			fit, err := Measure(context.Background(), right, mosaics(32, 2), p, 1)
			require.NoError(t, err)
			require.InDelta(t, fit.Divergence, r.Fit.Divergence, 0.03)
		})
	}
}

// TestTwoAnswers: two readings that are wrong are found one after the other.
func TestTwoAnswers(t *testing.T) {
	p := resnext.ImageNetPreprocess()
	right, err := random(t, bottlenecks()).WithStrideOn(topology.Reduce)
	require.NoError(t, err)
	train(t, right, mosaics(80, 1), p)
	wrong, err := right.WithChannelsTurned().WithStrideOn(topology.Transform)
	require.NoError(t, err)
	r, err := Read(context.Background(), wrong, Open{Channels: true, Strides: true}, mosaics(32, 2), p, 1, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"--channels bgr", "--stride-on 1x1"}, []string{r.Verdicts[0].Option, r.Verdicts[1].Option})
	require.Equal(t, right.Convs["stem"].Weight, r.Net.Convs["stem"].Weight)
}

// TestImagesThatDoNotTell: on images of another kind, however prepared, the usual answers are kept.
func TestImagesThatDoNotTell(t *testing.T) {
	p := resnext.ImageNetPreprocess()
	right := random(t, bottlenecks())
	train(t, right, mosaics(80, 1), p)
	noise := rand.New(rand.NewPCG(1, 1))
	r, err := Read(context.Background(), right.WithChannelsTurned(), Open{true, true, true, true}, Images{6, func(int) ([]byte, error) {
		rgb := make([]byte, side*side*3)
		for i := range rgb {
			rgb[i] = byte(noise.Uint32())
		}
		return rgb, nil
	}}, p, 1, nil)
	require.NoError(t, err)
	require.False(t, r.Told)
	for _, v := range r.Verdicts {
		require.True(t, v.Usual)
	}
}

// TestPrepare: a wrong preparation is told from a right one, and which would fit.
func TestPrepare(t *testing.T) {
	p := resnext.ImageNetPreprocess()
	net := random(t, bottlenecks())
	train(t, net, mosaics(80, 1), p)
	with := func(mean, std float32) resnext.Preprocess {
		q := p
		q.Mean, q.Std = [3]float32{mean, mean, mean}, [3]float32{std, std, std}
		return q
	}
	for name, c := range map[string]struct {
		p        resnext.Preprocess
		doubtful bool
	}{"right": {p, false}, "-1..1": {with(0.5, 0.5), true}, "0..1": {with(0, 1), true}, "0..255": {with(0, 1./255), true}} {
		r, err := Prepare(net, mosaics(32, 2), c.p)
		require.NoError(t, err)
		require.Equal(t, c.doubtful, r.Doubtful, "%s: %+v", name, r)
		require.Equal(t, c.doubtful, r.Fits == "ImageNet's mean and std", name)
	}
	// What no usual preparation explains is doubted where it is impossible.
	odd := random(t, bottlenecks())
	train(t, odd, mosaics(80, 1), with(0.3, 0.01))
	r, err := Prepare(odd, mosaics(32, 2), p)
	require.NoError(t, err)
	require.True(t, r.Doubtful)
	require.Empty(t, r.Fits)
	require.Less(t, r.Layer.Variance, -4.0)

	folded := random(t, bottlenecks())
	require.False(t, Any(folded))
	r, err = Prepare(folded, mosaics(2, 2), p)
	require.NoError(t, err)
	require.Nil(t, r)
}

// TestStatistics: divergence is that of normal distributions, and channels that say nothing are left out.
func TestStatistics(t *testing.T) {
	m := newMoments(4)
	m.add([]float32{0, 1, 5, 9, 2, 3, 5, 9})
	l := compare("x", m, &float.Seen{Mean: []float32{1, 2, 5, 9}, Variance: []float32{1, 4, 0, 0}})
	require.InDelta(t, (0+0.5*(0.25-1+1.3862943611))/2, l.Divergence, 1e-9)
	require.InDelta(t, -1, l.Variance, 1e-9)
	constant := newMoments(1)
	constant.add([]float32{3, 3})
	require.LessOrEqual(t, compare("x", constant, &float.Seen{Mean: []float32{3}, Variance: []float32{1}}).Divergence, farthest)
	require.Zero(t, compare("x", constant, &float.Seen{Mean: []float32{3}, Variance: []float32{0}}).Divergence)
}

// TestErrorsOfImages: an image that cannot be loaded ends the work with its number.
func TestErrorsOfImages(t *testing.T) {
	net := random(t, bottlenecks())
	train(t, net, mosaics(2, 1), resnext.ImageNetPreprocess())
	bad := Images{3, func(i int) ([]byte, error) { return nil, fmt.Errorf("gone") }}
	_, err := Read(context.Background(), net, Open{}, bad, resnext.ImageNetPreprocess(), 1, nil)
	require.EqualError(t, err, "image 0: gone")
	_, err = Prepare(net, bad, resnext.ImageNetPreprocess())
	require.EqualError(t, err, "image 0: gone")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Read(ctx, net, Open{}, mosaics(2, 1), resnext.ImageNetPreprocess(), 1, nil)
	require.ErrorIs(t, err, context.Canceled)
}
