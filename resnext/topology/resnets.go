package topology

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// depth is what the number in the name of a ResNet for ImageNet says.
type depth struct {
	kind   Kind
	blocks [4]int
}

// depths by the number in a name: He et al. 2016, table 1, and what timm has besides.
var depths = map[string]depth{
	"10":    {Basic, [4]int{1, 1, 1, 1}},
	"14":    {Bottleneck, [4]int{1, 1, 1, 1}},
	"18":    {Basic, [4]int{2, 2, 2, 2}},
	"26":    {Bottleneck, [4]int{2, 2, 2, 2}},
	"34":    {Basic, [4]int{3, 4, 6, 3}},
	"50":    {Bottleneck, [4]int{3, 4, 6, 3}},
	"101":   {Bottleneck, [4]int{3, 4, 23, 3}},
	"152":   {Bottleneck, [4]int{3, 8, 36, 3}},
	"200":   {Bottleneck, [4]int{3, 24, 36, 3}},
	"201":   {Bottleneck, [4]int{3, 24, 36, 4}},
	"269":   {Bottleneck, [4]int{3, 30, 48, 8}},
	"270":   {Bottleneck, [4]int{4, 29, 53, 4}},
	"350":   {Bottleneck, [4]int{4, 36, 72, 4}},
	"420":   {Bottleneck, [4]int{4, 44, 87, 4}},
	"light": {Bottleneck, [4]int{1, 1, 11, 3}},
}

// form is what the letters in the name of a ResNet say.
type form struct {
	stem     []int // widths of a deep stem's convolutions; nil for one of 7x7
	shortcut ShortcutKind
}

// forms by the letter behind the depth (He et al. 2019, "Bag of Tricks"; t is timm's tiered stem); rs stands before it
// (Bello et al. 2021, "Revisiting ResNets"). Two networks are special.
var forms = map[string]form{
	"":      {},
	"c":     {stem: []int{32, 32, 64}},
	"d":     {[]int{32, 32, 64}, AveragedProjection},
	"s":     {stem: []int{64, 64, 128}},
	"t":     {[]int{24, 32, 64}, AveragedProjection},
	"rs":    {[]int{32, 32, 64}, AveragedProjection},
	"201d":  {[]int{64, 64, 128}, AveragedProjection},
	"light": {shortcut: AveragedProjection},
}

// The parts of a ResNet's name: gate, x, aa, blur or rs, depth, letter, cardinality and width, widen factor, version.
var resNetPattern = regexp.MustCompile(`^(se|eca)?resne(t|xt)(aa|blur|rs)?(\d{1,4}|light)([cdst])?(?:_(\d{1,4})x(\d{1,4})d)?(?:_w(\d{1,2}))?(_v1)?$`)

