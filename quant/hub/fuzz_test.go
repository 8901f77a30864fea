package hub

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzBeside: whatever stands beside the weights, what is taken from it is within its ranges.
func FuzzBeside(f *testing.F) {
	const timm = `{"label_names":["a","b"],"pretrained_cfg":{"input_size":[3,224,224],"crop_pct":0.875,"crop_mode":"center",` +
		`"interpolation":"bicubic","mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}}`
	const transformers = `{"model_type":"resnet","downsample_in_first_stage":false,"downsample_in_bottleneck":true,` +
		`"hidden_act":"relu","id2label":{"0":"a","1":"b"}}`
	const processor = `{"image_processor_type":"ConvNextImageProcessor","size":{"shortest_edge":224},"crop_pct":0.875,` +
		`"do_center_crop":true,"crop_size":{"height":9,"width":9},"resample":3,"rescale_factor":0.00392,` +
		`"image_mean":[0.4,0.5,0.6],"image_std":[0.2,0.2,0.2]}`
	f.Add([]byte(timm), []byte(`{}`))
	f.Add([]byte(transformers), []byte(processor))
	f.Add([]byte(`{"id2label":{"0":1}}`), []byte(`{"size":224,"do_resize":false,"resample":2}`))
	f.Fuzz(func(t *testing.T, config, preprocessor []byte) {
		dir := t.TempDir()
		for i, b := range [][]byte{config, preprocessor} {
			require.NoError(t, os.WriteFile(Files(filepath.Join(dir, "w.bin"))[i], b, 0o600))
		}
		info, err := Beside(filepath.Join(dir, "w.bin"))
		if err != nil {
			return
		}
		if p := info.Prepare; p != nil {
			require.Empty(t, info.Notes)
			require.True(t, p.Size >= 1 && p.Size <= 4096 && p.Resize >= 0 && p.Resize <= 4096, "%+v", p)
			require.Contains(t, []string{"bilinear", "bicubic"}, p.Filter)
			for i := range 3 {
				require.True(t, p.Mean[i] >= -10 && p.Mean[i] <= 10 && p.Std[i] > 0 && p.Std[i] <= 100, "%+v", p)
			}
		}
	})
}
