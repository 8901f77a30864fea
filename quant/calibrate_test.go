package quant

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
)

func TestCollectIsIndependentOfThreads(t *testing.T) {
	net := float.Random(small["imagenet 1 group"], 1)
	var first *Statistics
	for _, threads := range []int{1, 2, 5, 0} {
		var seen []int
		progress := func(done, total int) {
			require.Equal(t, 9, total)
			seen = append(seen, done)
		}
		stats, err := Collect(context.Background(), net, 9, pictures(net.Config), testPreprocess(), threads, progress)
		require.NoError(t, err)
		require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, seen)
		require.Equal(t, 9, stats.Images)
		if first == nil {
			first = stats
		}
		require.Equal(t, first, stats)
	}
	for _, s := range net.Config.Convs() {
		require.EqualValues(t, 9*s.OutH*s.OutW*s.Out, first.Maps[s.Name].Count(), s.Name)
	}
	require.Len(t, first.Maps, len(net.Config.Convs()))
}

func TestCollectEqualsObserving(t *testing.T) {
	net := float.Random(small["cifar 4 groups of 14"], 1)
	stats := collect(t, net, 3)
	want := observe.NewStatistics(net.Config)
	runner := net.NewRunner()
	var image map[string]*Moments
	runner.Observe = func(name string, _, _, c int, data []float32) {
		h := want.Maps[name]
		if h != nil {
			require.True(t, h.Add(data))
		}
		if h != nil || name == resnext.PoolName || name == float.LogitsName {
			image[name] = &Moments{}
			image[name].Add(c, data)
			if want.Images%2 == 0 {
				image[name].Bound(data)
			}
		}
	}
	for i := range 3 {
		image = map[string]*Moments{}
		runner.Forward(picture(net.Config, i), testPreprocess())
		want.MergeMoments(image)
		want.Images++
	}
	require.Equal(t, want, stats)
}

func TestStatisticsMerge(t *testing.T) {
	net := float.Random(small["wide last map"], 1)
	part := func(first, n int) *Statistics {
		load := func(i int) ([]byte, error) { return picture(net.Config, first+i), nil }
		s, err := Collect(context.Background(), net, n, load, testPreprocess(), 1, nil)
		require.NoError(t, err)
		return s
	}
	a, b, none := part(0, 4), part(4, 3), &Statistics{Maps: map[string]*Histogram{}}
	none.Merge(b)
	none.Merge(a)
	whole := part(0, 7)
	require.Equal(t, whole.Maps, none.Maps)
	require.Equal(t, whole.Images, none.Images)
	for name, m := range whole.Moments {
		require.Equal(t, m.Count, none.Moments[name].Count)
		require.InDeltaSlice(t, m.Mean(), none.Moments[name].Mean(), 1e-9)
		require.InEpsilonSlice(t, m.Variance(), none.Moments[name].Variance(), 1e-6)
	}
}

// TestCollectOfLittle: one image, and images that are all the same and of one colour, make usable models.
func TestCollectOfLittle(t *testing.T) {
	net := float.Random(small["cifar 4 groups of 14"], 1)
	for _, n := range []int{1, 4} {
		for _, colour := range []byte{0, 255} {
			rgb := make([]byte, net.Config.Height*net.Config.Width*3)
			for i := range rgb {
				rgb[i] = colour
			}
			load := func(int) ([]byte, error) { return rgb, nil }
			stats, err := Collect(context.Background(), net, n, load, testPreprocess(), 2, nil)
			require.NoError(t, err)
			for _, o := range Observers() {
				q, _, err := Quantise(context.Background(), net, Images{}, stats, testPreprocess(), Options{Observer: o, Effort: Fast})
				require.NoError(t, err)
				var p observe.Power
				p.Add(net.NewRunner().Forward(rgb, testPreprocess()), (&naive{q: q}).run(rgb))
				least := 20.0
				if o == Entropy { // needs many values to see a distribution
					least = 10
				}
				require.Greater(t, float64(p.SQNR()), least, "%s of %d images of %d", o, n, colour)
			}
		}
	}
}

