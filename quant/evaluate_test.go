package quant

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

func packed(t testing.TB, q *resnext.Quantised) *resnext.Model {
	m, err := resnext.New(q, resnext.Options{})
	require.NoError(t, err)
	return m
}

// TestCompareEqualsCounting checks every figure against a plain loop over both networks.
func TestCompareEqualsCounting(t *testing.T) {
	net := float.Random(small["cifar 4 groups of 14"], 7)
	q := quantised(t, net, Options{})
	const n = 24
	label := func(i int) int { return i%11 - 1 } // -1 is unlabelled
	load := func(i int) ([]byte, int, error) { return picture(net.Config, 300+i), label(i), nil }

	runner, slow := net.NewRunner(), naive{q: q}
	layers := make(map[string]*observe.Power)
	floats := make(map[string][]float32)
	runner.Observe = func(name string, _, _, _ int, data []float32) { floats[name] = append([]float32(nil), data...) }
	var logits observe.Power
	var labelled, agreed int
	var f, i8 [2]int
	for i := range n {
		rgb := picture(net.Config, 300+i)
		want := append([]float32(nil), runner.Forward(rgb, testPreprocess())...)
		got := slow.run(rgb)
		logits.Add(want, got)
		for name, values := range slow.maps {
			if layers[name] == nil {
				layers[name] = &observe.Power{}
			}
			real := make([]float32, len(values))
			for k, v := range values {
				real[k] = float32(v) * q.Scale[name]
			}
			layers[name].Add(floats[name], real)
		}
		first := func(x []float32) int {
			best := 0
			for k := range x {
				if x[k] > x[best] {
					best = k
				}
			}
			return best
		}
		if first(want) == first(got) {
			agreed++
		}
		if label(i) < 0 {
			continue
		}
		labelled++
		for k, x := range [][]float32{want, got} {
			larger := 0
			for _, v := range x {
				if v > x[label(i)] {
					larger++
				}
			}
			count := [2]*[2]int{&f, &i8}[k]
			if larger == 0 {
				count[0]++
			}
			if larger < 5 {
				count[1]++
			}
		}
	}
	share := func(c [2]int) Accuracy {
		return Accuracy{float64(c[0]) / float64(labelled), float64(c[1]) / float64(labelled)}
	}
	require.NotZero(t, f[0])

	var first *Comparison
	for _, threads := range []int{1, 3} {
		calls := 0
		c, err := Compare(context.Background(), net, packed(t, q), n, load, testPreprocess(),
			CompareOptions{Threads: threads, Layers: true, Progress: func(done, total int) {
				calls++
				require.Equal(t, [2]int{calls, n}, [2]int{done, total})
			}})
		require.NoError(t, err)
		require.Equal(t, n, calls)
		require.Equal(t, [2]int{n, labelled}, [2]int{c.Images, c.Labelled})
		require.Equal(t, share(f), c.Float)
		require.Equal(t, share(i8), c.Int8)
		require.Equal(t, float64(agreed)/n, c.Agreement)
		require.InEpsilon(t, float64(logits.SQNR()), float64(c.SQNR), 1e-12)
		require.Len(t, c.Layers, len(net.Config.Convs()))
		for i, s := range net.Config.Convs() {
			require.Equal(t, s.Name, c.Layers[i].Name)
			require.InEpsilon(t, float64(layers[s.Name].SQNR()), float64(c.Layers[i].SQNR), 1e-9)
		}
		require.Positive(t, c.FloatSeconds)
		require.Positive(t, c.Int8Seconds)
		c.FloatSeconds, c.Int8Seconds = 0, 0
		if first == nil {
			first = c
		}
		require.Equal(t, first, c, "the same for any number of threads")
	}
	plain, err := Compare(context.Background(), net, packed(t, q), n, load, testPreprocess(), CompareOptions{})
	require.NoError(t, err)
	require.Nil(t, plain.Layers)
	require.Equal(t, first.SQNR, plain.SQNR)
}

func TestCompareOfFewClassesWithoutLabels(t *testing.T) {
	net := float.Random(small["wide last map"], 7) // 4 classes
	model := packed(t, quantised(t, net, Options{}))
	compare := func(label int) *Comparison {
		c, err := Compare(context.Background(), net, model, 3,
			func(i int) ([]byte, int, error) { return picture(net.Config, i), label, nil }, testPreprocess(), CompareOptions{})
		require.NoError(t, err)
		return c
	}
	c := compare(Unlabelled)
	require.Zero(t, c.Labelled)
	require.Zero(t, c.Float)
	require.Zero(t, c.Int8)
	require.Equal(t, 3, c.Images)
	require.Zero(t, compare(1).Float.Top5, "no top-5 of 4 classes")
}

func TestScoreBreaksTiesByIndex(t *testing.T) {
	tie := []float32{1, 3, 3, 3, 0, 3, 3, 3}
	require.Equal(t, 1, argmax(tie))
	for class, want := range []int{6, 0, 1, 2, 7, 3, 4, 5} {
		require.Equal(t, want, rank(tie, class), "class %d", class)
	}
	got := score(topology.OneClass, tie, []float32{0, 2, 2, 1, 1, 1, 1, 1}, 2)
	require.Equal(t, 1.0, got.agreed)
	require.Equal(t, topCount{0, 1}, got.floatTop)
	require.Equal(t, topCount{0, 1}, got.int8Top)
	require.Equal(t, topCount{0, 0}, score(topology.OneClass, tie, tie, 7).floatTop)
	require.Equal(t, topCount{1, 1}, score(topology.OneClass, tie, tie, 1).floatTop)
	require.Zero(t, score(topology.OneClass, tie, []float32{0, 2, 9, 0, 0, 0, 0, 0}, 1).agreed)
}

