package topology

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFirstVersion: what older programs can run is written as they read it, to the byte.
func TestFirstVersion(t *testing.T) {
	c := tiny()
	c.Name = "small"
	text, version, err := c.Encode()
	require.NoError(t, err)
	require.Equal(t, FirstVersion, version)
	require.Equal(t, `{"name":"small","cardinality":2,"stem":{"kernel":5,"stride":2,"width":8,"max_pool":true},`+
		`"stages":[{"blocks":2,"inner":4,"out":8,"stride":1},{"blocks":1,"inner":8,"out":8,"stride":2}],`+
		`"classes":3,"height":12,"width":9}`, text)
	back, err := Decode(text, version)
	require.NoError(t, err)
	require.Equal(t, c, back)
	for _, name := range []string{"resnet26", "resnet50", "wide_resnet101_2", "resnext29_8x64d", "resnext50_32x4d", "resnext101_64x4d"} {
		c, err := Named(name)
		require.NoError(t, err)
		_, version, err := c.Encode()
		require.NoError(t, err)
		require.Equal(t, FirstVersion, version, name)
	}
}

// TestLatestVersion: each thing that the first version cannot say makes it the latest, and nothing is lost.
func TestLatestVersion(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"cardinality of a stage": func(c *Config) { c.Stages[1].Cardinality = 4 },
		"stride placement":       func(c *Config) { c.Stages[1].StrideOn = Reduce },
		"average in the stem":    func(c *Config) { c.Stem.Pool = Average2x2 },
		"head":                   func(c *Config) { c.Head = MultiLabel },
		"embedding":              func(c *Config) { c.Head, c.Classes = Embedding, 0 },
		"blur in the stem":       func(c *Config) { c.Stem.Pool = MaxBlur },
		"blur":                   func(c *Config) { c.Stages[1].AntiAlias = Blur3x3 },
		"anti-aliasing":          func(c *Config) { c.Stages[1].AntiAlias = Average2x2 },
		"averaged shortcut":      func(c *Config) { c.Stages[1].Shortcut = AveragedProjection },
		"padded shortcut":        func(c *Config) { c.Stages[1].Shortcut = Padded },
		"gate":                   func(c *Config) { c.Stages[1].Gate = Gate{Kind: SqueezeExcite, After: Expand, Hidden: 4} },
		"deep stem":              func(c *Config) { c.Stem.Convs = append(c.Stem.Convs, StemConv{3, 1, 6}) },
	} {
		c := tiny()
		change(&c)
		require.NoError(t, c.Validate(), name)
		text, version, err := c.Encode()
		require.NoError(t, err)
		require.Equal(t, LatestVersion, version, name)
		back, err := Decode(text, version)
		require.NoError(t, err)
		require.Equal(t, c, back, name)
		_, err = Decode(text, FirstVersion)
		require.Error(t, err, name)
	}
	usual := tiny()
	usual.Stages[0].StrideOn = Transform // said, but as usual
	_, version, err := usual.Encode()
	require.NoError(t, err)
	require.Equal(t, FirstVersion, version)
}

func TestDecodeRefuses(t *testing.T) {
	for _, version := range []int{-1, 0, 3} {
		_, err := Decode(`{}`, version)
		require.ErrorContains(t, err, "expected 1 to 2")
	}
	for _, text := range []string{``, `{"depth":1}`, `{"name":"a","name":"b"}`, `{} {}`} {
		for version := FirstVersion; version <= LatestVersion; version++ {
			_, err := Decode(text, version)
			require.Error(t, err, text)
		}
	}
	c, err := Decode(`{}`, LatestVersion)
	require.NoError(t, err)
	require.ErrorIs(t, c.Validate(), ErrConfig)
}

func TestValidateStages(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"a kind of block":                func(c *Config) { c.Stages[0].Kind = "cube" },
		`the stride is on "cube"`:        func(c *Config) { c.Stages[0].StrideOn = "cube" },
		"a head of kind":                 func(c *Config) { c.Head = "hydra" },
		"3 classes of an embedding":      func(c *Config) { c.Head = Embedding },
		`the anti-aliased pooling is "m`: func(c *Config) { c.Stages[0].AntiAlias = Max3x3 },
		`pooling is behind "expand"`:     func(c *Config) { c.Stages[1].StrideOn, c.Stages[1].AntiAlias = Expand, Average2x2 },
		"stride 4 with pooling":          func(c *Config) { c.Stages[0].Stride, c.Stages[0].AntiAlias = 4, Average2x2 },
		`a shortcut of kind "long"`:      func(c *Config) { c.Stages[0].Shortcut = "long" },
		"stride 3 with an averaged":      func(c *Config) { c.Stages[0].Stride, c.Stages[0].Shortcut = 3, AveragedProjection },
		"a gate of no kind":              func(c *Config) { c.Stages[0].Gate = Gate{Hidden: 3} },
		`a gate of kind "garden"`:        func(c *Config) { c.Stages[0].Gate = Gate{Kind: "garden", After: Expand, Hidden: 3} },
		`the gate is after "cube"`:       func(c *Config) { c.Stages[0].Gate = Gate{Kind: SqueezeExcite, After: "cube", Hidden: 3} },
		"a gate of 0 hidden channels":    func(c *Config) { c.Stages[0].Gate = Gate{Kind: SqueezeExcite, After: Expand} },
		"a gate of kernel 4":             func(c *Config) { c.Stages[0].Gate = Gate{Kind: NeighbourGate, After: Expand, Kernel: 4} },
		"not a multiple":                 func(c *Config) { c.Stages[1].Cardinality = 3 },
		"a stem of 0 convolutions":       func(c *Config) { c.Stem.Convs = nil },
		"a stem of 5 convolutions":       func(c *Config) { c.Stem.Convs = make([]StemConv, 5) },
		`the stem's pooling is "median"`: func(c *Config) { c.Stem.Pool = "median" },
	} {
		c := tiny()
		change(&c)
		require.ErrorContains(t, c.Validate(), want)
	}
}

func TestClone(t *testing.T) {
	a := tiny()
	b := a.Clone()
	b.Stem.Convs[0].Width, b.Stages[0].Out = 1, 1
	require.Equal(t, tiny(), a)
}
