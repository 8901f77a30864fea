package onnx

import (
	"fmt"
	"math"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

const (
	imageName     = "image"
	logitsName    = "logits"
	embeddingName = "embedding"
	// imageStep is the real value of one step of the image's bytes.
	imageStep = 1.0 / 255
	// signedZero is the zero point of signed values in uint8: one type of activations for all.
	signedZero = 128
)

// exporter makes one network's graph.
type exporter struct {
	graph
	q       *resnext.Quantised
	ranges  Ranges
	options Options
	err     error
}

func (e *exporter) network() {
	p := topology.Lower(e.q.Config)
	image := e.padded(e.q.Config, e.q.Preprocess)
	image = e.node("DequantizeLinear", imageName+".real", append([]string{image}, e.scaling(imageName, imageStep, 0)...))
	values := make([]value, len(p.Maps))
	values[topology.Image] = value{image, imageStep}
	for _, s := range p.Steps {
		x := values[s.In]
		switch s.Op {
		case topology.Conv:
			values[s.Out] = e.layer(p, s, values)
		case topology.MaxPool:
			most := e.node("MaxPool", s.Name+".max", []string{x.name}, window(3, s.Stride, 1)...)
			values[s.Out] = e.round(most, s.Name, x.step, 0)
		case topology.AveragePool:
			attributes := append(window(2, 2, 0), intAttribute("ceil_mode", 1))
			mean := e.node("AveragePool", s.Name+".mean", []string{x.name}, attributes...)
			values[s.Out] = e.round(mean, s.Name, x.step, 0)
		case topology.Blur:
			values[s.Out] = e.round(e.blur(p.Maps[s.In], s, x.name), s.Name, x.step, 0)
		case topology.Gated:
			values[s.Out] = e.gate(p, s, values)
		case topology.Classify:
			in := p.Maps[s.In]
			e.classifier(x, in.H*in.W)
		case topology.Embed:
			mean := e.node("GlobalAveragePool", resnext.AverageName+".real", []string{x.name})
			e.node("Flatten", embeddingName, []string{mean})
		}
	}
}

// blur adds a binomial filter: a reflected border, and a convolution of each channel by itself.
func (e *exporter) blur(in topology.Map, s topology.Step, x string) string {
	border := e.constant(s.Name+".border", int64Type, []int{8}, raw[int64](0, 0, 1, 1, 0, 0, 1, 1))
	x = e.node("Pad", s.Name+".padded", []string{x, border}, stringAttribute("mode", "reflect"))
	weights := make([]float32, 0, 9*in.Channels)
	for range in.Channels {
		for _, v := range []float32{1, 2, 1, 2, 4, 2, 1, 2, 1} {
			weights = append(weights, v/16)
		}
	}
	filter := e.constant(s.Name+".filter", float32Type, []int{in.Channels, 1, 3, 3}, raw(weights...))
	return e.node("Conv", s.Name+".filtered", []string{x, filter}, append(window(3, 2, 0), intAttribute("group", in.Channels))...)
}

// layer adds a convolution. The unsigned 8 bits that follow are the ReLU: they clip what is negative.
func (e *exporter) layer(p *topology.Program, s topology.Step, values []value) value {
	padding := s.Conv.Kernel / 2
	if s.Conv.Image {
		padding = 0 // the image is padded already
	}
	real := e.conv(s.Conv, values[s.In], padding)
	out := e.q.Scale[s.Name]
	switch {
	case s.Add != topology.None:
		return e.sum(s, real, values[s.Add], p.Maps[s.Add].Signed)
	case p.Maps[s.Out].Signed:
		return e.round(real, s.Name, out, signedZero)
	}
	return e.round(real, s.Name, out, 0)
}

// sum adds the shortcut to the last convolution of a block, which gives a tensor by the block's name. The convolution's
// own output is rounded to 8 bits first.
func (e *exporter) sum(s topology.Step, real string, shortcut value, signed bool) value {
	out := e.q.Scale[s.Name]
	branch, measured := e.ranges.Branch[s.Block]
	if !measured {
		branch = Range{-shortcut.step * math.MaxUint8, out * math.MaxUint8}
		if signed {
			most := shortcut.step * math.MaxInt8
			branch = Range{-most, out*math.MaxUint8 + most}
		}
	}
	step, zero := branch.quantise()
	y := e.round(real, s.Name, step, zero)
	sum := e.node("Add", s.Block+".sum", []string{y.name, shortcut.name})
	return e.round(sum, s.Block, out, 0)
}

// conv adds a convolution and gives the name of its real output.
func (e *exporter) conv(s resnext.ConvShape, x value, padding int) string {
	p, depth := e.q.Convs[s.Name], s.In/s.Groups
	e.check(s.Name, p, s.Out, s.Weights())
	e.checkScale(s.Name)
	if e.err != nil {
		return ""
	}
	// A multiplier is the step of input times weight over that of the output.
	steps := e.steps(s.Name, p.Multiplier, float64(e.q.Scale[s.Name])/float64(x.step))
	weight := channelsFirst(p.Weight, s.Out, s.Kernel*s.Kernel, depth)
	return e.node("Conv", s.Name+".conv", []string{
		x.name,
		e.perChannel(s.Name+".weight", int8Type, []int{s.Out, depth, s.Kernel, s.Kernel}, raw(weight...), steps),
		e.perChannel(s.Name+".bias", int32Type, []int{s.Out}, raw(p.Bias...), scaled(steps, x.step)),
	}, append(window(s.Kernel, s.Stride, padding), intAttribute("group", s.Groups))...)
}

// classifier adds the average and the last layer. The average is rounded to 8 bits, as an int8 product needs.
func (e *exporter) classifier(x value, pixels int) {
	cfg, p := e.q.Config, e.q.Classifier
	e.check(resnext.ClassifierName, p, cfg.Classes, cfg.Classes*cfg.Features())
	if e.err != nil {
		return
	}
	pooled := x.step
	if e.ranges.Pooled > 0 {
		pooled = e.ranges.Pooled / math.MaxUint8
	}
	average := e.node("GlobalAveragePool", resnext.AverageName+".real", []string{x.name})
	scaling := e.scaling(resnext.AverageName, pooled, 0)
	average = e.node("QuantizeLinear", resnext.AverageName, append([]string{average}, scaling...))
	average = e.node("Flatten", resnext.AverageName+".flat", []string{average})
	average = e.node("DequantizeLinear", average+".real", append([]string{average}, scaling...))

	// The multipliers and biases are made for the sum over all pixels, at 16 bits.
	pool, _ := resnext.PoolMultiplier(pixels)
	sumStep := float64(x.step) / float64(pixels) / float64(pool)
	steps := e.steps(resnext.ClassifierName, p.Multiplier, 1/sumStep)
	bias := make([]int32, cfg.Classes)
	for i, b := range p.Bias {
		v := math.RoundToEven(float64(b) * sumStep / float64(pooled))
		bias[i] = int32(min(max(v, math.MinInt32), math.MaxInt32))
	}
	e.node("Gemm", logitsName, []string{
		average,
		e.perChannel(resnext.ClassifierName+".weight", int8Type, []int{cfg.Classes, cfg.Features()}, raw(p.Weight...), steps),
		e.perChannel(resnext.ClassifierName+".bias", int32Type, []int{cfg.Classes}, raw(bias...), scaled(steps, pooled)),
	}, intAttribute("transB", 1))
}

// steps gives the weights' scales: the multipliers times factor.
func (e *exporter) steps(name string, multipliers []float32, factor float64) []float32 {
	steps := make([]float32, len(multipliers))
	for i, m := range multipliers {
		steps[i] = float32(float64(m) * factor)
		if v := float64(steps[i]); math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			e.fail(fmt.Errorf("%s: channel %d: the weights' scale would be %v, expected a finite number of at least 0", name, i, v))
		}
	}
	return steps
}

