// Package hub reads what model hubs keep beside a network's weights: config.json and
// preprocessor_config.json of Hugging Face's transformers, and config.json of timm. They name the classes and
// say how pictures were prepared in training, and for transformers' ResNet and RegNet where the strides are.
//
// The files are optional and are read for what can be used: what is missing, of another form or not simple
// stays unset, the caller's own defaults hold, and Info.Notes says what was not understood.
package hub

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// maxFile bounds a JSON file, in bytes; that of ImageNet-21k's labels has 2 MB.
const maxFile = 16 << 20

// Info is what the files beside a network's weights say.
type Info struct {
	// Form is that of the network where config.json is that of transformers' ResNet or RegNet; else nil.
	Form *Form
	// Architecture is the name that timm's config.json gives the network, such as "resnetaa50"; empty without.
	Architecture string
	// Labels are the names of the classes in order; nil if the files do not name all.
	Labels []string
	// Prepare says how pictures were prepared; nil if the files do not say, or not simply.
	Prepare *Prepare
	// Notes say which file and field were not understood, and that the preparation is not taken from there; for
	// people to be warned.
	Notes []string
}

// Form is that of a ResNetForImageClassification or RegNetForImageClassification as far as its tensors do not tell.
type Form struct {
	// Model is "resnet" or "regnet".
	Model string
	// FirstStage reports whether the first stage halves the map too.
	FirstStage bool
	// InBottleneck reports whether the stride is on the first 1x1 convolution, as in the original ResNet.
	InBottleneck bool
	// Activation is the name of the activation function, "relu" in every published network.
	Activation string
}

// Prepare is a preparation of pictures: resize the shorter side to Resize pixels with a filter, crop Size x
// Size from the middle, subtract Mean and divide by Std. A Resize of 0 resizes both sides to Size at once.
type Prepare struct {
	Size, Resize int
	// Filter is "bilinear", "bicubic" or "nearest".
	Filter    string
	Mean, Std [3]float32
}

// The names of the files.
const (
	configName       = "config.json"
	preprocessorName = "preprocessor_config.json"
)

// Files are the paths of the files beside the weights at path, which need not exist.
func Files(path string) []string {
	folder := filepath.Dir(path)
	return []string{filepath.Join(folder, configName), filepath.Join(folder, preprocessorName)}
}

// Beside reads the files in the folder of the weights at path. A file that is there and no JSON is an error that
// names it, and so is a field of another type that says where the strides are.
func Beside(path string) (*Info, error) {
	files := Files(path)
	var c config
	if _, err := read(files[0], &c); err != nil {
		return nil, err
	}
	var p preprocessor
	there, err := read(files[1], &p)
	if err != nil {
		return nil, err
	}
	info := &Info{Labels: c.labels(), Architecture: c.Architecture}
	if info.Form, err = c.form(); err != nil {
		return nil, fmt.Errorf("%s: %w; download it again", files[0], err)
	}
	why := ""
	if there {
		if info.Prepare, why = p.prepare(); why != "" {
			info.note(files[1], why)
		}
	}
	if info.Prepare == nil && c.Pretrained != nil {
		if info.Prepare, why = c.Pretrained.prepare(); why != "" {
			info.note(files[0], "pretrained_cfg: "+why)
		}
	}
	if info.Prepare != nil {
		info.Notes = nil
	}
	return info, nil
}

func (i *Info) note(path, why string) {
	i.Notes = append(i.Notes, fmt.Sprintf("%s: %s: how pictures are prepared is not taken from it", path, why))
}

// read decodes a JSON file and reports whether there is one; without one it leaves v as it is. Fields of another
// type than expected are left unset.
func read(path string, v any) (there bool, err error) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return false, err
	}
	if len(text) > maxFile {
		return false, fmt.Errorf("%s: larger than %d MB; expected the small file that describes the model: remove or replace it", path, maxFile>>20)
	}
	err = json.Unmarshal(text, v)
	if other := (*json.UnmarshalTypeError)(nil); err != nil && !asType(err, &other) {
		return false, fmt.Errorf("%s: not JSON: %w; download it again, or remove it", path, err)
	}
	return true, nil
}

// config is config.json, of transformers or of timm.
type config struct {
	// transformers
	ModelType    string            `json:"model_type"`
	FirstStage   json.RawMessage   `json:"downsample_in_first_stage"`
	InBottleneck json.RawMessage   `json:"downsample_in_bottleneck"`
	Activation   json.RawMessage   `json:"hidden_act"`
	IDToLabel    map[string]string `json:"id2label"`
	// timm
	Architecture string      `json:"architecture"`
	LabelNames   []string    `json:"label_names"`
	Pretrained   *pretrained `json:"pretrained_cfg"`
}

