package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// Pillow's numbers of the resampling filters.
const (
	resampleBilinear = 2
	resampleBicubic  = 3
)

// preprocessor is preprocessor_config.json of transformers, in the forms that its image processors for
// ResNet, ViT and ConvNeXT write. The last of them is the one that the published ResNets use.
type preprocessor struct {
	Type         string    `json:"image_processor_type"`
	OldType      string    `json:"feature_extractor_type"`
	DoResize     *bool     `json:"do_resize"`
	DoCentreCrop *bool     `json:"do_center_crop"`
	DoNormalise  *bool     `json:"do_normalize"`
	DoRescale    *bool     `json:"do_rescale"`
	Factor       *float64  `json:"rescale_factor"`
	Size         size      `json:"size"`
	CropSize     size      `json:"crop_size"`
	CropPct      float64   `json:"crop_pct"`
	Resample     int       `json:"resample"`
	Mean         []float64 `json:"image_mean"`
	Std          []float64 `json:"image_std"`
}

// size is a number, {"shortest_edge": N} or {"height": N, "width": N}.
type size struct{ shortest, height, width int }

func (s *size) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, &s.shortest) == nil {
		return nil
	}
	var named struct {
		ShortestEdge  int `json:"shortest_edge"`
		Height, Width int
	}
	err := json.Unmarshal(text, &named)
	*s = size{named.ShortestEdge, named.Height, named.Width}
	if err != nil {
		*s = size{}
	}
	return nil // what is not understood is left unset
}

// convNeXTCrop is the size from which on ConvNeXT's processor resizes without a crop.
const convNeXTCrop = 384

// prepare converts the preprocessing, or says which field is unsupported.
func (p *preprocessor) prepare() (made *Prepare, why string) {
	filter := map[int]string{resampleBilinear: "bilinear", resampleBicubic: "bicubic"}[p.Resample]
	switch {
	case isFalse(p.DoResize):
		return nil, "do_resize is false; expected true"
	case isFalse(p.DoRescale):
		return nil, "do_rescale is false; expected true"
	case isFalse(p.DoNormalise):
		return nil, "do_normalize is false; expected true"
	case p.Factor != nil && math.Abs(*p.Factor*255-1) > 1e-3:
		return nil, fmt.Sprintf("rescale_factor is %v; expected 1/255", *p.Factor)
	case filter == "":
		return nil, fmt.Sprintf("resample is %d or no number; expected %d (bilinear) or %d (bicubic)", p.Resample, resampleBilinear, resampleBicubic)
	}
	made = &Prepare{Filter: filter}
	switch s, crop := p.Size, p.CropSize; {
	case p.isConvNeXT() && s.shortest > 0:
		made.Size = s.shortest
		if s.shortest < convNeXTCrop && p.CropPct > 0 {
			made.Resize = int(float64(s.shortest) / p.CropPct)
		}
	case isTrue(p.DoCentreCrop) && s.shortest > 0 && crop.edge() > 0:
		made.Size, made.Resize = crop.edge(), s.shortest
	case !isTrue(p.DoCentreCrop) && s.height > 0 && s.height == s.width:
		made.Size = s.height
	default:
		return nil, "size, crop_size and do_center_crop are of no known form; expected the shortest edge and a square crop, or a square size"
	}
	return made.completed("size", "image_mean", p.Mean, "image_std", p.Std)
}

func (p *preprocessor) isConvNeXT() bool {
	for _, name := range []string{"ConvNextFeatureExtractor", "ConvNextImageProcessor", "ConvNextImageProcessorFast"} {
		if p.Type == name || p.OldType == name {
			return true
		}
	}
	return false
}

// edge is the side of a square; 0 if it is none.
func (s size) edge() int {
	if s.height != 0 && s.height == s.width {
		return s.height
	}
	return s.shortest
}

func isFalse(b *bool) bool { return b != nil && !*b }
func isTrue(b *bool) bool  { return b != nil && *b }

func asType(err error, target **json.UnmarshalTypeError) bool { return errors.As(err, target) }
