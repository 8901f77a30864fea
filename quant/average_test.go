package quant

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
)

// TestMovingAverage: by hand, from PyTorch's formula.
func TestMovingAverage(t *testing.T) {
	var a MovingAverage
	require.Zero(t, a.Value)
	for i, want := range []float64{4, 4 + 0.01*(8-4), 4.04 + 0.01*(0-4.04), 3.9996 + 0.01*(100-3.9996)} {
		a.add([]float64{4, 8, 0, 100}[i])
		require.InDelta(t, want, a.Value, 1e-12)
		require.Equal(t, i+1, a.Count)
	}
}

func TestMovingAverageMerges(t *testing.T) {
	values := []float64{3, 0, 7, 1e-3, 12, 12, 5, 1e6}
	var whole MovingAverage
	for _, v := range values {
		whole.add(v)
	}
	for cut := range len(values) + 1 {
		var a, b MovingAverage
		for i, v := range values {
			if i < cut {
				a.add(v)
			} else {
				b.add(v)
			}
		}
		a.merge(b)
		require.Equal(t, len(values), a.Count)
		require.InEpsilon(t, whole.Value, a.Value, 1e-12)
	}
}

func TestPeak(t *testing.T) {
	require.Equal(t, 3.0, peak([]float32{1, -3, 2}))
	require.Equal(t, 2.0, peak([]float32{2, 0}))
	require.Zero(t, peak(nil))
}

// TestAverageRange: positive and never beyond what was seen, however little is known.
func TestAverageRange(t *testing.T) {
	h := histogramOf(t, []float32{0, -8, 3})
	for peak, want := range map[float64]float64{5: 5, 9: 8, 0: 8, 1e-40: 8, math.Inf(1): 8} {
		require.Equal(t, want, Average.choose(h, signedLevels, 0, peak))
	}
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
	want := map[string]*MovingAverage{}
	runner := net.NewRunner()
	runner.Observe = func(name string, _, _, _ int, data []float32) {
		top := 0.0
		for _, v := range data {
			top = max(top, math.Abs(float64(v)))
		}
		if want[name] == nil {
			want[name] = &MovingAverage{}
		}
		want[name].add(top)
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
