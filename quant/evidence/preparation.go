package evidence

import (
	"fmt"
	"math"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// The figures by which a preparation is doubted. A right one was within 0.003 nats of training on images of the same kind and
// within 0.3 on darker or recompressed ones, which no other usual one fitted better; a wrong one was 0.1 and more away, and
// the right one fitted a hundred times as well.
const (
	// doubtful is how far the first layer may be from its training.
	doubtful = 0.1
	// better is how many times as far as another preparation it must be too, which must be near itself.
	better = 5
	near   = 0.03
	// impossible is by how many powers of two the variance may be off at all.
	impossible = 4
)

// Preparation is what the first layer says of the mean and the standard deviation with which images are prepared.
type Preparation struct {
	// Layer is how far the first layer is from its training.
	Layer Layer `json:"layer"`
	// Doubtful reports whether the preparation is probably another than in training.
	Doubtful bool `json:"doubtful"`
	// Fits describes a usual preparation that fits clearly better, and Options what asks for it; empty where none does.
	Fits    string `json:"fits"`
	Options string `json:"options"`
	// Divergence is how far the first layer is by that one.
	Divergence float64 `json:"fits_divergence"`
}

// usual are preparations that networks are trained with.
var usual = []struct {
	text, options string
	mean, std     [3]float32
}{
	{"ImageNet's mean and std", "--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225", [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}},
	{"values from -1 to 1", "--mean 0.5 --std 0.5", [3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5}},
	{"values from 0 to 1, not normalised", "--mean 0 --std 1", [3]float32{}, [3]float32{1, 1, 1}},
	{"values from 0 to 255, not normalised", "--mean 0 --std 1 on the scale of 0..255, which is --mean 0 --std 0.0039216", [3]float32{}, [3]float32{1. / 255, 1. / 255, 1. / 255}},
	{"ImageNet's mean on the scale of 0..255", "--mean 0.485,0.456,0.406 --std 0.0039216", [3]float32{0.485, 0.456, 0.406}, [3]float32{1. / 255, 1. / 255, 1. / 255}},
	{"CIFAR-10's mean and std", "--mean 0.4914,0.4822,0.4465 --std 0.2470,0.2435,0.2616", [3]float32{0.4914, 0.4822, 0.4465}, [3]float32{0.2470, 0.2435, 0.2616}},
	{"MNIST's mean and std", "--mean 0.1307 --std 0.3081", [3]float32{0.1307, 0.1307, 0.1307}, [3]float32{0.3081, 0.3081, 0.3081}},
	{"Fashion-MNIST's mean and std", "--mean 0.2860 --std 0.3530", [3]float32{0.2860, 0.2860, 0.2860}, [3]float32{0.3530, 0.3530, 0.3530}},
}

// Prepare compares the preparation p of images with the usual ones, by what the stem's first convolution gives; nil where
// that keeps nothing of its training. It takes as much time as that layer does.
func Prepare(net *float.Net, images Images, p resnext.Preprocess) (*Preparation, error) {
	c := net.Convs[topology.StemConvName(0)]
	if c == nil || c.Seen == nil {
		return nil, nil
	}
	alone := *c
	alone.Shape.ReLU = false
	layer := float.NewLayer(&alone)
	total := []*moments{newMoments(c.Shape.Out)}
	for range usual {
		total = append(total, newMoments(c.Shape.Out))
	}
	x, y := make([]float32, c.Shape.InH*c.Shape.InW*3), make([]float32, c.Shape.OutH*c.Shape.OutW*c.Shape.Out)
	for i := range images.N {
		rgb, err := images.Load(i)
		if err != nil {
			return nil, fmt.Errorf("image %d: %w", i, err)
		}
		for k, m := range total {
			mean, std := p.Mean, p.Std
			if k > 0 {
				mean, std = usual[k-1].mean, usual[k-1].std
			}
			for j, v := range rgb {
				x[j] = (float32(v)/math.MaxUint8 - mean[j%3]) / std[j%3]
			}
			layer.Run(x, y, false)
			m.add(y)
		}
	}
	r := &Preparation{Layer: compare(c.Shape.Name, total[0], c.Seen)}
	nearest := math.Inf(1)
	for k, m := range total[1:] {
		l := compare(c.Shape.Name, m, c.Seen)
		if r.Layer.Divergence > doubtful && l.Divergence < min(nearest, near, r.Layer.Divergence/better) {
			nearest = l.Divergence
			r.Fits, r.Options, r.Divergence = usual[k].text, usual[k].options, l.Divergence
		}
	}
	r.Doubtful = r.Fits != "" || math.Abs(r.Layer.Variance) > impossible
	return r, nil
}