// TestCompareHeads: labels that do not compete are counted each for itself, and features are compared by their angle.
func TestCompareHeads(t *testing.T) {
	net := float.Random(small["cifar 4 groups of 14"], 7)
	net.Config.Head = topology.MultiLabel
	compare := func(net *float.Net) *Comparison {
		c, err := Compare(context.Background(), net, packed(t, quantised(t, net, Options{})), 6,
			func(i int) ([]byte, int, error) { return picture(net.Config, i), Unlabelled, nil }, testPreprocess(), CompareOptions{})
		require.NoError(t, err)
		return c
	}
	labels := compare(net)
	decisions := labels.Agreement * 6 * float64(net.Config.Classes)
	require.InDelta(t, math.Round(decisions), decisions, 1e-9)
	require.Greater(t, labels.Agreement, 0.8)

	bare := net.Clone()
	bare.Config.Head, bare.Config.Classes, bare.Classifier = topology.Embedding, 0, float.Conv{}
	features := compare(bare)
	require.Greater(t, features.Agreement, 0.99)
	require.Less(t, features.Agreement, 1.0)
	require.Greater(t, float64(features.SQNR), 20.0)

	_, err := Compare(context.Background(), net, packed(t, quantised(t, float.Random(small["cifar 4 groups of 14"], 7), Options{})), 1,
		func(i int) ([]byte, int, error) { return picture(net.Config, i), Unlabelled, nil }, testPreprocess(), CompareOptions{})
	require.ErrorContains(t, err, `the int8 network's head is "", the float network's "multilabel"`)
}

func TestAgreement(t *testing.T) {
	a := []float32{-1, 2, 0, 3}
	require.Equal(t, 0.5, agreement(topology.MultiLabel, a, []float32{-2, -1, 0.5, -3}))
	require.Equal(t, 1.0, agreement(topology.MultiLabel, a, []float32{-2, 1, 0.5, 3}))
	require.InDelta(t, 1, agreement(topology.Embedding, a, []float32{-2, 4, 0, 6}), 1e-12)
	require.InDelta(t, 0, agreement(topology.Embedding, []float32{1, 0}, []float32{0, 1}), 1e-12)
	zero := make([]float32, 4)
	require.Equal(t, 1.0, agreement(topology.Embedding, zero, zero))
	require.Zero(t, agreement(topology.Embedding, a, zero))
}

func TestDecibels(t *testing.T) {
	var p observe.Power
	require.Equal(t, Decibel(math.Inf(1)), p.SQNR(), "nothing lost of nothing")
	p.Add([]float32{10, 0}, []float32{10, 0})
	require.Equal(t, Decibel(math.Inf(1)), p.SQNR())
	p.Add([]float32{0}, []float32{1})
	require.InDelta(t, 20, float64(p.SQNR()), 1e-12)
	require.Equal(t, Decibel(math.Inf(-1)), observe.Power{Signal: 0, Noise: 1}.SQNR())
	require.Equal(t, "20.0 dB", p.SQNR().String())

	for text, v := range map[string]float64{`"inf"`: math.Inf(1), `"-inf"`: math.Inf(-1), `38.25`: 38.25, `-3`: -3} {
		data, err := json.Marshal(Comparison{SQNR: Decibel(v)})
		require.NoError(t, err)
		require.Contains(t, string(data), `"sqnr_db":`+text)
		var back Comparison
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, Decibel(v), back.SQNR)
	}
	var d Decibel
	require.Error(t, json.Unmarshal([]byte(`"loud"`), &d))
}

func TestCompareNamesWhatIsWrong(t *testing.T) {
	net := float.Random(small["wide last map"], 7)
	model := packed(t, quantised(t, net, Options{}))
	image := picture(net.Config, 1)
	missing := errors.New("y.png: gone")
	run := func(net *float.Net, n int, load func(i int) ([]byte, int, error)) error {
		_, err := Compare(context.Background(), net, model, n, load, testPreprocess(), CompareOptions{Threads: 2})
		return err
	}
	good := func(int) ([]byte, int, error) { return image, 0, nil }
	require.NoError(t, run(net, 2, good))
	require.ErrorContains(t, run(net, 0, good), "comparison: no images")
	err := run(net, 9, func(i int) ([]byte, int, error) { return image, 0, map[int]error{4: missing, 6: errors.New("z")}[i] })
	require.ErrorIs(t, err, missing)
	require.ErrorContains(t, err, "image 4: y.png: gone")
	require.ErrorContains(t, run(net, 1, func(int) ([]byte, int, error) { return image[1:], 0, nil }), "image 0: 431 bytes, expected 432")
	for _, label := range []int{-2, 4} {
		require.ErrorContains(t, run(net, 1, func(int) ([]byte, int, error) { return image, label, nil }), "expected 0 to 3, or -1 for none")
	}

	cfg := net.Config
	cfg.Height = 10
	require.ErrorContains(t, run(float.Random(cfg, 1), 1, good), "12x12 pixels, the float network 12x10")
	cfg = net.Config
	cfg.Classes = 5
	require.ErrorContains(t, run(float.Random(cfg, 1), 1, good), "has 4 classes, the float network 5")
	cfg = net.Config.Clone()
	resnext.Uniform(1, cfg.Stages)
	require.ErrorContains(t, run(float.Random(cfg, 1), 1, good), "layers are not those")

	broken := net.Clone()
	for _, name := range []string{"stem", "stage1.block0.reduce"} {
		for i := range broken.Convs[name].Weight {
			broken.Convs[name].Weight[i] = 1e30
		}
	}
	require.ErrorIs(t, run(broken, 1, good), ErrNotFinite)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Compare(ctx, net, model, 1000000, good, testPreprocess(), CompareOptions{})
	require.ErrorIs(t, err, context.Canceled)
}
