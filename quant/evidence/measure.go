package evidence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Images are images to ask with. Load returns image i of N, Height*Width*3 bytes RGB, the same each time; it may be called by
// several goroutines at once.
type Images struct {
	N    int
	Load func(i int) (rgb []byte, err error)
}

// Layer is how far a layer's sums are from those in training.
type Layer struct {
	Name string `json:"name"`
	// Divergence is the median over the channels of the divergence between the two distributions, in nats.
	Divergence float64 `json:"divergence"`
	// Variance is by how many powers of two the variance is larger than in training, the median over the channels.
	Variance float64 `json:"log2_variance"`
}

// Fit is how far a network is from its training on some images.
type Fit struct {
	Layers []Layer `json:"layers"`
	// Divergence is the mean of the layers'.
	Divergence float64 `json:"divergence"`
}

// Any reports whether a network keeps anything of its training.
func Any(net *float.Net) bool { return len(layers(net)) > 0 }

// layers are the convolutions that keep something, in the order in which they run.
func layers(net *float.Net) []resnext.ConvShape {
	return slices.DeleteFunc(topology.Lower(net.Config).Layers(), func(s resnext.ConvShape) bool {
		c := net.Convs[s.Name]
		return c == nil || c.Seen == nil
	})
}

// Measure compares what the layers of net give on images, prepared as p says, with what they gave in training. threads is as
// for quant.Collect, and the result the same for any. net must keep something of its training, see Any.
func Measure(ctx context.Context, net *float.Net, images Images, p resnext.Preprocess, threads int) (*Fit, error) {
	watched := layers(net)
	total := map[string]*moments{}
	for _, s := range watched {
		total[s.Name] = newMoments(s.Out)
	}
	newTask := func() parallel.Task[map[string]*moments] {
		r := net.NewRunner()
		var got map[string]*moments
		r.Sums = func(name string, channels int, data []float32) {
			if total[name] != nil {
				got[name] = newMoments(channels)
				got[name].add(data)
			}
		}
		return func(i int) (map[string]*moments, error) {
			rgb, err := images.Load(i)
			if err != nil {
				return nil, fmt.Errorf("image %d: %w", i, err)
			}
			got = map[string]*moments{}
			r.Forward(rgb, p)
			return got, nil
		}
	}
	err := parallel.InOrder(ctx, images.N, threads, newTask, func(_ int, got map[string]*moments) {
		for name, m := range got {
			total[name].merge(m)
		}
	})
	if err != nil {
		return nil, err
	}
	f := &Fit{}
	for _, s := range watched {
		l := compare(s.Name, total[s.Name], net.Convs[s.Name].Seen)
		f.Layers = append(f.Layers, l)
		f.Divergence += l.Divergence / float64(len(watched))
	}
	return f, nil
}

// moments are the sums of values and of their squares.
type moments struct {
	count        float64
	sum, squares []float64
}

func newMoments(channels int) *moments {
	return &moments{sum: make([]float64, channels), squares: make([]float64, channels)}
}

func (m *moments) add(data []float32) {
	c := len(m.sum)
	m.count += float64(len(data) / c)
	for ; len(data) >= c; data = data[c:] {
		for i, v := range data[:c] {
			x := float64(v)
			m.sum[i] += x
			m.squares[i] += x * x
		}
	}
}

func (m *moments) merge(o *moments) {
	m.count += o.count
	for i := range m.sum {
		m.sum[i] += o.sum[i]
		m.squares[i] += o.squares[i]
	}
}

// farthest bounds the divergence of a channel and the ratio of its variances: a channel that is constant here, or was in
// training, is as far as that.
const farthest = 1e6

// compare compares a layer's sums with those in training. Channels that were constant there say nothing.
func compare(name string, m *moments, seen *float.Seen) Layer {
	var divergences, variances []float64
	for i := range m.sum {
		mean := m.sum[i] / m.count
		variance := max(0, m.squares[i]/m.count-mean*mean)
		was, at := float64(seen.Variance[i]), float64(seen.Mean[i])
		if !(was > 1e-12) {
			continue
		}
		ratio := min(max(variance/was, 1/farthest), farthest)
		d := 0.5 * (ratio - 1 - math.Log(ratio) + (mean-at)*(mean-at)/was)
		if math.IsNaN(d) {
			d = farthest
		}
		divergences, variances = append(divergences, min(d, farthest)), append(variances, math.Log2(ratio))
	}
	return Layer{name, median(divergences), median(variances)}
}

// median is that of a list, which it sorts; 0 of none.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}
