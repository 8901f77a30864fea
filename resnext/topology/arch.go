package topology

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// imageNetBlocks gives the blocks per stage by depth (He et al. 2016, table 1).
var imageNetBlocks = map[int][]int{50: {3, 4, 6, 3}, 101: {3, 4, 23, 3}, 152: {3, 8, 36, 3}}

// aliases are names that torchvision and timm use for members of the family.
var aliases = map[string]string{
	"resnet50":         "resnext50_1x64d",
	"resnet101":        "resnext101_1x64d",
	"resnet152":        "resnext152_1x64d",
	"wide_resnet50_2":  "resnext50_1x128d",
	"wide_resnet101_2": "resnext101_1x128d",
}

// published lists the names of the networks in papers and model zoos, for help texts and tests.
// Named accepts any other CxD too.
var published = []string{
	"resnext50_2x40d", "resnext50_4x24d", "resnext50_8x14d", "resnext50_32x4d",
	"resnext101_2x40d", "resnext101_4x24d", "resnext101_8x14d", "resnext101_32x4d",
	"resnext101_2x64d", "resnext101_64x4d", "resnext101_32x8d",
	"resnext101_32x16d", "resnext101_32x32d", "resnext101_32x48d",
	"resnext29_8x64d", "resnext29_16x64d",
}

// Architectures lists the names of published networks, sorted. Named accepts more: any cardinality
// and base width.
func Architectures() []string {
	names := append([]string(nil), published...)
	for a := range aliases {
		names = append(names, a)
	}
	sort.Strings(names)
	return names
}

var archPattern = regexp.MustCompile(`^resnext(\d{1,3})_(\d{1,4})x(\d{1,4})d(?:_w(\d{1,2}))?$`)

// Named gives the configuration of a named architecture: "resnext50_32x4d", "resnet101",
// "wide_resnet50_2", or resnextDEPTH_CxDd in general. Depths 50, 101 and 152 are ImageNet networks
// (1000 classes, 224x224 pixels); any other depth 9n+2 is the CIFAR form (10 classes, 32x32 pixels)
// whose widen factor is 4 unless the name ends in _wN.
func Named(name string) (Config, error) {
	canonical := strings.ToLower(name)
	if a, ok := aliases[canonical]; ok {
		canonical = a
	}
	m := archPattern.FindStringSubmatch(canonical)
	if m == nil {
		return Config{}, fmt.Errorf("unknown architecture %q: expected a name such as resnext50_32x4d, resnet50 or resnext29_8x64d", name)
	}
	depth, card, width := atoi(m[1]), atoi(m[2]), atoi(m[3])
	var c Config
	if blocks, ok := imageNetBlocks[depth]; ok && m[4] == "" {
		c = imageNetConfig(card, width, blocks)
	} else if depth > 2 && (depth-2)%9 == 0 {
		widen := 4
		if m[4] != "" {
			widen = atoi(m[4])
		}
		c = cifarConfig(card, width, (depth-2)/9, widen)
	} else {
		return Config{}, fmt.Errorf("unknown architecture %q: depth %d is neither 50, 101, 152 nor 9n+2", name, depth)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("architecture %q: %w", name, err)
	}
	c.Name = c.CanonicalName()
	return c, nil
}

// CanonicalName is the usual name of the network with c's shape, or "" if it has none. c must be valid.
func (c Config) CanonicalName() string {
	d := c.BaseWidth()
	try := c
	if blocks, ok := imageNetBlocks[c.Layers()]; ok && !c.CIFAR() {
		try = imageNetConfig(c.Stages[0].Cardinality, d, blocks)
		if !SameShape(c, try) {
			return ""
		}
		name := fmt.Sprintf("resnext%d_%dx%dd", c.Layers(), c.Stages[0].Cardinality, d)
		for a, n := range aliases {
			if n == name {
				return a
			}
		}
		return name
	}
	widen := c.Stages[0].Out / 64
	try = cifarConfig(c.Stages[0].Cardinality, d, c.Stages[0].Blocks, widen)
	if !SameShape(c, try) {
		return ""
	}
	name := fmt.Sprintf("resnext%d_%dx%dd", c.Layers(), c.Stages[0].Cardinality, d)
	if _, clash := imageNetBlocks[c.Layers()]; widen != 4 || clash {
		name += fmt.Sprintf("_w%d", widen)
	}
	return name
}

func imageNetConfig(card, width int, blocks []int) Config {
	c := Config{Stem: ImageNetStem(), Classes: 1000, Height: 224, Width: 224}
	for i, n := range blocks {
		stride := 2
		if i == 0 {
			stride = 1
		}
		c.Stages = append(c.Stages, Stage{Blocks: n, Inner: card * width << i, Out: 256 << i, Cardinality: card, Stride: stride})
	}
	return c
}

func cifarConfig(card, width, blocks, widen int) Config {
	c := Config{Stem: CIFARStem(), Classes: 10, Height: 32, Width: 32}
	for i := range 3 {
		stride := 2
		if i == 0 {
			stride = 1
		}
		c.Stages = append(c.Stages, Stage{Blocks: blocks, Inner: card * width << i, Out: 64 * widen << i, Cardinality: card, Stride: stride})
	}
	return c
}

// SameShape reports whether two networks differ at most in name, classes and input size.
func SameShape(a, b Config) bool {
	return a.Stem.Pool == b.Stem.Pool && slices.Equal(a.Stem.Convs, b.Stem.Convs) &&
		slices.EqualFunc(a.Stages, b.Stages, func(a, b Stage) bool {
			a.StrideOn, b.StrideOn = a.StrideRole(), b.StrideRole()
			return a == b
		})
}

// atoi converts digits that a pattern has already matched.
func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
