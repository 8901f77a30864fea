package float

import (
	"fmt"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// What names and shapes of tensors do not tell may be read in several ways. Each function here reads a network in another
// way: it gives one that shares the weights of n, which stays as it is, and has the name that it has in that form, if any.

// reshaped gives a network another configuration, whose layers have the same weights.
func (n *Net) reshaped(change func(cfg *resnext.Config)) (*Net, error) {
	r := n.share()
	change(&r.Config)
	if err := CheckSize(r.Config); err != nil {
		return nil, err
	}
	r.Config.Name = r.Config.CanonicalName()
	return r, r.SetInputSize(r.Config.Height, r.Config.Width)
}

// WithStrideOn puts the stride of each bottleneck on the convolution of that role, and takes anti-aliasing away:
// topology.Reduce for ResNets as first published, whose weights look the same, or topology.Transform.
func (n *Net) WithStrideOn(role topology.Role) (*Net, error) {
	return n.reshaped(func(cfg *resnext.Config) {
		for i := range cfg.Stages {
			s := &cfg.Stages[i]
			if s.AntiAlias = topology.NoPool; s.Kind == topology.Bottleneck {
				if s.StrideOn = role; role == s.Kind.Stride() {
					s.StrideOn = ""
				}
			}
		}
	})
}

// WithAntiAlias halves maps by a pooling behind the convolutions that had the stride: topology.Average2x2 or
// topology.Blur3x3, and the stem's map as timm's networks of the kind do; or not so, for topology.NoPool.
func (n *Net) WithAntiAlias(pool topology.Pool) (*Net, error) {
	return n.reshaped(func(cfg *resnext.Config) {
		if cfg.Stem.Pool != topology.NoPool {
			cfg.Stem.Pool = map[topology.Pool]topology.Pool{
				topology.NoPool: topology.Max3x3, topology.Average2x2: topology.Average2x2, topology.Blur3x3: topology.MaxBlur,
			}[pool]
		}
		for i := range cfg.Stages {
			s := &cfg.Stages[i]
			s.StrideOn = ""
			if s.AntiAlias = topology.NoPool; s.Stride != 1 {
				s.AntiAlias = pool
			}
		}
	})
}

// WithStem gives the stem's first convolution a stride, and the stem a pooling.
func (n *Net) WithStem(stride int, pool topology.Pool) (*Net, error) {
	return n.reshaped(func(cfg *resnext.Config) { cfg.Stem.Convs[0].Stride, cfg.Stem.Pool = stride, pool })
}

// WithPadding puts the zeros of shortcuts without weights around the channels of their input, or all behind them.
func (n *Net) WithPadding(around bool) (*Net, error) {
	r := n.share()
	for _, s := range topology.Lower(r.Config).Steps {
		if s.Role == topology.Shortcut && r.Config.Stages[s.Stage].Shortcut == topology.Padded {
			before := 0
			if around {
				before = (s.Conv.Out - s.Conv.In) / 2
			}
			r.Convs[s.Name] = Padded(s.Conv, before)
		}
	}
	return r, nil
}

// WithChannelsTurned reads a network that takes blue, green and red as one that takes red, green and blue, or the other way
// round.
func (n *Net) WithChannelsTurned() *Net {
	r := n.share()
	stem := r.Convs[topology.StemConvName(0)]
	turned := stem.clone()
	for i := 0; i+2 < len(turned.Weight); i += 3 {
		turned.Weight[i], turned.Weight[i+2] = turned.Weight[i+2], turned.Weight[i]
	}
	*stem = turned
	return r
}

// CheckStem reports a stem that a reading is not for: stems of one convolution of the given kernel can have any stride of 1
// or 2, with or without a pooling.
func (n *Net) CheckStem(kernel int) error {
	if convs := n.Config.Stem.Convs; len(convs) != 1 || convs[0].Kernel != kernel {
		return fmt.Errorf("the stem is not one convolution of %dx%d", kernel, kernel)
	}
	return nil
}
