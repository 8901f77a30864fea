package report

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant"
)

// lossy is a layer of the given ratios in dB.
func lossy(name string, total, weights, rounding, clipping float64) Layer {
	return Layer{
		Name: name, SQNR: ptr(quant.Decibel(total)), Weights: ptr(quant.Decibel(weights)),
		Rounding: ptr(quant.Decibel(rounding)), Clipping: ptr(quant.Decibel(clipping)),
		Values: &Values{Range: 10, Max: 12, Count: 1000, Zeros: 100, Clipped: 5, Width: 1, Bins: []int64{100, 100, 100, 100, 100, 100, 100, 100, 95, 0, 5}},
	}
}

func TestAdvice(t *testing.T) {
	choices := Choices{Observer: "mse", Depth: 4, Images: 512}
	with := func(change func(*Choices)) Choices {
		c := choices
		change(&c)
		return c
	}
	wide := lossy("l", 20, 20.5, 45, 60)
	wide.Spread = ptr(30.0)
	sparse := lossy("l", 20, 50, 20.5, 60)
	sparse.Values.Zeros = 990
	outliers := lossy("l", 20, 50, 20.5, 60)
	outliers.Values.Bins = []int64{899, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	for name, c := range map[string]struct {
		choices Choices
		layer   Layer
		why     string
		try     []string
	}{
		"weights":                {choices, lossy("l", 20, 20.5, 45, 60), "rounding of its weights.", []string{"--acc16 2", "--acc16 off"}},
		"depth that cost little": {with(func(c *Choices) { c.DepthLoss = ptr(quant.Decibel(0.16)) }), lossy("l", 20, 20.5, 45, 60), "rounding of its weights.", nil},
		"depth that cost":        {with(func(c *Choices) { c.DepthLoss = ptr(quant.Decibel(0.9)) }), lossy("l", 20, 20.5, 45, 60), "rounding of its weights.", []string{"--acc16 2", "--acc16 off"}},
		"wide weights":           {with(func(c *Choices) { c.Equalise = "--equalise" }), wide, "30 times the median one's", []string{"--equalise", "--acc16 2", "--acc16 off"}},
		"all equalised":          {choices, wide, "30 times the median one's", []string{"--acc16 2", "--acc16 off"}},
		"free weights":           {with(func(c *Choices) { c.Depth = 0 }), lossy("l", 20, 20.5, 45, 60), "rounding of its weights", nil},
		"clipping":               {choices, lossy("l", 20, 50, 45, 20.5), "0.500% of them are larger", []string{"--observer minmax"}},
		"percentile":             {with(func(c *Choices) { c.Observer, c.Percentile = "percentile", 99.99 }), lossy("l", 20, 50, 45, 20.5), "clipped", []string{"--observer mse", "--observer percentile --percentile 99.999"}},
		"percentile 100":         {with(func(c *Choices) { c.Observer, c.Percentile = "percentile", 100 }), lossy("l", 20, 50, 45, 20.5), "clipped", []string{"--observer mse"}},
		"rounding, minmax":       {with(func(c *Choices) { c.Observer = "minmax" }), lossy("l", 20, 50, 20.5, 60), "to 8 bits.", []string{"--observer mse"}},
		"rounding, few":          {choices, sparse, "most activations are zero (99.00%)", nil},
		"rounding, outliers":     {choices, outliers, "99% of its values lie below 1, but the range reaches to 10", []string{"--observer percentile --percentile 99.9"}},
		"few images":             {with(func(c *Choices) { c.Images = 20 }), lossy("l", 20, 20.5, 45, 60), "weights", []string{"--acc16 2", "--acc16 off", "--limit 512"}},
		"few images, all":        {with(func(c *Choices) { c.Images, c.AllImages = 20, true }), sparse, "most activations are zero", []string{"more images"}},
		"accumulated":            {choices, lossy("l", 20, 50, 50, 60), "error of the layers before. Of these loud adds the most, by rounding its weights.", []string{"--acc16 2", "--acc16 off"}},
		"not measured enough":    {choices, Layer{Name: "l"}, "too little to tell", nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := &Data{Choices: c.choices, Layers: []Layer{lossy("quiet", 40, 50, 50, 60), lossy("loud", 21, 21.5, 50, 60), c.layer}}
			why, try := advice(d, 2)
			require.Contains(t, why, c.why)
			var flags []string
			for _, a := range try {
				require.NotEmpty(t, a.Effect)
				flags = append(flags, a.Flags)
			}
			require.Equal(t, c.try, flags)
		})
	}
}

func TestSplit(t *testing.T) {
	l := lossy("l", 20, 23, 30, 40) // 0.01 of noise: 0.005, 0.001 and 0.0001 are its own
	shares, ok := l.split()
	require.True(t, ok)
	require.InDelta(t, 0.39, shares[fromBefore], 0.01)
	require.InDelta(t, 0.50, shares[fromWeights], 0.01)
	require.InDelta(t, 0.10, shares[fromRounding], 0.001)
	require.InDelta(t, 0.01, shares[fromClipping], 0.001)
	l = lossy("l", 40, 23, 30, 40) // less noise than its own: an add can do that
	shares, ok = l.split()
	require.True(t, ok)
	require.Zero(t, shares[fromBefore])
	require.InDelta(t, 1, shares[fromWeights]+shares[fromRounding]+shares[fromClipping], 1e-12)
}

func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		summary Summary
		random  bool
		mark    string
		want    string
	}{
		"good":        {Summary{Images: 64, Agreement: ptr(0.99)}, false, "good", "int8 answers as the float network on 99.00% of 64 images."},
		"one":         {Summary{Images: 1, Agreement: ptr(1.0)}, false, "good", "int8 answers as the float network on 100.00% of 1 image."},
		"fair":        {Summary{Images: 64, Agreement: ptr(0.96)}, false, "fair", "96.00%"},
		"weak":        {Summary{Images: 64, Agreement: ptr(0.5)}, false, "weak", "50.00%"},
		"weak by top": {Summary{Images: 64, Agreement: ptr(0.99), Float: Side{Top1: ptr(0.9)}, Int8: Side{Top1: ptr(0.8)}}, false, "weak", "10.00 points less accurate"},
		"better":      {Summary{Images: 64, Agreement: ptr(0.99), Float: Side{Top1: ptr(0.8)}, Int8: Side{Top1: ptr(0.81)}}, false, "good", "1.00 points more accurate"},
		"equal":       {Summary{Images: 64, Agreement: ptr(1.0), Float: Side{Top1: ptr(0.8)}, Int8: Side{Top1: ptr(0.8)}}, false, "good", "just as accurate"},
		"random":      {Summary{Images: 64, Agreement: ptr(0.1)}, true, "speed only", "10.00%"},
		"not":         {Summary{}, false, "not compared", "int8 was not compared with the float network."},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVerdict(&Data{Summary: c.summary, Network: Network{Random: c.random}})
			require.Equal(t, c.mark, v.Mark)
			require.Contains(t, v.Summary, c.want)
		})
	}
}

func TestSignTest(t *testing.T) {
	for _, c := range []struct {
		a, b int
		want float64
	}{{0, 0, 1}, {1, 1, 1}, {2, 0, 0.5}, {5, 0, 0.0625}, {0, 6, 0.03125}, {8, 2, 0.109375}} {
		require.InDelta(t, c.want, signTest(c.a, c.b), 1e-9)
	}
	require.Less(t, signTest(100_000, 0), 1e-9)
}
