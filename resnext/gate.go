package resnext

import (
	"fmt"
	"math"
	"slices"

	i8 "github.com/libresnext/libresnext/int8"
	"github.com/libresnext/libresnext/resnext/topology"
)

// scaleLimit bounds the multipliers of a gate's products, see asm.ScaleArgs.
const scaleLimit = 64

// gate checks and packs a gate, and returns the real value of one step of its output.
func (b *builder) gate(s topology.Step) (*i8.Gate, float32, error) {
	p := b.model.program
	in := p.Maps[s.In]
	spec := i8.GateSpec{In: mapOf(in), Out: mapOf(p.Maps[s.Out]), Epilogue: epilogueOf(p, s)}
	pixels := in.H * in.W
	spec.Pool, _ = PoolMultiplier(pixels)
	scale, err := b.scale(s.Name)
	if err != nil {
		return nil, 0, err
	}
	if spec.Mult, err = b.multiplier(s.Name, b.params.gate); err != nil {
		return nil, 0, err
	}
	if s.Add != topology.None {
		spec.Res = mapOf(p.Maps[s.Add])
		if spec.Residual, err = b.multiplier(s.Block, b.params.residual); err != nil {
			return nil, 0, err
		}
	}
	if spec.Table, err = b.table(); err != nil {
		return nil, 0, err
	}
	var layers []i8.GateLinear
	most := PooledMax(pixels)
	for _, l := range s.Gate {
		n, err := b.params.conv(l.Name)
		if err != nil {
			return nil, 0, err
		}
		if err := n.check(l.Name, l.Out, l.In, most, 0); err != nil {
			return nil, 0, err
		}
		layers = append(layers, i8.GateLinear{Weight: slices.Clone(n.Weight), Bias: n.Bias, Multiplier: n.Multiplier})
		most = math.MaxInt16
	}
	if s.GateKind == topology.SqueezeExcite {
		spec.Squeeze, spec.Excite = layers[0], layers[1]
	} else {
		spec.Kernel, spec.Bias, spec.Multiplier = layers[0].Weight, layers[0].Bias[0], layers[0].Multiplier[0]
	}
	return i8.NewGate(b.model.kernels, spec), scale, nil
}

// multiplier reads one of a gate's multipliers.
func (b *builder) multiplier(name string, read func(name string) (float32, error)) (float32, error) {
	m, err := read(name)
	if err == nil && !(m >= 0 && m < scaleLimit) {
		err = fmt.Errorf("%s: the multiplier of its gate or shortcut is %v, expected a number from 0 to below %d", name, m, scaleLimit)
	}
	return m, err
}

// table returns the sigmoid, which all gates share.
func (b *builder) table() ([]uint16, error) {
	if b.sigmoid == nil {
		table, err := b.params.sigmoid()
		if err != nil {
			return nil, err
		}
		if len(table) != SigmoidSteps {
			return nil, fmt.Errorf("%s: %d numbers, expected %d", sigmoidName, len(table), SigmoidSteps)
		}
		b.sigmoid = table
	}
	return b.sigmoid, nil
}

// gateJob scales a map; gatesJob, the only task of a step before it, computes by what.
type gateJob struct {
	gate         *i8.Gate
	state        *i8.GateState
	in, res, out []byte
	tasks        int
}

func (j *gateJob) run(task int, s *i8.Scratch) {
	j.gate.Run(j.in, j.res, j.out, j.state, task, j.tasks, s)
}

type gatesJob struct{ *gateJob }

func (j gatesJob) run(_ int, s *i8.Scratch) { j.gate.Squeeze(j.in, j.state, s) }