// form is that of transformers' ResNet or RegNet; nil for another model. Its fields decide what is computed, so that
// another type than expected is an error. A field that is not there has transformers' default.
func (c *config) form() (*Form, error) {
	if c.ModelType != "resnet" && c.ModelType != "regnet" {
		return nil, nil
	}
	r := &Form{Model: c.ModelType, FirstStage: c.ModelType == "regnet"}
	for _, f := range []struct {
		name, want string
		text       json.RawMessage
		value      any
	}{
		{"downsample_in_first_stage", "true or false", c.FirstStage, &r.FirstStage},
		{"downsample_in_bottleneck", "true or false", c.InBottleneck, &r.InBottleneck},
		{"hidden_act", "a name", c.Activation, &r.Activation},
	} {
		if len(f.text) > 0 && json.Unmarshal(f.text, f.value) != nil {
			return nil, fmt.Errorf("%s is %.40s; expected %s", f.name, f.text, f.want)
		}
	}
	return r, nil
}

// unnamed is the first label where transformers was told none.
const unnamed = "LABEL_0"

// labels orders the classes' names; each number from 0 on must be there.
func (c *config) labels() []string {
	if len(c.IDToLabel) == 0 {
		return c.LabelNames
	}
	labels := make([]string, len(c.IDToLabel))
	for id, name := range c.IDToLabel {
		n, err := strconv.Atoi(id)
		if err != nil || n < 0 || n >= len(labels) || labels[n] != "" || name == "" {
			return nil
		}
		labels[n] = name
	}
	if labels[0] == unnamed {
		return nil
	}
	return labels
}

// pretrained is the preparation in timm's config.json.
type pretrained struct {
	InputSize     []int     `json:"input_size"`
	CropPct       float64   `json:"crop_pct"`
	CropMode      string    `json:"crop_mode"`
	Interpolation string    `json:"interpolation"`
	Mean          []float64 `json:"mean"`
	Std           []float64 `json:"std"`
}

// prepare converts the preprocessing, or says which field is unsupported.
func (t *pretrained) prepare() (p *Prepare, why string) {
	s := t.InputSize
	switch {
	case len(s) != 3 || s[0] != 3 || s[1] != s[2]:
		return nil, fmt.Sprintf("input_size is %v; expected [3,N,N]", s)
	case t.CropMode != "" && t.CropMode != "center":
		return nil, fmt.Sprintf("crop_mode is %.40q; expected center", t.CropMode)
	case !slices.Contains([]string{"bilinear", "bicubic", "nearest"}, t.Interpolation):
		return nil, fmt.Sprintf("interpolation is %.40q; expected bilinear, bicubic or nearest", t.Interpolation)
	case !(t.CropPct > 0 && t.CropPct <= 1):
		return nil, fmt.Sprintf("crop_pct is %v; expected more than 0 and at most 1", t.CropPct)
	}
	p = &Prepare{Size: s[1], Resize: int(math.Floor(float64(s[1]) / t.CropPct)), Filter: t.Interpolation}
	return p.completed("input_size", "mean", t.Mean, "std", t.Std)
}

// completed completes a preparation by mean and standard deviation; the names are those of their fields.
func (p *Prepare) completed(size, meanName string, mean []float64, stdName string, std []float64) (*Prepare, string) {
	const most = 4096
	if p.Size < 1 || p.Size > most || p.Resize < 0 || p.Resize > most || p.Resize > 0 && p.Resize < p.Size {
		return nil, fmt.Sprintf("%s gives a crop of %d pixels of pictures resized to %d; expected 1 to %d, and a crop that is no larger", size, p.Size, p.Resize, most)
	}
	if len(mean) != 3 || slices.ContainsFunc(mean, func(v float64) bool { return !(math.Abs(v) <= 10) }) {
		return nil, fmt.Sprintf("%s is %v; expected three numbers on the 0..1 scale", meanName, mean)
	}
	if len(std) != 3 || slices.ContainsFunc(std, func(v float64) bool { return !(v >= 1e-3 && v <= 100) }) {
		return nil, fmt.Sprintf("%s is %v; expected three positive numbers on the 0..1 scale", stdName, std)
	}
	for i := range 3 {
		p.Mean[i], p.Std[i] = float32(mean[i]), float32(std[i])
	}
	return p, ""
}
