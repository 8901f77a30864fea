package weights

import (
	"bytes"
	"image/png"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
)

const fashion = "../../testdata/fashion/"

// load builds the network of a checkpoint file.
func load(t *testing.T, path, arch string) *float.Net {
	t.Helper()
	c, err := checkpoint.Open(path)
	require.NoError(t, err)
	n, err := FromCheckpoint(c, Options{Arch: arch})
	require.NoError(t, err)
	return n
}

// grayRGB decodes a gray picture to RGB bytes.
func grayRGB(t *testing.T, data []byte) []byte {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	b := img.Bounds()
	rgb := make([]byte, 0, b.Dx()*b.Dy()*3)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			rgb = append(rgb, byte(r>>8), byte(g>>8), byte(bl>>8))
		}
	}
	return rgb
}

func argmax(x []float32) int { return slices.Index(x, slices.Max(x)) }

// The reference network must give PyTorch's logits for every one of the 1000 test images; for every 20th
// where only the portable kernel exists, which may even be emulated.
func TestFashionLogitsArePyTorchs(t *testing.T) {
	n := load(t, fashion+"resnext20_8x4d.pth", "auto")
	require.Equal(t, "resnext20_8x4d_w2", n.Config.Name)
	require.NoError(t, n.SetInputSize(28, 28))
	golden := parseNPY(t, readFile(t, fashion+"golden_logits.npy"))
	pictures := readZip(t, fashion+"test.zip")
	names := strings.Fields(string(readFile(t, fashion+"golden_names.txt")))
	require.Len(t, names, 1000)
	require.Equal(t, []int{1000, 10}, golden.shape)

	p := resnext.Preprocess{Filter: "bilinear"}
	for c := range 3 {
		p.Mean[c], p.Std[c] = 0.2860, 0.3530
	}
	r := n.NewRunner()
	worst, step := 0.0, 1
	if runtime.GOARCH != "amd64" {
		step = 20
	}
	for i := 0; i < len(names); i += step {
		name := names[i]
		got, want := r.Forward(grayRGB(t, pictures[name]), p), golden.floats[i*10:][:10]
		require.Equal(t, argmax(want), argmax(got), name)
		for j := range want {
			worst = max(worst, math.Abs(float64(got[j]-want[j])))
		}
	}
	t.Logf("largest difference %.2g", worst)
	require.Less(t, worst, 1e-3)
}

// An ImageNet-style network with groups of 4, 8, 12 and 16 channels, identity and projection shortcuts
// and a filter that is switched off must give PyTorch's maps and logits. The image is neither square nor
// of even map sizes. See testdata/make_imagenet_golden.py.
func TestImageNetStyleMapsArePyTorchs(t *testing.T) {
	golden := readNPZ(t, "testdata/imagenet_small_golden.npz")
	n := load(t, "testdata/imagenet_small.pth", "")
	require.Equal(t, resnext.Config{
		Stem: resnext.ImageNetStem(), Classes: 21, Height: 224, Width: 224,
		Stages: resnext.Uniform(8, []resnext.Stage{
			{Blocks: 2, Inner: 32, Out: 96, Stride: 1}, {Blocks: 1, Inner: 64, Out: 128, Stride: 2},
			{Blocks: 1, Inner: 96, Out: 144, Stride: 2}, {Blocks: 2, Inner: 128, Out: 160, Stride: 2},
		}),
	}, n.Config)
	image := golden["image"]
	require.NoError(t, n.SetInputSize(image.shape[0], image.shape[1]))

	r := n.NewRunner()
	compared := 0
	r.Observe = func(name string, h, w, c int, data []float32) {
		want, ok := golden[name]
		if !ok {
			return
		}
		compared++
		require.Equal(t, want.shape, []int{h, w, c}, name)
		for i := range data {
			require.InDelta(t, want.floats[i], data[i], 1e-4, "%s element %d", name, i)
		}
	}
	r.Forward(image.bytes, resnext.ImageNetPreprocess())
	require.Equal(t, len(golden)-1, compared, "every golden map must have been seen")
}
