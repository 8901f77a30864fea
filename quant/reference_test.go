package quant

import (
	"archive/zip"
	"context"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/quant/checkpoint"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/weights"
	"github.com/libresnext/libresnext/resnext"
)

const fashion = "../testdata/fashion/"

// referenceNet is a trained network, with the normalisation it was trained with.
func referenceNet(t testing.TB) (*float.Net, resnext.Preprocess) {
	c, err := checkpoint.Open(fashion + "resnext20_8x4d.pth")
	require.NoError(t, err)
	net, err := weights.FromCheckpoint(c, weights.Options{Arch: "auto"})
	require.NoError(t, err)
	require.NoError(t, net.SetInputSize(28, 28))
	return net, resnext.Preprocess{
		Filter: "bilinear",
		Mean:   [3]float32{0.2860, 0.2860, 0.2860}, Std: [3]float32{0.3530, 0.3530, 0.3530},
	}
}

// labelledImages are a zip's gray pictures as RGB, in the order of their names, and their classes.
func labelledImages(t testing.TB, path string) (images [][]byte, labels []int) {
	z, err := zip.OpenReader(path)
	require.NoError(t, err)
	defer z.Close()
	slices.SortFunc(z.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		picture, err := png.Decode(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		var rgb []byte
		for i := range picture.Bounds().Dx() * picture.Bounds().Dy() {
			v, _, _, _ := picture.At(i%picture.Bounds().Dx(), i/picture.Bounds().Dx()).RGBA()
			rgb = append(rgb, byte(v>>8), byte(v>>8), byte(v>>8))
		}
		images, labels = append(images, rgb), append(labels, int(f.Name[0]-'0'))
	}
	return images, labels
}

// TestReferenceNetwork holds what calibration gives on a trained network, from every fourth of the calibration
// images.
func TestReferenceNetwork(t *testing.T) {
	net, p := referenceNet(t)
	calibration, _ := labelledImages(t, fashion+"calib.zip")
	images, labels := labelledImages(t, fashion+"test.zip")
	source := Images{len(calibration) / 4, func(i int) ([]byte, error) { return calibration[4*i], nil }}
	stats, err := Collect(context.Background(), net, source.N, source.Load, p, 0, nil)
	require.NoError(t, err)
	cases := []struct {
		observer Observer
		depth    int
		effort   Effort
		step     int
		least    float64
	}{
		{MSE, 0, Fast, 10, 39}, {MSE, 2, Fast, 10, 37}, {MSE, 4, Fast, 10, 36}, {MSE, 8, Fast, 10, 35},
		{MSE, DepthAuto, Fast, 10, 38}, {MSE, 4, Default, 2, 40}, {MSE, DepthAuto, Default, 2, 40},
		{MinMax, 0, Fast, 50, 36}, {Percentile, 0, Fast, 50, 31}, {Entropy, 0, Fast, 50, 28},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.observer, " ", c.depth, " ", c.effort), func(t *testing.T) {
			q, _, err := Quantise(context.Background(), net, source, stats, p, Options{Observer: c.observer, Depth: c.depth, Effort: c.effort})
			require.NoError(t, err)
			got, err := Compare(context.Background(), net, packed(t, q), len(images)/c.step,
				func(i int) ([]byte, int, error) { return images[c.step*i], labels[c.step*i], nil }, p, CompareOptions{})
			require.NoError(t, err)
			t.Logf("%v, top-1 %.3f of %.3f, agreement %.3f", got.SQNR, got.Int8.Top1, got.Float.Top1, got.Agreement)
			require.Greater(t, float64(got.SQNR), c.least)
			require.GreaterOrEqual(t, got.Agreement, 0.95)
			require.GreaterOrEqual(t, got.Int8.Top1, got.Float.Top1-0.05)
		})
	}
}
