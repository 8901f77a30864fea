package weights

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/match"
)

// luma is what Pillow makes gray images of, of red, green and blue: ITU-R BT.601.
var luma = [3]float32{0.299, 0.587, 0.114}

// view is a network's tensors by the names behind its prefix, those of the classifier by their whole names. They are as
// layers want them: what is another form of the same numbers is brought to that.
type view struct {
	tensors map[string]*checkpoint.Tensor
	order   []string
	hidden  map[string]string
	// files are the names in the file that each of tensors was made of.
	files map[string][]string
}

// view gathers the tensors of a candidate. Where numbers are not read yet it knows the shapes alone.
func (x *candidate) view() *view {
	v := &view{tensors: map[string]*checkpoint.Tensor{}, hidden: map[string]string{}, files: map[string][]string{}}
	for name, class := range x.c.Hidden {
		if rest, ok := strings.CutPrefix(name, x.prefix); ok {
			v.hidden[rest] = class
		}
	}
	for _, name := range x.c.Order {
		if rest, ok := strings.CutPrefix(name, x.prefix); ok {
			v.put(rest, x.c.Tensors[name], name)
		}
	}
	v.prune()
	return v
}

func (v *view) put(name string, t *checkpoint.Tensor, files ...string) {
	if v.tensors[name] == nil {
		v.order = append(v.order, name)
	}
	v.tensors[name], v.files[name] = t, files
}

func (v *view) drop(name string) {
	delete(v.tensors, name)
	delete(v.files, name)
	v.order = slices.DeleteFunc(v.order, func(n string) bool { return n == name })
}

// filesOf gives the names in the file of all that some tensors were made of.
func (v *view) filesOf(names map[string]bool) map[string]bool {
	all := map[string]bool{}
	for name := range names {
		for _, file := range v.files[name] {
			all[file] = true
		}
	}
	return all
}

func (v *view) has(name string) bool { return v.tensors[name] != nil }

// prune makes weights of what torch.nn.utils.prune keeps in their place: the weights from before and a mask.
func (v *view) prune() {
	for _, original := range slices.Clone(v.order) {
		name, ok := strings.CutSuffix(original, "_orig")
		if !ok || !v.has(name+"_mask") || v.has(name) {
			continue
		}
		t, mask := v.tensors[original], v.tensors[name+"_mask"]
		if !slices.Equal(t.Shape, mask.Shape) {
			continue // both are named as left over
		}
		pruned := &checkpoint.Tensor{Name: name, Shape: t.Shape, DType: t.DType}
		if len(t.Data) == len(mask.Data) {
			for i, w := range t.Data {
				pruned.Data = append(pruned.Data, w*mask.Data[i])
			}
		}
		files := slices.Concat(v.files[original], v.files[name+"_mask"])
		v.drop(original)
		v.drop(name + "_mask")
		v.put(name, pruned, files...)
	}
}

// colour makes the weights of a stem that takes gray images those of one that takes colours and does the same: a gray
// image is a sum of red, green and blue. The mean and the standard deviation of images must then be alike in all three.
func (v *view) colour(stem string) bool {
	name := stem + ".weight"
	t := v.tensors[name]
	if t == nil || len(t.Shape) != 4 || t.Shape[1] != 1 {
		return false
	}
	c := &checkpoint.Tensor{Name: t.Name, Shape: []int{t.Shape[0], len(luma), t.Shape[2], t.Shape[3]}, DType: t.DType}
	if size := t.Shape[2] * t.Shape[3]; len(t.Data) > 0 && size > 0 && len(t.Data) == t.Shape[0]*size {
		for filter := range slices.Chunk(t.Data, size) {
			for _, part := range luma {
				for _, w := range filter {
					c.Data = append(c.Data, w*part)
				}
			}
		}
	}
	v.put(name, c, v.files[name]...)
	return true
}

// classifier adds the classifier's tensors under a name, a convolution as the linear layer that it is, without a bias as
// with one of zeros.
func (v *view) classifier(name string, c *checkpoint.Checkpoint, module string) {
	for _, suffix := range []string{".weight", ".bias", ".weight_orig", ".weight_mask"} {
		if t := c.Tensors[module+suffix]; t != nil {
			v.put(name+suffix, t, module+suffix)
		}
	}
	v.prune()
	t := v.tensors[name+".weight"]
	if t == nil {
		return
	}
	if len(t.Shape) == 4 && isLinear(t) {
		v.put(name+".weight", &checkpoint.Tensor{Name: t.Name, Shape: t.Shape[:2], DType: t.DType, Data: t.Data}, v.files[name+".weight"]...)
	}
	if !v.has(name+".bias") && len(t.Shape) > 0 && t.Shape[0] <= maxClasses && t.Shape[0] >= 0 {
		v.put(name+".bias", &checkpoint.Tensor{Name: name + ".bias", Shape: t.Shape[:1], DType: t.DType, Data: make([]float32, t.Shape[0])})
	}
}

// maxClasses bounds biases that are made up; ImageNet-21k has 21,843 classes.
const maxClasses = 1 << 20

// meanName are buffers in which a model keeps the mean of its images, beside one for the standard deviation.
var meanName = regexp.MustCompile(`^((?:.*\.)?(?:pixel_|image_)?)mean$`)

// buffers are the two that a model keeps for its images; none where it has no names.
type buffers struct {
	names     []string
	mean, std *checkpoint.Tensor
}

// findNormalisation finds the mean and the standard deviation of images in a state dict: three numbers each.
func findNormalisation(c *checkpoint.Checkpoint) buffers {
	for _, name := range c.Order {
		if m := meanName.FindStringSubmatch(name); m != nil {
			b := buffers{[]string{name, m[1] + "std"}, c.Tensors[name], c.Tensors[m[1]+"std"]}
			if b.std != nil && ofColours(b.mean) && ofColours(b.std) {
				return b
			}
		}
	}
	return buffers{}
}

func (b *buffers) has(name string) bool { return slices.Contains(b.names, name) }

// read gives the numbers of the buffers, which are on the scale of 0..1 or of 0..255; nil where there are none.
func (b *buffers) read() (*match.Normalisation, error) {
	if len(b.names) == 0 || len(b.mean.Data) != len(luma) || len(b.std.Data) != len(luma) {
		return nil, nil
	}
	n := &match.Normalisation{Mean: [3]float32(b.mean.Data), Std: [3]float32(b.std.Data)}
	if slices.Max(n.Std[:]) > 3 || slices.Max(n.Mean[:]) > 1.5 {
		for i := range n.Mean {
			n.Mean[i], n.Std[i] = n.Mean[i]/math.MaxUint8, n.Std[i]/math.MaxUint8
		}
	}
	if firstNonFinite(slices.Concat(n.Mean[:], n.Std[:])) >= 0 || slices.Min(n.Std[:]) <= 0 {
		return nil, fmt.Errorf("%s, %s: are %v and %v; expected the mean and the standard deviation of images", b.names[0], b.names[1], b.mean.Data, b.std.Data)
	}
	return n, nil
}

// ofColours reports whether a tensor has one number for each of red, green and blue.
func ofColours(t *checkpoint.Tensor) bool {
	size := 1
	for _, n := range t.Shape {
		if n != 1 && n != len(luma) {
			return false
		}
		size *= n
	}
	return size == len(luma)
}
