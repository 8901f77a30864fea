package quant

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/weights"
)

const family = "../testdata/family/"

// trained is one network of testdata/family.
type trained struct {
	File   string  `json:"file"`
	Top1   float64 `json:"top1_test_zip"`
	Golden string  `json:"golden"`
}

// sqnrOf is the least ratio of the logits, in dB, of each trained network: a dB or so below its figure.
var sqnrOf = map[string]float64{
	"resnet20_a.safetensors": 40.5, "resnet_d.safetensors": 37, "seresnext.safetensors": 36.5, "ecaresnet.safetensors": 35.5,
	"regnetx.safetensors": 39, "regnety.safetensors": 37.5,
}

// TestTrainedFamily: networks of each new kind, trained by timm's, torchvision's and CIFAR code, give PyTorch's float
// logits and keep their accuracy in 8 bits.
func TestTrainedFamily(t *testing.T) {
	text, err := os.ReadFile(family + "family.json")
	require.NoError(t, err)
	var list []trained
	require.NoError(t, json.Unmarshal(text, &list))
	require.Len(t, list, len(sqnrOf))
	calibration, _ := labelledImages(t, fashion+"calib.zip")
	images, labels := labelledImages(t, fashion+"test.zip")
	_, p := referenceNet(t)
	for _, n := range list {
		t.Run(strings.TrimSuffix(n.File, ".safetensors"), func(t *testing.T) {
			net, _, err := weights.Open(family+n.File, weights.Options{})
			require.NoError(t, err)
			require.NoError(t, net.SetInputSize(28, 28))
			want := goldenLogits(t, family+n.Golden)
			r := net.NewRunner()
			for i, logits := range want {
				require.InDeltaSlice(t, logits, r.Forward(images[i*len(images)/len(want)], p), 1e-3)
			}

			source := Images{len(calibration), func(i int) ([]byte, error) { return calibration[i], nil }}
			stats, err := Collect(context.Background(), net, source.N, source.Load, p, 0, nil)
			require.NoError(t, err)
			q, _, err := Quantise(context.Background(), net, source, stats, p, Options{Depth: DepthAuto})
			require.NoError(t, err)
			got, err := Compare(context.Background(), net, packed(t, q), len(images),
				func(i int) ([]byte, int, error) { return images[i], labels[i], nil }, p, CompareOptions{})
			require.NoError(t, err)
			t.Logf("%v, top-1 %.3f of %.3f, agreement %.4f", got.SQNR, got.Int8.Top1, got.Float.Top1, got.Agreement)
			require.InDelta(t, n.Top1/100, got.Float.Top1, 0.0011)
			require.GreaterOrEqual(t, got.Int8.Top1, got.Float.Top1-0.005)
			require.GreaterOrEqual(t, got.Agreement, 0.99)
			require.Greater(t, float64(got.SQNR), sqnrOf[n.File])
		})
	}
}

// goldenLogits reads a float32 array [n][10] of NumPy.
func goldenLogits(t *testing.T, path string) [][]float32 {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	begin := 10 + int(binary.LittleEndian.Uint16(b[8:]))
	require.Contains(t, string(b[:begin]), "'descr': '<f4', 'fortran_order': False, 'shape': (50, 10)")
	all := make([][]float32, 50)
	for i := range 500 {
		all[i/10] = append(all[i/10], math.Float32frombits(binary.LittleEndian.Uint32(b[begin+4*i:])))
	}
	return all
}
