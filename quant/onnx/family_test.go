package onnx_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/weights"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// What PyTorch's exporters write of the family's networks must give PyTorch's logits. See
// testdata/family/make_family.py.
func TestFamilyGivesPyTorchsLogits(t *testing.T) {
	const dir = "testdata/family"
	data, err := os.ReadFile(filepath.Join(dir, "logits.json"))
	require.NoError(t, err)
	var logits map[string][]float32
	require.NoError(t, json.Unmarshal(data, &logits))
	require.Len(t, logits, 19)
	rgb := make([]byte, 64*64*3)
	for i := range rgb {
		rgb[i] = byte(uint32(i) * 2654435761 >> 24)
	}
	for name, want := range logits {
		t.Run(name, func(t *testing.T) {
			n, _, err := weights.Open(filepath.Join(dir, name), weights.Options{})
			require.NoError(t, err)
			got := n.NewRunner().Forward(rgb, resnext.ImageNetPreprocess())
			require.Len(t, got, len(want))
			for i, v := range want {
				require.InDelta(t, v, got[i], 2e-4*(1+float64(max(v, -v))), "logit %d", i)
			}
			head := topology.OneClass
			switch name[:2] {
			case "la":
				head = topology.MultiLabel
			case "aa":
				head = topology.Embedding
			}
			require.Equal(t, head, n.Config.Head)
		})
	}
}
