// Package float is the float32 form of a network: its weights with batch normalisation folded in, a runner that shows
// every activation map to whoever calibrates, evaluates or compares, and random networks. Package weights reads them
// from files.
//
// All maps are NHWC: [height][width][channels] float32, for one image. A Net may be shared by any number
// of goroutines as long as none changes it; a Runner, which owns the memory of one forward pass, belongs
// to one goroutine at a time. On one machine the same image and weights give the same bits, whatever else
// runs; machines with and without fused multiply-adds differ in the last bits.
package float

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/libresnext/libresnext/resnext"
)

// Net is a float32 network with batch normalisation folded in.
type Net struct {
	Config resnext.Config
	// Convs holds every convolution of Config.Convs by its name.
	Convs map[string]*Conv
	// Classifier is the last layer, its weights [Classes][Features].
	Classifier Conv

	packing packCache
}

// Conv is one convolution, or the classifier as a 1x1 convolution of a single pixel.
type Conv struct {
	Shape resnext.ConvShape
	// Weight is [Out][Kernel][Kernel][In/Groups].
	Weight []float32
	// Bias is [Out].
	Bias []float32
	// Seen is what training saw of the convolution's sums; nil where the file does not tell.
	Seen *Seen
}

// Seen are the mean and the variance that a batch normalisation kept of a convolution's output, as they are once it is
// folded in: of each channel of the sums, before a shortcut is added and before a ReLU.
type Seen struct{ Mean, Variance []float32 }

// maxMap bounds the elements of one activation map, 1 GiB of float32: a network at an input size that
// passes it would not run in the memory of any machine meant here.
const maxMap = 1 << 28

// SetInputSize changes the height and width of the images that the network takes, in pixels, and with
// them every Shape. The weights stay. Runners made earlier keep their size.
func (n *Net) SetInputSize(h, w int) error {
	cfg := n.Config
	cfg.Height, cfg.Width = h, w
	if err := CheckSize(cfg); err != nil {
		return fmt.Errorf("input size %dx%d: %w", w, h, err)
	}
	n.Config = cfg
	for _, shape := range cfg.Convs() {
		n.Convs[shape.Name].Shape = shape
	}
	return nil
}

// CheckSize reports a configuration that is impossible or whose maps are absurdly large.
func CheckSize(cfg resnext.Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	for _, s := range cfg.Convs() {
		in, out := int64(s.InH)*int64(s.InW)*int64(s.In), int64(s.OutH)*int64(s.OutW)*int64(s.Out)
		if n := max(in, out); n > maxMap {
			return fmt.Errorf("%w: %s has a map of %d elements, the limit is %d", resnext.ErrConfig, s.Name, n, maxMap)
		}
	}
	return nil
}

// Clone is a deep copy, whose weights may be changed without a trace in n.
func (n *Net) Clone() *Net {
	c := &Net{Config: n.Config.Clone(), Convs: make(map[string]*Conv, len(n.Convs)), Classifier: n.Classifier.clone()}
	for name, conv := range n.Convs {
		copied := conv.clone()
		c.Convs[name] = &copied
	}
	return c
}

func (c *Conv) clone() Conv {
	return Conv{Shape: c.Shape, Weight: slices.Clone(c.Weight), Bias: slices.Clone(c.Bias), Seen: c.Seen}
}

// share is a copy that may be given another Config. Its layers have the weights of n, packed where they are in n.
func (n *Net) share() *Net {
	c := &Net{Config: n.Config.Clone(), Convs: make(map[string]*Conv, len(n.Convs)), Classifier: n.Classifier}
	n.packing.mu.Lock()
	c.packing.convs = maps.Clone(n.packing.convs)
	n.packing.mu.Unlock()
	for name, conv := range n.Convs {
		shared := *conv
		c.Convs[name] = &shared
	}
	return c
}

// packCache keeps the packed weights that runners of one network share.
type packCache struct {
	mu    sync.Mutex
	convs map[string]cachedPack
}

type cachedPack struct {
	fingerprint uint64
	weights     *packedConv
}

// Unpack gives back the memory of the packed weights. Runners made earlier keep theirs, new ones pack again.
func (n *Net) Unpack() {
	n.packing.mu.Lock()
	defer n.packing.mu.Unlock()
	n.packing.convs = nil
}

// get gives c's packed weights, packed anew if they changed since the last call.
func (p *packCache) get(c *Conv) *packedConv {
	f := fingerprint(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.convs[c.Shape.Name]; ok && found.fingerprint == f {
		return found.weights
	}
	if p.convs == nil {
		p.convs = make(map[string]cachedPack)
	}
	made := packConv(c)
	p.convs[c.Shape.Name] = cachedPack{f, made}
	return made
}
