package weights

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/hub"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// FromCheckpoint builds the network that a checkpoint holds. Its configuration is inferred from names and
// shapes of the tensors; arch "auto" or "" takes what is found. The name of an architecture makes
// anything else an error that says in what they differ, and says what names and shapes do not show: which pooling and
// which convolution halves a map. The input size is the architecture's usual one,
// 224x224 pixels or, with the stem for small images, 32x32; see SetInputSize.
//
// Batch normalisation (epsilon 1e-5) is folded into the convolutions. A convolution that has a bias and
// no normalisation at all is taken as folded already. Every tensor must fit: all that are missing,
// misshapen, not finite or not part of the network are named in one error.
func FromCheckpoint(c *checkpoint.Checkpoint, arch string) (*float.Net, error) {
	n, _, err := fromCheckpoint(c, arch, &hub.Info{})
	return n, err
}

// fromCheckpoint is FromCheckpoint with what a hub says of transformers' networks, or nil; it tells the dialect.
func fromCheckpoint(c *checkpoint.Checkpoint, arch string, beside *hub.Info) (*float.Net, *dialect, error) {
	fail := func(err error) (*float.Net, *dialect, error) { return nil, nil, errorAt(c.Path, err) }
	tensors := slices.DeleteFunc(slices.Clone(c.Order), func(name string) bool { return c.Tensors[name] == nil })
	d := recognise(tensors)
	if d == nil {
		return fail(foreign(tensors))
	}
	if err := strange(tensors); err != nil {
		return fail(err)
	}
	var p problems
	f := newInference(c, d, &p)
	cfg, where, ok := f.network(tensors)
	if !ok {
		return fail(p.err("the network's form cannot be read from the tensors"))
	}
	form := beside.Form
	told := form != nil && form.Model == d.model
	if told {
		if err := applyForm(&cfg, form); err != nil {
			return fail(err)
		}
	}
	switch arch {
	case "", "auto":
		if !told {
			adoptArchitecture(&cfg, beside.Architecture, d)
		}
	default:
		named, err := resnext.Named(arch)
		if err != nil {
			return fail(err)
		}
		if !told {
			adopt(&cfg, named, d.showsAverage())
		}
		if err := agree(arch, named, cfg); err != nil {
			return fail(err)
		}
		cfg.Name = named.Name
	}
	r := reader{tensors: c.Tensors, hidden: c.Hidden, modules: d.modules(f.has, cfg, where), problems: &p, used: make(map[string]bool)}
	n := r.net(cfg)
	r.unused(tensors)
	if len(p.lines) > 0 {
		return fail(p.err(fmt.Sprintf("not a complete and sound network of this family (%s names)", d.title)))
	}
	return n, d, nil
}

// applyForm gives a network the strides that a hub says it has, and refuses what names and shapes do not show.
func applyForm(cfg *resnext.Config, form *hub.Form) error {
	if form.Activation != "" && form.Activation != "relu" {
		return fmt.Errorf("config.json beside it has the activation %q; only networks with relu run here", form.Activation)
	}
	cfg.Stages[0].Stride = 1
	if form.FirstStage {
		cfg.Stages[0].Stride = 2
	}
	for i := range cfg.Stages {
		if s := &cfg.Stages[i]; form.InBottleneck && s.Kind == resnext.Bottleneck {
			s.StrideOn = topology.Reduce
		}
	}
	cfg.Name = cfg.CanonicalName()
	return nil
}

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

// reader takes tensors out of a checkpoint by the modules' names of one dialect.
type reader struct {
	tensors  map[string]*checkpoint.Tensor
	hidden   map[string]string
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

// has reports whether the checkpoint has a tensor.
func (r *reader) has(name string) bool { return r.tensors[name] != nil }

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

// unused names the tensors that no layer asked for. The counters of training steps are none of them.
func (r *reader) unused(tensors []string) {
	for _, name := range tensors {
		if !r.used[name] && !strings.HasSuffix(name, ".num_batches_tracked") {
			r.problems.add("%s: not part of the network that the other tensors form (shape %v)", name, r.tensors[name].Shape)
		}
	}
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
