package quant

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
)

// blown is what folding a normalisation of variance 0 multiplies weights by, with the epsilon of PyTorch.
var blown = float32(1 / math.Sqrt(1e-5))

// deadChannels make a channel of a kind that says nothing about the image. The first of the inputs is always zero.
var deadChannels = map[string]func(filter []float32, bias *float32, inputs int){
	"gain 0": func(filter []float32, bias *float32, _ int) {
		clear(filter)
		*bias = 0.7
	},
	"gain almost 0": func(filter []float32, bias *float32, _ int) {
		for i := range filter {
			filter[i] *= 1e-9
		}
		*bias = 0.7
	},
	"large constant": func(filter []float32, bias *float32, _ int) {
		clear(filter)
		*bias = 30
	},
	"negative constant": func(filter []float32, bias *float32, _ int) {
		clear(filter)
		*bias = -1e4
	},
	// What varied not at all in training: a filter that reads a dead input only.
	"variance 0": func(filter []float32, bias *float32, inputs int) {
		for i := range filter {
			if filter[i] *= blown; i%inputs != 0 {
				filter[i] = 0
			}
		}
		*bias = 0.7
	},
}

// kill changes every seventh channel of a layer.
func kill(c *float.Conv, how func(filter []float32, bias *float32, inputs int)) {
	size := len(c.Weight) / len(c.Bias)
	for oc := 0; oc < len(c.Bias); oc += 7 {
		how(c.Weight[oc*size:][:size], &c.Bias[oc], c.Shape.In/c.Shape.Groups)
	}
}

func silence(filter []float32, bias *float32, _ int) {
	clear(filter)
	*bias = 0
}

// deaf leaves only the middle taps of the filters that read every seventh channel, so that a constant in them adds the
// same to every output, on the border too.
func deaf(c *float.Conv) {
	eachReader(c, func(at, tap, _, _ int) {
		if tap != c.Shape.Kernel*c.Shape.Kernel/2 {
			c.Weight[at] = 0
		}
	})
}

// eachReader visits the weights of every seventh input channel.
func eachReader(c *float.Conv, visit func(at, tap, oc, channel int)) {
	in, size := c.Shape.In/c.Shape.Groups, len(c.Weight)/len(c.Bias)
	for at := range c.Weight {
		oc := at / size
		if channel := oc/(c.Shape.Out/c.Shape.Groups)*in + at%in; channel%7 == 0 {
			visit(at, at%size/in, oc, channel)
		}
	}
}

// withoutDead is the same network with zeros for every seventh channel of a layer, of which only the biases are heard.
func withoutDead(net *float.Net, name, reader string) *float.Net {
	n := net.Clone()
	c, r := n.Convs[name], n.Convs[reader]
	eachReader(r, func(at, _, oc, channel int) { r.Bias[oc] += r.Weight[at] * max(0, c.Bias[channel]) })
	kill(c, silence)
	return n
}

// TestDeadChannelsDoNoHarm compares networks with such channels to ones that compute the same without them: scales stay
// sensible, and no precision is lost.
func TestDeadChannelsDoNoHarm(t *testing.T) {
	cfg := small["cifar 4 groups of 14"]
	for _, c := range []struct{ source, dead, reader string }{
		{"stem", "stage1.block0.reduce", "stage1.block0.transform"},
		{"stage1.block0.reduce", "stage1.block0.transform", "stage1.block0.expand"},
		{"stage2.block1.reduce", "stage2.block1.transform", "stage2.block1.expand"},
	} {
		for kind, how := range deadChannels {
			t.Run(c.dead+"/"+kind, func(t *testing.T) {
				net := float.Random(cfg, 5)
				kill(net.Convs[c.source], silence)
				kill(net.Convs[c.dead], how)
				deaf(net.Convs[c.reader])
				same := withoutDead(net, c.dead, c.reader)
				rgb := picture(cfg, 1)
				want := net.NewRunner().Forward(rgb, testPreprocess())
				require.InDeltaSlice(t, want, same.NewRunner().Forward(rgb, testPreprocess()), 2e-3)
				q, plain := deadQuantised(t, net), deadQuantised(t, same)
				got, without := logitsSQNR(net, q), logitsSQNR(same, plain)
				t.Log(got, without)
				require.Greater(t, float64(got), float64(without)-1)
				for name, scale := range q.Scale {
					require.InDelta(t, 0, math.Log2(float64(scale/plain.Scale[name])), 4, name)
				}
				_, err := resnext.New(q, resnext.Options{Kernels: "generic"})
				require.NoError(t, err)
			})
		}
	}
}

// TestLoudWeightsOnDeadInputs: large weights that no image has ever used must not take the steps from the others.
func TestLoudWeightsOnDeadInputs(t *testing.T) {
	cfg := small["cifar 4 groups of 14"]
	const source, name = "stage1.block0.reduce", "stage1.block0.transform"
	made := func(factor float32) *float.Net {
		net := float.Random(cfg, 5)
		kill(net.Convs[source], silence)
		eachReader(net.Convs[name], func(at, _, _, _ int) { net.Convs[name].Weight[at] *= factor })
		return net
	}
	for _, effort := range Efforts() {
		var found []Decibel
		for _, factor := range []float32{0, blown, 1e20} {
			net := made(factor)
			q, _, err := Quantise(t.Context(), net, source40(net), collect(t, net, 40), testPreprocess(), Options{Effort: effort})
			require.NoError(t, err)
			found = append(found, logitsSQNR(net, q))
		}
		t.Log(effort, found)
		require.Greater(t, float64(found[1]), float64(found[0])-1)
		require.Greater(t, float64(found[2]), float64(found[0])-1)
	}
}

func source40(net *float.Net) Images { return source(net.Config, 40) }

func deadQuantised(t *testing.T, net *float.Net) *resnext.Quantised {
	q, _, err := Quantise(t.Context(), net, source(net.Config, 40), collect(t, net, 40), testPreprocess(), Options{})
	require.NoError(t, err)
	return q
}
