package torch7

import (
	"fmt"
	"math"
	"strings"

	"github.com/libresnext/libresnext/quant/match"
)

// maxModules bounds the modules that are run through, which may be the same one many times.
const maxModules = 1 << 14

// maxPath bounds the path to a module, in bytes; only one that contains itself could have a longer one.
const maxPath = 1 << 10

// forward puts a module behind the nodes x: one, or what an nn.ConcatTable gave.
func (b *builder) forward(o *object, x []*match.Node, path string) ([]*match.Node, error) {
	if b.modules++; b.modules > maxModules {
		return nil, fmt.Errorf("%s: more than %d modules; that is no network of this family", path, maxModules)
	}
	if len(path) > maxPath {
		return nil, fmt.Errorf("%.60s...: modules in modules without end; the file is damaged", path)
	}
	title := fmt.Sprintf("%.60s %q", o.class, path)
	if o.table == nil {
		return nil, fmt.Errorf("%s: contains itself; the file is damaged", title)
	}
	_, kind, _ := strings.Cut(o.class, ".") // nn.ReLU and cudnn.ReLU are alike
	switch kind {
	case "Sequential", "DataParallelTable":
		return b.sequence(o, x, path, kind == "DataParallelTable")
	case "CAddTable":
		return []*match.Node{{Op: match.Add, Title: title, In: x}}, nil
	}
	if len(x) != 1 {
		return nil, fmt.Errorf("%s: takes %d tensors; expected nn.CAddTable after nn.ConcatTable", title, len(x))
	}
	switch kind {
	case "ConcatTable":
		return b.branches(o, x, path)
	case "Concat":
		n, err := o.concat(x[0], title)
		return []*match.Node{n}, err
	case "Identity", "Copy", "Contiguous":
		return x, nil
	case "Dropout", "SpatialDropout":
		return x, o.checkDropout(kind, title)
	}
	n, err := b.layer(o, kind, title, x[0])
	return []*match.Node{n}, err
}

// checkDropout wants a dropout that does nothing in evaluation: with the probability 0, or of the kind that scales
// in training instead. The older kind, which is SpatialDropout's only one, multiplies by 1-p.
func (o *object) checkDropout(kind, title string) error {
	p := o.number("p", 0.5)
	newer, _ := o.fields["v2"].(bool)
	random, _ := o.fields["stochastic_inference"].(bool)
	switch {
	case p == 0:
		return nil
	case random:
		return fmt.Errorf("%s: drops values in evaluation too (stochastic_inference); expected a network whose answers are fixed: set it to false and save the model again", title)
	case newer && kind == "Dropout":
		return nil
	}
	return fmt.Errorf("%s: multiplies by 1-p = %.4g in evaluation, as dropout of the older kind does (its v2 is not true); expected one that does nothing there: "+
		"multiply the weights of the layer after it by that number, remove the module and save the model again", title, 1-p)
}

func (b *builder) sequence(o *object, x []*match.Node, path string, first bool) ([]*match.Node, error) {
	list, err := o.children()
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", o.class, path, err)
	}
	if first { // the copies of a network on several devices
		list = list[:min(1, len(list))]
	}
	for i, child := range list {
		if x, err = b.forward(child, x, fmt.Sprintf("%s.%d", path, i+1)); err != nil {
			return nil, err
		}
	}
	return x, nil
}

func (b *builder) branches(o *object, x []*match.Node, path string) ([]*match.Node, error) {
	list, err := o.children()
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", o.class, path, err)
	}
	var outs []*match.Node
	for i, child := range list {
		out, err := b.forward(child, x, fmt.Sprintf("%s.%d", path, i+1))
		if err != nil {
			return nil, err
		}
		outs = append(outs, out...)
		if len(outs) > maxBranches {
			return nil, fmt.Errorf("%s %q: has more than %d branches; expected two", o.class, path, maxBranches)
		}
	}
	return outs, nil
}

const maxBranches = 64

// layer makes the node of a module without others in it.
func (b *builder) layer(o *object, kind, title string, x *match.Node) (*match.Node, error) {
	n := &match.Node{Title: title, In: []*match.Node{x}}
	switch kind {
	case "SpatialConvolution", "SpatialConvolutionMM":
		n.Op = match.Conv
		return n, b.conv(o, n)
	case "SpatialBatchNormalization":
		n.Op = match.Norm
		return n, b.norm(o, n)
	case "ReLU":
		n.Op = match.ReLU
	case "SpatialMaxPooling", "SpatialAveragePooling":
		n.Op = match.MaxPool
		if kind == "SpatialAveragePooling" {
			n.Op = match.Average
		}
		n.Kernel = o.pair("kW", "kH", 0, n)
		o.window(n)
		n.Ceil, _ = o.fields["ceil_mode"].(bool)
		if n.Ceil && n.Op == match.MaxPool {
			n.Problem = "rounds its output's size up (ceil_mode); expected down"
		}
	case "View", "Reshape":
		switch n.Op = match.Op(kind); x.Op {
		case match.Average: // [channels,1,1] to [channels]
			n.Op = match.Flat
		case match.Flat:
			return x, nil
		}
	case "Sigmoid":
		n.Op = match.Sigmoid
	case "SoftMax", "LogSoftMax":
		n.Op = match.Softmax
	case "Linear":
		n.Op = match.Linear
		return n, b.linear(o, n)
	default:
		n.Op = match.Op(kind)
	}
	return n, nil
}