func TestCollectNamesWhatIsWrong(t *testing.T) {
	net := float.Random(small["wide last map"], 1)
	load := pictures(net.Config)
	missing := errors.New("x.png: no such file")
	cases := map[string]struct {
		change func(n *float.Net)
		load   func(i int) ([]byte, error)
		n      int
		std    float32
		want   string
	}{
		"no images":     {n: 0, load: load, want: "calibration: no images"},
		"negative":      {n: -1, load: load, want: "no images"},
		"load":          {n: 5, load: func(i int) ([]byte, error) { return picture(net.Config, i), map[int]error{3: missing}[i] }, want: "image 3: x.png: no such file"},
		"short image":   {n: 1, load: func(int) ([]byte, error) { return make([]byte, 10), nil }, want: "image 0: 10 bytes, expected 432: 12x12 pixels RGB"},
		"preprocessing": {n: 1, load: load, std: -1, want: "standard deviation"},
		"NaN weight":    {n: 1, load: load, change: func(n *float.Net) { n.Convs["stem"].Weight[0] = float32(math.NaN()) }, want: "stem: a weight of output channel 0"},
		"overflow": {n: 2, load: load, change: func(n *float.Net) {
			for _, name := range []string{"stem", "stage1.block0.reduce"} {
				for i := range n.Convs[name].Weight {
					n.Convs[name].Weight[i] = 1e30
				}
			}
		}, want: "stage1.block0.reduce: the float network's output is infinite or NaN"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			n, p := net.Clone(), testPreprocess()
			if c.change != nil {
				c.change(n)
			}
			if c.std != 0 {
				p.Std[0] = c.std
			}
			_, err := Collect(context.Background(), n, c.n, c.load, p, 2, nil)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := Collect(context.Background(), net, 1, func(int) ([]byte, error) { return nil, missing }, testPreprocess(), 1, nil)
	require.ErrorIs(t, err, missing)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Collect(ctx, net, 1000000, load, testPreprocess(), 0, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// TestAverageFollowsTheImages: the ranges are those of the images' own largest magnitudes, for signed maps too,
// whatever the effort and the number of threads. A single glaring image at the end hardly counts.
func TestAverageFollowsTheImages(t *testing.T) {
	const images = 6
	cfg := small["imagenet 1 group"]
	net := float.Random(cfg, 4)
	load := func(i int) ([]byte, error) {
		rgb := picture(cfg, i)
		for j := range rgb {
			if i == images-1 {
				rgb[j] = byte(255 * (j % 2))
			}
		}
		return rgb, nil
	}
	want := map[string]*observe.MovingAverage{}
	runner := net.NewRunner()
	runner.Observe = func(name string, _, _, _ int, data []float32) {
		top := 0.0
		for _, v := range data {
			top = max(top, math.Abs(float64(v)))
		}
		if want[name] == nil {
			want[name] = &observe.MovingAverage{}
		}
		want[name].Add(top)
	}
	for i := range images {
		rgb, _ := load(i)
		runner.Forward(rgb, testPreprocess())
	}
	for _, threads := range []int{1, 4} {
		stats, err := Collect(context.Background(), net, images, load, testPreprocess(), threads, nil)
		require.NoError(t, err)
		for _, o := range []Options{{Effort: Fast}, {Without: []Technique{Absorption, Equalisation}}} {
			o.Observer, o.Threads = Average, threads
			q, d, err := Quantise(context.Background(), net, Images{images, load}, stats, testPreprocess(), o)
			require.NoError(t, err)
			require.Equal(t, "average", q.Calibration["observer"])
			for _, s := range cfg.Convs() {
				top := float64(stats.Maps[s.Name].Max())
				require.InEpsilon(t, min(top, want[s.Name].Value), d.Layer(s.Name).ObserverRange, 1e-4, s.Name)
			}
			require.Less(t, d.Layer("stem").ObserverRange, 0.95*float64(stats.Maps["stem"].Max()))
		}
	}
}
