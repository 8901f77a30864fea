package quant

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/resnext"
)

// AutoLoss is by how many dB ChainsAuto lets the noise of a layer's output grow.
const AutoLoss = 1.0

// chainLengths are the chains that there are, in products, the longest and fastest first; 0 is none.
var chainLengths = []int{8, 4, 2, 0}

// chained is a layer rounded for chains of some length.
type chained struct {
	*quantisedLayer
	chains int
	lanes  *lanes
	// growth is at most how many times as large the noise of the output is as with free weights, where that is
	// known; else 1.
	growth float64
}

// round quantises the layer for the chains that the options ask for. step is the expected size of its output's
// steps, and live the share of the output that is not 0: elsewhere the ReLU takes errors away.
func (l *layer) round(shape resnext.ConvShape, step, live float64, o Options) chained {
	if o.Chains != ChainsAuto {
		return l.roundFor(shape, o.Chains, live, o.Threads)
	}
	// What the layers before made and no rounding helps, and what rounding the output to steps will add.
	floor := l.floor/float64(shape.Out) + live*step*step/12
	var free *chained // found only where it matters
	most := math.Pow(10, AutoLoss/10)
	var tried [][]int
	for _, n := range chainLengths {
		if n == 0 {
			break
		}
		lane, _ := resnext.Lanes(shape, n/productsPerQuad)
		if slices.ContainsFunc(tried, func(t []int) bool { return slices.Equal(t, lane) }) {
			continue // shorter chains are the same here
		}
		tried = append(tried, lane)
		c := l.roundFor(shape, n, live, o.Threads)
		if c.noise == 0 {
			return c
		}
		if c.growth = (floor + c.noise) / floor; c.growth <= most { // even if free weights were perfect
			return c
		}
		if free == nil {
			f := l.roundFor(shape, 0, live, o.Threads)
			free = &f
		}
		if c.growth = (floor + c.noise) / (floor + free.noise); c.growth <= most {
			return c
		}
	}
	return *free
}

// roundFor quantises the layer for chains of one length. Its noise is that after the ReLU.
func (l *layer) roundFor(shape resnext.ConvShape, chains int, live float64, threads int) chained {
	l.lanes = nil
	if chains > 0 {
		l.lanes = newLanes(resnext.Lanes(shape, chains/productsPerQuad))
	}
	q := l.quantise(threads)
	q.noise *= live
	return chained{q, chains, l.lanes, 1}
}

// saturatedLanes is the share of all filters' lanes in which one sign's weights sum up to the limit.
func (c chained) saturatedLanes() float64 {
	if c.lanes == nil {
		return 0
	}
	size, full, all := len(c.weight)/len(c.bias), 0, 0
	for oc := range c.bias {
		w := c.weight[oc*size:][:size]
		for i := range c.lanes.count() {
			positive, negative := 0, 0
			for _, at := range c.lanes.order[c.lanes.start[i]:c.lanes.start[i+1]] {
				positive += max(int(w[at]), 0)
				negative -= min(int(w[at]), 0)
			}
			all++
			if max(positive, negative) >= resnext.LaneLimit {
				full++
			}
		}
	}
	return float64(full) / float64(max(1, all))
}