// resNet gives the configuration of a ResNet or ResNeXt by name; it may be impossible, see Validate.
func resNet(name string) (Config, error) {
	m := resNetPattern.FindStringSubmatch(name)
	if m == nil || (m[2] == "xt") != (m[6] != "") || m[8] != "" && m[6] == "" {
		return Config{}, errors.New("expected a name such as resnext50_32x4d, resnet50d, seresnet18, regnet_y_800mf or resnext29_8x64d")
	}
	gate, special, letter := m[1], m[3], m[5]
	cardinality, width := 1, 64
	if m[6] != "" {
		cardinality, width = atoi(m[6]), atoi(m[7])
	}
	d, known := depths[m[4]]
	if !known || m[8] != "" {
		if gate+special+letter+m[9] != "" {
			return Config{}, fmt.Errorf("depth %s is none of the ImageNet networks, which alone have such variants", m[4])
		}
		return cifar(atoi(m[4]), m[6] != "", cardinality, width, m[8])
	}
	f, ok := forms[m[4]+letter]
	if !ok {
		f = forms[letter]
	}
	if special == "rs" {
		f = forms[special]
	}
	c := Config{Stem: f.imageNetStem(), Classes: 1000, Height: 224, Width: 224}
	switch special {
	case "aa":
		c.Stem.Pool = Average2x2
	case "blur":
		c.Stem.Pool = MaxBlur
	case "rs":
		// A convolution halves the map in place of the pooling.
		c.Stem.Pool, c.Stem.Convs = NoPool, append(c.Stem.Convs, StemConv{Kernel: 3, Stride: 2, Width: c.Stem.Out()})
		gate = special
	}
	for i, n := range d.blocks {
		s := Stage{Kind: d.kind, Blocks: n, Inner: cardinality * width << i, Out: 256 << i, Cardinality: cardinality, Stride: 2}
		if d.kind == Basic {
			s.Out = s.Inner
		}
		s.Gate = gateOf(gate, s)
		if i == 0 {
			s.Stride = 1
			c.Stages = append(c.Stages, s)
			continue
		}
		s.Shortcut = f.shortcut
		s.AntiAlias = map[string]Pool{"aa": Average2x2, "blur": Blur3x3}[special]
		if m[9] != "" {
			s.StrideOn = Reduce
		}
		c.Stages = append(c.Stages, s)
	}
	return c, nil
}

func (f form) imageNetStem() Stem {
	if f.stem == nil {
		return ImageNetStem()
	}
	s := Stem{Pool: Max3x3}
	for i, width := range f.stem {
		stride := 1
		if i == 0 {
			stride = 2
		}
		s.Convs = append(s.Convs, StemConv{Kernel: 3, Stride: stride, Width: width})
	}
	return s
}

// gateOf is the gate of a stage's blocks as timm has it: it follows the last convolution.
func gateOf(name string, s Stage) Gate {
	g := Gate{After: s.Kind.Last()}
	switch name {
	case "se":
		// A 16th of the channels, to a multiple of 8.
		g.Kind, g.Hidden = SqueezeExcite, max(8, (s.Out/16+4)/8*8)
	case "rs":
		g.Kind, g.Hidden = SqueezeExcite, s.Out/4
	case "eca":
		// Wang et al. 2020, equation 12: the odd number nearest to half of log2(channels)+1, upwards.
		g.Kind, g.Kernel = NeighbourGate, max(3, int((math.Log2(float64(s.Out))+1)/2)|1)
	default:
		return Gate{}
	}
	return g
}

// cifarWidth is the output width of the first stage of a ResNeXt for CIFAR by its widen factor.
const cifarWidth = 64

// cifar is a network for images of 32x32 pixels: a ResNet as in He et al. 2016, section 4.2, whose shortcuts are padded, or
// a ResNeXt as in Xie et al. 2017, section 5.3.
func cifar(layers int, next bool, cardinality, width int, widen string) (Config, error) {
	c := Config{Stem: CIFARStem(), Classes: 10, Height: 32, Width: 32}
	first := Stage{Kind: Basic, Inner: 16, Out: 16, Cardinality: 1}
	per, shortcut := 6, Padded
	if next {
		factor := 4
		if widen != "" {
			factor = atoi(widen)
		}
		first, per, shortcut = Stage{Inner: cardinality * width, Out: cifarWidth * factor, Cardinality: cardinality}, 9, Projection
	} else {
		c.Stem.Convs[0].Width = first.Out
	}
	if layers <= 2 || (layers-2)%per != 0 {
		return Config{}, fmt.Errorf("depth %d is neither that of an ImageNet network nor %dn+2", layers, per)
	}
	for i := range 3 {
		s := first
		s.Blocks, s.Inner, s.Out, s.Stride = (layers-2)/per, first.Inner<<i, first.Out<<i, 1
		if i > 0 {
			s.Stride, s.Shortcut = 2, shortcut
		}
		c.Stages = append(c.Stages, s)
	}
	return c, nil
}

// atoi converts digits that a pattern has already matched.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
