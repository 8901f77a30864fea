package hub

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// beside reads files that stand beside weights.
func beside(t *testing.T, config, preprocessor string) (*Info, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"config.json": config, "preprocessor_config.json": preprocessor} {
		if text != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	return Beside(filepath.Join(dir, "model.safetensors"))
}

func TestNothingBeside(t *testing.T) {
	info, err := beside(t, "", "")
	require.NoError(t, err)
	require.Equal(t, &Info{}, info)
}

var half = [3]float32{0.5, 0.5, 0.5}

const normal = `"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]`

func TestPreprocessors(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want *Prepare
	}{
		"ResNet-50 as published": {
			`{"crop_pct": 0.875, "do_normalize": true, "do_resize": true, "feature_extractor_type": "ConvNextFeatureExtractor", "resample": 3, "size": 224, ` + normal + `}`,
			&Prepare{224, 256, "bicubic", half, half},
		},
		"ConvNeXT, large": {`{"image_processor_type": "ConvNextImageProcessor", "crop_pct": 0.875, "resample": 2, "size": {"shortest_edge": 384}, ` + normal + `}`, &Prepare{384, 0, "bilinear", half, half}},
		"ViT":             {`{"resample": 2, "size": {"height": 224, "width": 224}, "do_rescale": true, "rescale_factor": 0.00392156862745098, ` + normal + `}`, &Prepare{224, 0, "bilinear", half, half}},
		"crop":            {`{"resample": 3, "size": {"shortest_edge": 256}, "do_center_crop": true, "crop_size": {"height": 224, "width": 224}, ` + normal + `}`, &Prepare{224, 256, "bicubic", half, half}},
		"crop by number":  {`{"resample": 3, "size": 256, "do_center_crop": true, "crop_size": 224, ` + normal + `}`, &Prepare{224, 256, "bicubic", half, half}},
		"crop larger":     {`{"resample": 3, "size": 224, "do_center_crop": true, "crop_size": 256, ` + normal + `}`, nil},
		"not square":      {`{"resample": 2, "size": {"height": 224, "width": 225}, ` + normal + `}`, nil},
		"Lanczos":         {`{"resample": 1, "size": {"height": 224, "width": 224}, ` + normal + `}`, nil},
		"no resizing":     {`{"resample": 2, "do_resize": false, "size": {"height": 224, "width": 224}, ` + normal + `}`, nil},
		"another scale":   {`{"resample": 2, "rescale_factor": 1, "size": {"height": 224, "width": 224}, ` + normal + `}`, nil},
		"no mean":         {`{"resample": 2, "size": {"height": 224, "width": 224}}`, nil},
		"mean of bytes":   {`{"resample": 2, "size": {"height": 224, "width": 224}, "image_mean": [123, 117, 104], "image_std": [1, 1, 1]}`, nil},
		"std of zero":     {`{"resample": 2, "size": {"height": 224, "width": 224}, "image_mean": [0, 0, 0], "image_std": [1, 1, 0]}`, nil},
		"absurd size":     {`{"resample": 2, "size": {"height": 1000000000, "width": 1000000000}, ` + normal + `}`, nil},
		"negative size":   {`{"resample": 2, "size": {"height": -1, "width": -1}, ` + normal + `}`, nil},
		"other types":     {`{"resample": "bicubic", "size": "224", "image_mean": 0.5, "do_resize": 1}`, nil},
		"not an object":   {`[1, 2]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			info, err := beside(t, "", c.text)
			require.NoError(t, err)
			require.Equal(t, c.want, info.Prepare)
			require.Len(t, info.Notes, map[bool]int{true: 1}[c.want == nil], "what is not used is told")
		})
	}
}

// timm keeps all in config.json.
func TestTimm(t *testing.T) {
	const config = `{"architecture": "resnext50_32x4d", "num_classes": 2, "label_names": ["a", "b"], "pretrained_cfg":
		{"input_size": [3, 224, 224], "crop_pct": 0.95, "crop_mode": "center", "interpolation": "bicubic", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}`
	info, err := beside(t, config, "")
	require.NoError(t, err)
	require.Equal(t, &Prepare{224, 235, "bicubic", half, half}, info.Prepare)
	require.Equal(t, []string{"a", "b"}, info.Labels)
	require.Nil(t, info.Form)
	for _, change := range [][2]string{{"center", "border"}, {"bicubic", "random"}, {"0.95", "0"}, {"[3, 224, 224]", "[3, 224, 288]"}, {"[3, 224, 224]", "[1, 28, 28]"}, {"0.95", "1.5"}} {
		info, err := beside(t, strings.Replace(config, change[0], change[1], 1), "")
		require.NoError(t, err)
		require.Nil(t, info.Prepare, change[1])
	}
}

func TestLabels(t *testing.T) {
	for text, want := range map[string][]string{
		`{"id2label": {"0": "cat", "2": "eel", "1": "dog"}}`:         {"cat", "dog", "eel"},
		`{"id2label": {"0": "cat", "2": "eel"}}`:                     nil,
		`{"id2label": {"0": "cat", "00": "eel"}}`:                    nil,
		`{"id2label": {"0": "cat", "x": "eel"}}`:                     nil,
		`{"id2label": {"0": "cat", "1": ""}}`:                        nil,
		`{"id2label": {"0": "cat", "-1": "eel"}}`:                    nil,
		`{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}`:             nil,
		`{"id2label": ["cat", "dog"]}`:                               nil,
		`{"id2label": {"0": 1}}`:                                     nil,
		`{"model_type": "resnet", "id2label": {"0": "a", "1": "b"}}`: {"a", "b"},
	} {
		info, err := beside(t, text, "")
		require.NoError(t, err, text)
		require.Equal(t, want, info.Labels, text)
	}
}

func TestDamagedFilesAreNamed(t *testing.T) {
	for _, text := range []string{"{", "not JSON", `{"id2label": `, "\x00"} {
		_, err := beside(t, text, "")
		require.ErrorContains(t, err, "config.json: not JSON", text)
		_, err = beside(t, "{}", text)
		require.ErrorContains(t, err, "preprocessor_config.json: not JSON", text)
	}
	_, err := beside(t, `{"x": "`+strings.Repeat("y", maxFile)+`"}`, "")
	require.ErrorContains(t, err, "larger than 16 MB")
}

// TestNotes name the file and the field, unless another file says it.
func TestNotes(t *testing.T) {
	for text, want := range map[string]string{
		`{"resample": 1, "size": 224, ` + normal + `}`:                                                                  "resample is 1 or no number; expected 2 (bilinear) or 3 (bicubic)",
		`{"resample": 2, "rescale_factor": 1, "size": 224, ` + normal + `}`:                                             "rescale_factor is 1; expected 1/255",
		`{"resample": 2, "do_resize": false, "size": 224, ` + normal + `}`:                                              "do_resize is false",
		`{"resample": 2, "size": {"height": 224, "width": 9}, ` + normal + `}`:                                          "size, crop_size and do_center_crop",
		`{"resample": 2, "size": {"height": 9999, "width": 9999}, ` + normal + `}`:                                      "size gives a crop of 9999 pixels",
		`{"resample": 2, "size": {"height": 224, "width": 224}, "image_mean": [123, 117, 104], "image_std": [1, 1, 1]}`: "image_mean is [123 117 104]",
		`{"resample": 2, "size": {"height": 224, "width": 224}, "image_mean": [0, 0, 0], "image_std": [1, 1]}`:          "image_std is [1 1]",
	} {
		info, err := beside(t, `{"model_type": "resnet"}`, text)
		require.NoError(t, err)
		require.Len(t, info.Notes, 1)
		require.Contains(t, info.Notes[0], "preprocessor_config.json: "+want)
		info, err = beside(t, `{"pretrained_cfg": {"input_size": [3, 8, 8], "crop_pct": 1, "interpolation": "bilinear", "mean": [0, 0, 0], "std": [1, 1, 1]}}`, text)
		require.NoError(t, err)
		require.NotNil(t, info.Prepare)
		require.Empty(t, info.Notes)
	}
	info, err := beside(t, `{"pretrained_cfg": {"input_size": [3, 8, 8], "crop_pct": 1, "interpolation": "random"}}`, "")
	require.NoError(t, err)
	require.Contains(t, info.Notes[0], filepath.Join("config.json")+`: pretrained_cfg: interpolation is "random"`)
}

// TestFormTypes: the fields that say where the strides are must be of their type.
func TestFormTypes(t *testing.T) {
	info, err := beside(t, `{"model_type": "resnet", "id2label": 7, "downsample_in_bottleneck": true, "hidden_act": null}`, "")
	require.NoError(t, err)
	require.Equal(t, &Form{Model: "resnet", InBottleneck: true}, info.Form)
	for text, want := range map[string]bool{``: true, `, "downsample_in_first_stage": false`: false} {
		info, err := beside(t, `{"model_type": "regnet"`+text+`}`, "")
		require.NoError(t, err)
		require.Equal(t, &Form{Model: "regnet", FirstStage: want}, info.Form)
	}
	for text, want := range map[string]string{
		`"downsample_in_bottleneck": "true"`: `config.json: downsample_in_bottleneck is "true"; expected true or false`,
		`"downsample_in_first_stage": 1`:     "downsample_in_first_stage is 1; expected true or false",
		`"hidden_act": ["relu"]`:             "hidden_act is",
	} {
		_, err := beside(t, `{"model_type": "resnet", "id2label": 7, `+text+`}`, "")
		require.ErrorContains(t, err, want)
		_, err = beside(t, `{"model_type": "vit", `+text+`}`, "")
		require.NoError(t, err)
	}
}
