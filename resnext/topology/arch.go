package topology

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// published lists the names of the networks in papers and model zoos, for help texts and tests. Named accepts any other
// of their patterns too. RegNets have a table of their own.
var published = []string{
	"resnet10t", "resnet14t", "resnet18", "resnet18d", "resnet26", "resnet26d", "resnet26t", "resnet34", "resnet34d",
	"resnet50", "resnet50c", "resnet50d", "resnet50s", "resnet50t", "resnet101", "resnet101c", "resnet101d", "resnet101s",
	"resnet152", "resnet152c", "resnet152d", "resnet152s", "resnet200", "resnet200d",
	"wide_resnet50_2", "wide_resnet101_2",
	"resnet50_v1", "resnet101_v1", "resnet152_v1",
	"resnetaa34d", "resnetaa50", "resnetaa50d", "resnetaa101d", "resnetblur18", "resnetblur50", "resnetblur50d", "resnetblur101d",
	"resnetrs50", "resnetrs101", "resnetrs152", "resnetrs200", "resnetrs270", "resnetrs350", "resnetrs420",
	"resnet20", "resnet32", "resnet44", "resnet56", "resnet110",
	"seresnet18", "seresnet34", "seresnet50", "seresnet50t", "seresnet101", "seresnet152", "seresnet152d", "seresnet200d",
	"seresnet269d", "seresnetaa50d",
	"ecaresnet26t", "ecaresnet50d", "ecaresnet50t", "ecaresnet101d", "ecaresnet200d", "ecaresnet269d", "ecaresnetlight",
	"resnext50_2x40d", "resnext50_4x24d", "resnext50_8x14d", "resnext50_32x4d", "resnext50d_32x4d",
	"resnext101_2x40d", "resnext101_4x24d", "resnext101_8x14d", "resnext101_32x4d",
	"resnext101_2x64d", "resnext101_64x4d", "resnext101_32x8d",
	"resnext101_32x16d", "resnext101_32x32d", "resnext101_32x48d",
	"resnext29_8x64d", "resnext29_16x64d",
	"seresnext26d_32x4d", "seresnext26t_32x4d", "seresnext50_32x4d", "seresnext101_32x4d", "seresnext101_32x8d",
	"seresnext101_64x4d", "seresnext101d_32x8d", "seresnextaa101d_32x8d", "seresnextaa201d_32x8d",
	"ecaresnext26t_32x4d", "ecaresnext50t_32x4d",
}

// aliases are other names of networks.
var aliases = map[string]string{
	"wide_resnet50_2":  "resnext50_1x128d",
	"wide_resnet101_2": "resnext101_1x128d",
}

// Architectures lists the names of published networks, sorted. Named accepts more: other names of the same networks, any
// cardinality and base width, and the letters of one depth for another.
func Architectures() []string {
	names := slices.Clone(published)
	for _, r := range regNets {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return names
}

// Named gives the configuration of a named architecture: "resnet18", "resnext50_32x4d", "wide_resnet50_2",
// "seresnext26d_32x4d", "regnet_y_800mf" and others, by the names of torchvision and timm. They are ImageNet networks
// (1000 classes, 224x224 pixels), but for depths that ImageNet networks do not have: a ResNet of 6n+2 layers and a ResNeXt
// of 9n+2 are the CIFAR form (10 classes, 32x32 pixels). The widen factor of such a ResNeXt is 4 unless the name ends in
// _wN.
func Named(name string) (Config, error) {
	canonical := strings.ToLower(name)
	c, err := named(canonical)
	if err != nil {
		return Config{}, fmt.Errorf("unknown architecture %q: %w", name, err)
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("architecture %q: %w", name, err)
	}
	if c.Name = c.CanonicalName(); c.Name == "" {
		c.Name = canonical
	}
	return c, nil
}

// named is Named before Validate.
func named(name string) (Config, error) {
	if a, ok := aliases[name]; ok {
		name = a
	}
	if c, ok := regNet(name); ok {
		return c, nil
	}
	return resNet(name)
}

// networks are those that Architectures lists.
var networks = sync.OnceValue(func() []Config {
	var all []Config
	for _, name := range Architectures() {
		c, _ := named(name)
		c.Name = name
		all = append(all, c)
	}
	return all
})

// CanonicalName is the usual name of the network with c's shape, or "" if it has none. c must be valid.
func (c Config) CanonicalName() string {
	for _, n := range networks() {
		if SameShape(c, n) {
			return n.Name
		}
	}
	first := c.Stages[0]
	plain := fmt.Sprintf("resnext%d_%dx%dd", c.Layers(), first.Cardinality, c.BaseWidth())
	for _, name := range []string{fmt.Sprintf("resnet%d", c.Layers()), plain, fmt.Sprintf("%s_w%d", plain, first.Out/cifarWidth)} {
		if n, err := named(name); err == nil && SameShape(c, n) {
			return name
		}
	}
	return ""
}

// SameShape reports whether two networks differ at most in name, head, classes and input size.
func SameShape(a, b Config) bool {
	return a.Stem.Pool == b.Stem.Pool && slices.Equal(a.Stem.Convs, b.Stem.Convs) &&
		slices.EqualFunc(a.Stages, b.Stages, func(a, b Stage) bool { return a.plain() == b.plain() })
}

// plain says in one way what can be said in several: without a stride it matters neither where it would be nor how maps
// would be halved.
func (s Stage) plain() Stage {
	s.StrideOn = s.StrideRole()
	if s.Stride == 1 {
		s.StrideOn, s.AntiAlias = "", NoPool
		if s.Shortcut == AveragedProjection {
			s.Shortcut = Projection
		}
	}
	return s
}