// check reports a layer whose numbers do not fit the configuration.
func (e *exporter) check(name string, p resnext.ConvParams, out, weights int) {
	if len(p.Weight) != weights || len(p.Bias) != out || len(p.Multiplier) != out {
		e.fail(fmt.Errorf("%s: %d weights, %d biases, %d multipliers; expected %d, %d, %d",
			name, len(p.Weight), len(p.Bias), len(p.Multiplier), weights, out, out))
	}
}

// checkScale reports an output whose scale is none.
func (e *exporter) checkScale(name string) {
	if s := e.q.Scale[name]; !(s > 0 && s <= math.MaxFloat32) {
		e.fail(fmt.Errorf("%s: the output scale is %v, expected a positive number", name, s))
	}
}

func (e *exporter) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func window(kernel, stride, padding int) []attribute {
	return []attribute{
		intsAttribute("kernel_shape", kernel, kernel),
		intsAttribute("strides", stride, stride),
		intsAttribute("pads", padding, padding, padding, padding),
	}
}

// channelsFirst brings weights from [out][taps][depth] to [out][depth][taps].
func channelsFirst(w []int8, out, taps, depth int) []int8 {
	t := make([]int8, len(w))
	for o := range out {
		from, to := w[o*taps*depth:], t[o*taps*depth:]
		for tap := range taps {
			for c := range depth {
				to[c*taps+tap] = from[tap*depth+c]
			}
		}
	}
	return t
}

func scaled(v []float32, factor float32) []float32 {
	s := make([]float32, len(v))
	for i, x := range v {
		s[i] = x * factor
	}
	return s
}
