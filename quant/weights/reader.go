package weights

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// problems collects what is wrong with a checkpoint.
type problems struct{ lines []string }

func (p *problems) add(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

// err is one error that lists them, the first 20.
func (p *problems) err(what string) error {
	const limit = 20
	lines := p.lines[:min(limit, len(p.lines))]
	text := what + ":\n  " + strings.Join(lines, "\n  ")
	if more := len(p.lines) - len(lines); more > 0 {
		text += fmt.Sprintf("\n  and %d more", more)
	}
	return errors.New(text)
}

// reader takes the tensors of layers by the modules' names.
type reader struct {
	*view
	modules  map[string]names
	problems *problems
	used     map[string]bool
}

func (r *reader) net(cfg resnext.Config) *float.Net {
	n := &float.Net{Config: cfg, Convs: make(map[string]*float.Conv)}
	for _, s := range topology.Lower(cfg).Steps {
		for _, shape := range s.Layers() {
			var c float.Conv
			switch {
			case isPadding(cfg, s):
				c = *float.Padded(shape, (shape.Out-shape.In)/2) // half of the zeros in front, as in the usual code
			case s.Op == topology.Conv:
				c = r.conv(shape)
			case s.Op == topology.Classify:
				n.Classifier = r.classifier(shape)
				continue
			default:
				c = r.gate(shape)
			}
			n.Convs[shape.Name] = &c
		}
	}
	return n
}

// isPadding reports whether a step is a shortcut that no file has numbers for.
func isPadding(cfg resnext.Config, s topology.Step) bool {
	return s.Role == topology.Shortcut && cfg.Stages[s.Stage].Shortcut == topology.Padded
}

// conv reads a convolution with its normalisation.
func (r *reader) conv(s resnext.ConvShape) float.Conv {
	n := r.modules[s.Name]
	c := float.Conv{Shape: s, Bias: make([]float32, s.Out)}
	w := r.take(n.conv+".weight", s.Out, s.In/s.Groups, s.Kernel, s.Kernel)
	hasBias := r.has(n.conv + ".bias")
	if hasBias {
		if b := r.take(n.conv+".bias", s.Out); b != nil {
			copy(c.Bias, b)
		}
	}
	var norm *batchNorm
	if !hasBias || r.hasNorm(n.norm) {
		norm = r.norm(n.norm, s.Out)
		if norm == nil {
			return c
		}
	}
	if w == nil {
		return c
	}
	c.Weight = toChannelsLast(w, s.Out, s.In/s.Groups, s.Kernel*s.Kernel)
	if norm != nil {
		norm.fold(&c)
		if firstNonFinite(c.Weight) >= 0 || firstNonFinite(c.Bias) >= 0 {
			r.problems.add("%s.weight: leaves the range of float32 once %s is folded in", n.conv, n.norm)
		}
	}
	return c
}

func (r *reader) classifier(s resnext.ConvShape) float.Conv {
	name := r.modules[s.Name].conv
	return float.Conv{
		Shape: s, Weight: slices.Clone(r.take(name+".weight", s.Out, s.In)), Bias: slices.Clone(r.take(name+".bias", s.Out)),
	}
}

// gate reads a layer of a gate: a linear layer, or a convolution that has a dimension for its place besides. Biases are 0
// where there are none.
func (r *reader) gate(s resnext.ConvShape) float.Conv {
	n := r.modules[s.Name]
	c := float.Conv{Shape: s, Bias: make([]float32, s.Out)}
	shape := []int{s.Out, s.In}
	if t := r.tensors[n.conv+".weight"]; t != nil && (len(t.Shape) == 4 || len(t.Shape) == 3) {
		shape = slices.Concat(shape, []int{1, 1})
		if len(t.Shape) == 3 {
			shape = []int{s.Out, 1, s.In}
		}
	}
	c.Weight = slices.Clone(r.take(n.conv+".weight", shape...))
	if r.has(n.conv + ".bias") {
		copy(c.Bias, r.take(n.conv+".bias", s.Out))
	}
	return c
}

// norm reads a batch normalisation; nil if something is wrong with it.
func (r *reader) norm(name string, channels int) *batchNorm {
	n := &batchNorm{
		gain: r.take(name+".weight", channels), shift: r.take(name+".bias", channels),
		mean: r.take(name+".running_mean", channels), variance: r.take(name+".running_var", channels),
		epsilon: normEpsilon,
	}
	if n.gain == nil || n.shift == nil || n.mean == nil || n.variance == nil {
		return nil
	}
	if i := n.negative(); i >= 0 {
		r.problems.add("%s.running_var: element %d is %v, a variance cannot be negative", name, i, n.variance[i])
		return nil
	}
	return n
}

// hasNorm reports whether it has any tensor of a batch normalisation.
func (r *reader) hasNorm(name string) bool {
	return r.has(name+".weight") || r.has(name+".bias") || r.has(name+".running_mean") || r.has(name+".running_var")
}

// take gives the elements of a tensor of the expected shape, all finite; nil after noting what is wrong.
func (r *reader) take(name string, shape ...int) []float32 {
	r.used[name] = true
	t := r.tensors[name]
	if class := r.hidden[name]; t == nil && class != "" {
		r.problems.add("%s: is an object of class %.100q, which stays closed; expected a tensor of shape %v: save a plain state_dict", name, class, shape)
		return nil
	}
	if t == nil {
		r.problems.add("%s: missing, expected shape %v", name, shape)
		return nil
	}
	if !slices.Equal(t.Shape, shape) {
		r.problems.add("%s: shape is %v, expected %v", name, t.Shape, shape)
		return nil
	}
	size := 1
	for _, n := range shape {
		size *= n
	}
	if len(t.Data) != size {
		r.problems.add("%s: has %d elements, its shape %v needs %d", name, len(t.Data), shape, size)
		return nil
	}
	if i := firstNonFinite(t.Data); i >= 0 {
		r.problems.add("%s: element %d is %v", name, i, t.Data[i])
		return nil
	}
	return t.Data
}

// firstNonFinite is the index of the first NaN or infinity, or -1.
func firstNonFinite(x []float32) int {
	for i, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return i
		}
	}
	return -1
}
