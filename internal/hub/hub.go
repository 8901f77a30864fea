// Package hub reads what model hubs keep beside a network's weights: config.json and
// preprocessor_config.json of Hugging Face's transformers, and config.json of timm. They name the classes and
// say how pictures were prepared in training, and for transformers' ResNet where the strides are.
//
// The files are optional and are read for what can be used: what is missing, of another form or not simple
// stays unset, and the caller's own defaults hold.
package hub

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

// maxFile bounds a JSON file, in bytes; that of ImageNet-21k's labels has 2 MB.
const maxFile = 16 << 20

// Info is what the files beside a network's weights say.
type Info struct {
	// ResNet tells that config.json is that of transformers' ResNet, and what it says of its form.
	ResNet *ResNet
	// Labels are the names of the classes in order; nil if the files do not name all.
	Labels []string
	// Prepare says how pictures were prepared; nil if the files do not say, or not simply.
	Prepare *Prepare
}

// ResNet is the form of a ResNetForImageClassification as far as its tensors do not tell.
type ResNet struct {
	// FirstStage tells that the first stage halves the map too.
	FirstStage bool
	// InBottleneck tells that the stride is on the first 1x1 convolution, as in the original ResNet.
	InBottleneck bool
	// Activation is the name of the activation function, "relu" in every published network.
	Activation string
}

// Prepare is a preparation of pictures: resize the shorter side to Resize pixels with a filter, crop Size x
// Size from the middle, subtract Mean and divide by Std. A Resize of 0 resizes both sides to Size at once.
type Prepare struct {
	Size, Resize int
	// Filter is "bilinear" or "bicubic".
	Filter    string
	Mean, Std [3]float32
}

// Beside reads the files in the folder of the weights at path. A file that is there and no JSON object is an
// error that names it.
func Beside(path string) (*Info, error) {
	folder := filepath.Dir(path)
	var c config
	if err := read(filepath.Join(folder, "config.json"), &c); err != nil {
		return nil, err
	}
	var p preprocessor
	if err := read(filepath.Join(folder, "preprocessor_config.json"), &p); err != nil {
		return nil, err
	}
	info := &Info{Labels: c.labels(), Prepare: p.prepare()}
	if c.ModelType == "resnet" {
		info.ResNet = &ResNet{c.FirstStage, c.InBottleneck, c.Activation}
	}
	if info.Prepare == nil {
		info.Prepare = c.Pretrained.prepare()
	}
	return info, nil
}

// read decodes a JSON file; one that does not exist leaves v as it is. Fields of another type than expected
// are left unset.
func read(path string, v any) error {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return err
	}
	if len(text) > maxFile {
		return fmt.Errorf("%s: larger than %d MB; expected the small file that describes the model: remove or replace it", path, maxFile>>20)
	}
	err = json.Unmarshal(text, v)
	if other := (*json.UnmarshalTypeError)(nil); err != nil && !asType(err, &other) {
		return fmt.Errorf("%s: not JSON: %w; download it again, or remove it", path, err)
	}
	return nil
}

// config is config.json, of transformers or of timm.
type config struct {
	// transformers
	ModelType    string            `json:"model_type"`
	FirstStage   bool              `json:"downsample_in_first_stage"`
	InBottleneck bool              `json:"downsample_in_bottleneck"`
	Activation   string            `json:"hidden_act"`
	IDToLabel    map[string]string `json:"id2label"`
	// timm
	LabelNames []string   `json:"label_names"`
	Pretrained pretrained `json:"pretrained_cfg"`
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

func (t *pretrained) prepare() *Prepare {
	s := t.InputSize
	if len(s) != 3 || s[0] != 3 || s[1] != s[2] || t.CropMode != "" && t.CropMode != "center" {
		return nil
	}
	if t.Interpolation != "bilinear" && t.Interpolation != "bicubic" || !(t.CropPct > 0 && t.CropPct <= 1) {
		return nil
	}
	return checked(&Prepare{Size: s[1], Resize: int(math.Floor(float64(s[1]) / t.CropPct)), Filter: t.Interpolation}, t.Mean, t.Std)
}

// checked completes a preparation by mean and standard deviation; nil if anything cannot be meant.
func checked(p *Prepare, mean, std []float64) *Prepare {
	const most = 4096
	if p.Size < 1 || p.Size > most || p.Resize < 0 || p.Resize > most || p.Resize > 0 && p.Resize < p.Size || len(mean) != 3 || len(std) != 3 {
		return nil
	}
	for i := range 3 {
		if !(math.Abs(mean[i]) <= 10) || !(std[i] >= 1e-3 && std[i] <= 100) {
			return nil
		}
		p.Mean[i], p.Std[i] = float32(mean[i]), float32(std[i])
	}
	return p
}
