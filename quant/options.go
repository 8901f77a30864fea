package quant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/quant/round"
	"github.com/libresnext/libresnext/resnext"
)

// Options are the choices of Quantise. The zero value is a good start.
type Options struct {
	// Observer chooses the activations' ranges; "" is MSE.
	Observer Observer
	// Percentile is the share of values, in percent, that the Percentile observer keeps unclipped, more
	// than 0 and at most 100; 0 is DefaultPercentile. Other observers ignore it.
	Percentile float64
	// Depth is the acc16 depth: how many products of one sign the weights are made to prove safe to add up in 16 bits,
	// see resnext.Lanes: 2, 4 or 8; 0 leaves the weights alone. Larger depths cost precision and run
	// faster on x86-64 CPUs without VNNI. DepthAuto takes for each layer the largest with which its noise
	// grows by no more than AutoLoss over that with free weights.
	Depth int
	// Effort is how much work is done; "" is Default.
	Effort Effort
	// Without names techniques to leave out. Fast does without Absorption and Equalisation anyway.
	Without []Technique
	// Memory is about how many bytes the program should take while Quantise works, the networks among them; 0 means
	// DefaultMemory, for Max MaxMemory. Where it does not suffice for all the images that have use, fewer are carried
	// through the network, and of early layers, whose maps are large, fewer still. Equal memory gives an equal result.
	Memory int64
	// Threads is how many goroutines may work at once; 0 means one per CPU. The result is the same for
	// any number.
	Threads int
	// Progress, if not nil, is called after each layer, never twice at the same time.
	Progress func(done, total int)
}

// complete fills in the defaults and reports options that cannot be meant.
func (o Options) complete() (Options, error) {
	if o.Observer == "" {
		o.Observer = Observers()[0]
	}
	if !slices.Contains(Observers(), o.Observer) {
		return o, fmt.Errorf("unknown observer %q: expected one of %v", o.Observer, Observers())
	}
	if o.Percentile == 0 {
		o.Percentile = DefaultPercentile
	}
	if !(o.Percentile > 0 && o.Percentile <= 100) {
		return o, fmt.Errorf("percentile is %v, expected more than 0 and at most 100", o.Percentile)
	}
	if !slices.Contains([]int{DepthAuto, 0, 2, 4, 8}, o.Depth) {
		return o, fmt.Errorf("an acc16 depth of %d products, expected %d (auto), 0 (off), 2, 4 or 8", o.Depth, DepthAuto)
	}
	if o.Effort == "" {
		o.Effort = Default
	}
	if o.Memory == 0 {
		if o.Memory = DefaultMemory; o.Effort == Max {
			o.Memory = MaxMemory
		}
	}
	if o.Memory < 0 {
		return o, fmt.Errorf("memory is %d bytes, expected more than 0", o.Memory)
	}
	if !slices.Contains(Efforts(), o.Effort) {
		return o, fmt.Errorf("unknown effort %q: expected one of %v", o.Effort, Efforts())
	}
	for _, t := range o.Without {
		if !slices.Contains(Techniques(), t) {
			return o, fmt.Errorf("unknown technique %q: expected some of %v", t, Techniques())
		}
	}
	return o, nil
}

// uses reports whether a technique is part of the work.
func (o Options) uses(t Technique) bool {
	return (o.Effort != Fast || t.needsHessian()) && !slices.Contains(o.Without, t)
}

// techniques lists those that are part of the work.
func (o Options) techniques() []Technique {
	return slices.DeleteFunc(Techniques(), func(t Technique) bool { return !o.uses(t) })
}

// needsImages reports whether images must be carried through the network.
func (o Options) needsImages() bool { return len(o.techniques()) > 0 }

// passMemory is what images and the layer under way may take of Memory: what the float network, a changed copy of it, the
// int8 network and the rest of a program leave, less a part for the garbage collector.
func (o Options) passMemory(cfg resnext.Config) int64 {
	return max(leastPass, (o.Memory-programMemory-9*weightsIn(cfg))/5*4)
}

// programMemory is what a program takes beside networks and images.
const programMemory = 64 << 20

// leastMemory is about what Collect and Quantise take of a network however little they are told to.
func leastMemory(cfg resnext.Config) int64 { return programMemory + leastPass*5/4 + 12*weightsIn(cfg) }

func weightsIn(cfg resnext.Config) (n int64) {
	for _, s := range cfg.Convs() {
		n += int64(s.Weights())
	}
	return n
}

// needsHessian reports whether a layer must be measured for its techniques.
func (o Options) needsHessian() bool {
	return slices.ContainsFunc(o.techniques(), Technique.needsHessian)
}

// fit is how the techniques fit a layer.
func (o Options) fit() round.Fit {
	return round.Fit{
		Correct: o.uses(Correction), CorrectBias: o.uses(BiasCorrection), Together: o.uses(Rounding), Threads: o.Threads,
	}
}

// describe is what the model file says about how it was calibrated.
func (o Options) describe(images int) map[string]string {
	d := map[string]string{
		"observer": string(o.Observer), "images": fmt.Sprint(images),
		"chains": fmt.Sprint(o.Depth), "effort": string(o.Effort),
	}
	if o.Depth == DepthAuto {
		d["chains"] = "auto"
	}
	if o.Observer == Percentile {
		d["percentile"] = fmt.Sprint(o.Percentile)
	}
	if len(o.Without) > 0 {
		names := make([]string, len(o.Without))
		for i, t := range o.Without {
			names[i] = string(t)
		}
		d["without"] = strings.Join(names, ",")
	}
	return d
}
