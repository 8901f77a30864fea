package topology

import (
	"encoding/json"
	"fmt"

	"github.com/libresnext/libresnext/internal/strictjson"
)

// The versions of a Config's JSON, which are those of the model file's format.
const (
	// FirstVersion knows bottlenecks of one cardinality whose 3x3 convolutions have the strides, behind a stem of one
	// convolution.
	FirstVersion = 1
	// LatestVersion is Config as it is.
	LatestVersion = 2
)

// Encode gives c as JSON, in the lowest version that can say it: so older programs read what they can run.
func (c Config) Encode() (text string, version int, err error) {
	var value any = c
	version = LatestVersion
	if first, ok := c.first(); ok {
		value, version = first, FirstVersion
	}
	b, err := json.Marshal(value)
	return string(b), version, err
}

// Decode reads a Config from JSON of a version from FirstVersion to LatestVersion. The result may still be impossible, see
// Validate.
func Decode(text string, version int) (Config, error) {
	var c Config
	switch version {
	case FirstVersion:
		var first firstConfig
		if err := strictjson.Unmarshal(text, &first); err != nil {
			return Config{}, err
		}
		return first.config(), nil
	case LatestVersion:
		err := strictjson.Unmarshal(text, &c)
		return c, err
	}
	return c, fmt.Errorf("version %d of the configuration, expected %d to %d", version, FirstVersion, LatestVersion)
}

// firstConfig is a Config in FirstVersion.
type firstConfig struct {
	Name        string       `json:"name"`
	Cardinality int          `json:"cardinality"`
	Stem        firstStem    `json:"stem"`
	Stages      []firstStage `json:"stages"`
	Classes     int          `json:"classes"`
	Height      int          `json:"height"`
	Width       int          `json:"width"`
}

type firstStem struct {
	Kernel  int  `json:"kernel"`
	Stride  int  `json:"stride"`
	Width   int  `json:"width"`
	MaxPool bool `json:"max_pool"`
}

type firstStage struct {
	Blocks int `json:"blocks"`
	Inner  int `json:"inner"`
	Out    int `json:"out"`
	Stride int `json:"stride"`
}

// first gives a valid c in FirstVersion, if that can say all of it.
func (c Config) first() (firstConfig, bool) {
	stem := c.Stem.Convs[0]
	f := firstConfig{
		Name: c.Name, Cardinality: c.Stages[0].Cardinality, Classes: c.Classes, Height: c.Height, Width: c.Width,
		Stem: firstStem{stem.Kernel, stem.Stride, stem.Width, c.Stem.Pool == Max3x3},
	}
	for _, s := range c.Stages {
		f.Stages = append(f.Stages, firstStage{s.Blocks, s.Inner, s.Out, s.Stride})
	}
	return f, c.Head == OneClass && SameShape(c, f.config())
}

func (f firstConfig) config() Config {
	c := Config{
		Name: f.Name, Stem: SimpleStem(f.Stem.Kernel, f.Stem.Stride, f.Stem.Width, NoPool),
		Classes: f.Classes, Height: f.Height, Width: f.Width,
	}
	if f.Stem.MaxPool {
		c.Stem.Pool = Max3x3
	}
	for _, s := range f.Stages {
		c.Stages = append(c.Stages, Stage{Blocks: s.Blocks, Inner: s.Inner, Out: s.Out, Cardinality: f.Cardinality, Stride: s.Stride})
	}
	return c
}
