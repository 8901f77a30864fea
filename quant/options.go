package quant

import (
	"fmt"
	"slices"
)

// Options are the choices of Quantise. The zero value is a good start.
type Options struct {
	// Observer chooses the activations' ranges; "" is MSE.
	Observer Observer
	// Percentile is the share of values, in percent, that the Percentile observer keeps unclipped, more
	// than 0 and at most 100; 0 is DefaultPercentile. Other observers ignore it.
	Percentile float64
	// Chains is how many products of one sign the weights are made to prove safe to add up in 16 bits, see
	// resnext.ConvShape.Lanes: 2, 4 or 8; 0 leaves the weights alone. Longer chains cost precision and run
	// faster on x86-64 CPUs without VNNI.
	Chains int
	// Threads is how many goroutines may work at once; 0 means one per CPU. The result is the same for
	// any number.
	Threads int
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
	if !slices.Contains([]int{0, 2, 4, 8}, o.Chains) {
		return o, fmt.Errorf("chains of %d products, expected 0 (off), 2, 4 or 8", o.Chains)
	}
	return o, nil
}

// describe is what the model file tells people about how it was calibrated.
func (o Options) describe(images int) map[string]string {
	d := map[string]string{"observer": string(o.Observer), "images": fmt.Sprint(images), "chains": fmt.Sprint(o.Chains)}
	if o.Observer == Percentile {
		d["percentile"] = fmt.Sprint(o.Percentile)
	}
	return d
}
