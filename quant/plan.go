package quant

import (
	"github.com/libresnext/libresnext/quant/pass"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Plan is what calibration will do with the images, and how much work it expects.
type Plan struct {
	// Collect is how many images Collect is worth running on: with Fast no more than make good ranges, else all.
	Collect int
	// First and Last are how many images go through the first and the last layer of both networks.
	First, Last int
	// Collecting and Quantising are the work of Collect and of Quantise, in multiply-accumulates of the float network that
	// take as long on one core.
	Collecting, Quantising float64
	// Memory is about how many bytes the program will take: Options.Memory, or more where the network asks for it.
	Memory int64
}

// What takes as long as so many multiply-accumulates of asm.Sgemm, on a Zen 4.
const (
	observeCost = 20    // to observe a value of a map
	weightCost  = 10000 // to find a weight's integer
	doubleCost  = 12    // a multiply-accumulate in float64
)

// NewPlan plans for n images of a network.
func NewPlan(cfg resnext.Config, n int, o Options) (Plan, error) {
	o, err := o.complete()
	if err != nil {
		return Plan{}, err
	}
	budget := budgets[o.Effort]
	macs := float64(cfg.MACs())
	p := Plan{Collect: n, Memory: max(o.Memory, leastMemory(cfg))}
	if budget.collect > 0 {
		p.Collect = min(n, max(fewestImages, int(budget.collect/max(1, cfg.MACs()))))
	}
	program := topology.Lower(cfg)
	values := 0
	for _, m := range program.Maps {
		values += m.Values()
	}
	p.Collecting = float64(p.Collect) * (macs + observeCost*float64(values))
	carry := o.passBudget(cfg)
	if o.needsImages() {
		p.First, p.Last = carry.Images(program, 0, p.Collect), carry.Images(program, len(program.Steps)-1, p.Collect)
		// Each goes through both networks, and its maps are read and written several times.
		p.Quantising = float64(p.Last) * (2*macs + 2*observeCost*float64(values))
	}
	for _, s := range program.Steps {
		if s.Op == topology.Conv || s.Op == topology.Classify {
			p.Quantising += layerWork(s.Conv, budget, o)
		}
	}
	return p, nil
}

// layerWork is the work of correcting and rounding a layer.
func layerWork(s resnext.ConvShape, b searchBudget, o Options) float64 {
	k, groups := float64(s.Weights()/s.Out), float64(s.Groups)
	work := weightCost * float64(s.Weights())
	if !o.needsHessian() || int(k) > b.pass.Hessian {
		return work
	}
	samples, filters := float64(b.pass.Samples), float64(s.Out)
	work += samples * k * (k*groups + 2*filters)             // covariances
	work += doubleCost * k * k * (k*groups/3 + 2*filters)    // two factors, and what is solved
	return work + float64(1+b.rounding.Sweeps)*k*k*filters/2 // rounding
}

// passBudget is what carrying images may take.
func (o Options) passBudget(cfg resnext.Config) pass.Budget {
	b := budgets[o.Effort].pass
	b.Memory = o.passMemory(cfg)
	return b
}
