package round

import (
	"math"
	"slices"

	"github.com/libresnext/libresnext/resnext"
)

// DepthAuto lets Round choose a layer's acc16 depth: the largest whose noise is no more than AutoLoss over that with free
// weights.
const DepthAuto = -1

// AutoLoss is by how many dB DepthAuto lets the noise of a layer's output grow.
const AutoLoss = 1.0

// Depths are the acc16 depths that there are, in products, the largest and fastest first; 0 is none.
var Depths = []int{8, 4, 2, 0}

// Rounded is a layer rounded for some acc16 depth.
type Rounded struct {
	*QuantisedLayer
	Depth int
	lanes *lanes
	// Growth is at most how many times as large the noise of the output is as with free weights, where that is
	// known; else 1.
	Growth float64
}

// Round quantises the layer for an acc16 depth of that many products, or DepthAuto. step is the expected size of its output's
// steps, and live the share of the output that is not 0: elsewhere the ReLU takes errors away.
func (l *Layer) Round(shape resnext.ConvShape, step, live float64, depth, threads int) Rounded {
	if depth != DepthAuto {
		return l.roundFor(shape, depth, live, threads)
	}
	// What the layers before made and no rounding helps, and what rounding the output to steps will add.
	floor := l.floor/float64(shape.Out) + live*step*step/12
	var free *Rounded // found only where it matters
	most := math.Pow(10, AutoLoss/10)
	var tried [][]int
	for _, n := range Depths {
		if n == 0 {
			break
		}
		lane, _ := resnext.Lanes(shape, n)
		if slices.ContainsFunc(tried, func(t []int) bool { return slices.Equal(t, lane) }) {
			continue // a smaller depth is the same here
		}
		tried = append(tried, lane)
		c := l.roundFor(shape, n, live, threads)
		if c.Noise == 0 {
			return c
		}
		if c.Growth = (floor + c.Noise) / floor; c.Growth <= most { // even if free weights were perfect
			return c
		}
		if free == nil {
			f := l.roundFor(shape, 0, live, threads)
			free = &f
		}
		if c.Growth = (floor + c.Noise) / (floor + free.Noise); c.Growth <= most {
			return c
		}
	}
	return *free
}

// RoundFree quantises a layer that is not summed in 16 bits, such as the classifier.
func (l *Layer) RoundFree(threads int) Rounded { return l.roundFor(resnext.ConvShape{}, 0, 1, threads) }

// roundFor quantises the layer for one acc16 depth. Its noise is that after the ReLU.
func (l *Layer) roundFor(shape resnext.ConvShape, depth int, live float64, threads int) Rounded {
	l.lanes = nil
	if depth > 0 {
		l.lanes = newLanes(resnext.Lanes(shape, depth))
	}
	q := l.quantise(threads)
	q.Noise *= live
	return Rounded{q, depth, l.lanes, 1}
}

// SaturatedLanes is the share of all filters' lanes in which one sign's weights sum up to the limit.
func (c Rounded) SaturatedLanes() float64 {
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