// concat is the shortcut without weights of fb.resnet.torch: beside the map's channels as many that are multiplied by 0.
func (o *object) concat(x *match.Node, title string) (*match.Node, error) {
	list, err := o.children()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", title, err)
	}
	n := &match.Node{Op: match.Pad, Title: title, In: []*match.Node{x}, After: match.AsMany}
	zeros := len(list) == 2 && o.number("dimension", 0) == 2
	for i, child := range list {
		_, kind, _ := strings.Cut(child.class, ".")
		zeros = zeros && (i == 0 && kind == "Identity" || i == 1 && kind == "MulConstant" && child.number("constant_scalar", 1) == 0)
	}
	if !zeros {
		n.Problem = "joins more than nn.Identity and nn.MulConstant(0) along the channels, dimension 2; expected these, in a shortcut"
	}
	return n, nil
}

func (b *builder) conv(o *object, n *match.Node) (err error) {
	if n.Weight, err = b.tensor(o, n.Title, "weight"); err != nil {
		return err
	}
	n.Kernel = o.pair("kW", "kH", 0, n)
	n.Groups = max(1, o.integer("groups", 1, n))
	out, in := o.integer("nOutputPlane", 0, n), o.integer("nInputPlane", 0, n)
	depth := in / n.Groups
	if n.Weight == nil || out < 1 || depth < 1 || n.Kernel < 1 || len(n.Weight.Data)%out != 0 ||
		len(n.Weight.Data)/out%depth != 0 || len(n.Weight.Data)/out/depth != n.Kernel*n.Kernel {
		return fmt.Errorf("%s: its weights do not fit %d to %d channels, a kernel of %d and %d groups; the file is damaged", n.Title, in, out, n.Kernel, n.Groups)
	}
	n.Weight.Shape = []int{out, depth, n.Kernel, n.Kernel} // SpatialConvolutionMM has two dimensions
	o.window(n)
	n.Bias, err = b.vector(o, n.Title, "bias", out)
	return err
}

func (b *builder) norm(o *object, n *match.Node) error {
	s := &match.Stats{Title: n.Title, Epsilon: o.number("eps", 1e-5)}
	mean, err := b.tensor(o, n.Title, "running_mean")
	if err != nil {
		return err
	}
	if mean == nil {
		return fmt.Errorf("%s: has no running_mean; save the model with its statistics", n.Title)
	}
	s.Mean = mean.Data
	for _, f := range []struct {
		name string
		list *[]float32
	}{{"weight", &s.Gain}, {"bias", &s.Shift}, {"running_var", &s.Variance}} {
		if *f.list, err = b.vector(o, n.Title, f.name, len(s.Mean)); err != nil {
			return err
		}
		if *f.list == nil {
			return fmt.Errorf("%s: has no %s; expected an affine normalisation of nn or cudnn from 2015 or later", n.Title, f.name)
		}
	}
	if !(s.Epsilon >= 0 && s.Epsilon <= 1) {
		n.Problem = fmt.Sprintf("has an epsilon of %v; expected a small positive number", s.Epsilon)
	}
	n.Stats = s
	return nil
}

func (b *builder) linear(o *object, n *match.Node) (err error) {
	if n.Weight, err = b.tensor(o, n.Title, "weight"); err != nil {
		return err
	}
	if n.Weight == nil || len(n.Weight.Shape) != 2 {
		return fmt.Errorf("%s: its weights are no matrix; the file is damaged", n.Title)
	}
	n.Bias, err = b.vector(o, n.Title, "bias", n.Weight.Shape[0])
	return err
}

// window reads how a window moves over the map.
func (o *object) window(n *match.Node) {
	n.Stride, n.Pad = o.pair("dW", "dH", 1, n), o.pair("padW", "padH", 0, n)
}

// pair reads two fields that must be alike.
func (o *object) pair(a, b string, missing float64, n *match.Node) int {
	x, y := o.integer(a, missing, n), o.integer(b, missing, n)
	if x != y && n.Problem == "" {
		n.Problem = fmt.Sprintf("has %s %d and %s %d; expected the same", a, x, b, y)
	}
	return x
}

// integer reads a small number that is not negative.
func (o *object) integer(name string, missing float64, n *match.Node) int {
	v := o.number(name, missing)
	if !(v >= 0 && v <= math.MaxInt16 && v == math.Floor(v)) {
		n.Problem = fmt.Sprintf("has %s %v; expected a small whole number", name, v)
		return 0
	}
	return int(v)
}
