package evidence_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/quant/evidence"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/weights"
	"github.com/libresnext/libresnext/resnext"
)

const (
	testdata = "../../testdata/"
	size     = 28
)

// changes are what may become of images between training and calibration.
var changes = []struct {
	name   string
	change func(rgb []byte) []byte
}{
	{"as in training", func(rgb []byte) []byte { return rgb }},
	{"JPEG of quality 50", recompressed(50)},
	{"JPEG of quality 15", recompressed(15)},
	{"half as bright", brighter(0.5)},
	{"a quarter as bright", brighter(0.25)},
	{"brighter by 60%", brighter(1.6)},
	{"upside down", func(rgb []byte) []byte {
		turned := slices.Clone(rgb)
		slices.Reverse(turned)
		return turned
	}},
	{"mosaics of colours", func(rgb []byte) []byte {
		r := rand.New(rand.NewPCG(uint64(rgb[size*size]), uint64(len(rgb)))) // from another domain altogether
		var colours [49][3]byte
		for i := range colours {
			colours[i] = [3]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())}
		}
		var all []byte
		for p := range size * size {
			colour := colours[p/size/4*7+p%size/4]
			all = append(all, colour[:]...)
		}
		return all
	}},
}

func brighter(factor float64) func(rgb []byte) []byte {
	return func(rgb []byte) []byte {
		var all []byte
		for _, v := range rgb {
			all = append(all, byte(min(255, factor*float64(v))))
		}
		return all
	}
}

func recompressed(quality int) func(rgb []byte) []byte {
	return func(rgb []byte) []byte {
		img := image.NewRGBA(image.Rect(0, 0, size, size))
		for p := range size * size {
			copy(img.Pix[4*p:], []byte{rgb[3*p], rgb[3*p+1], rgb[3*p+2], 255})
		}
		var file bytes.Buffer
		if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: quality}); err != nil {
			panic(err)
		}
		decoded, err := jpeg.Decode(&file)
		if err != nil {
			panic(err)
		}
		var all []byte
		for p := range size * size {
			r, g, b, _ := decoded.At(p%size, p/size).RGBA()
			all = append(all, byte(r>>8), byte(g>>8), byte(b>>8))
		}
		return all
	}
}

// TestRates: on no trained network of testdata does any change of its images lead to a reading that is wrong, or to doubt in
// a preparation that is right; and every wrong preparation is doubted on images as in training. With RATES=1 it asks with 16,
// 128 and 512 images and prints the table of docs/evidence.md.
func TestRates(t *testing.T) {
	numbers := []int{16}
	if os.Getenv("RATES") != "" {
		numbers = []int{16, 128, 512}
	}
	files, err := filepath.Glob(testdata + "family/*.safetensors")
	require.NoError(t, err)
	files = append(files, testdata+"fashion/resnext20_8x4d.pth")
	require.Len(t, files, 7)
	set, err := images.OpenPart(testdata+"fashion/calib.zip", images.Train)
	require.NoError(t, err)
	defer set.Close()
	fashion := resnext.CIFARPreprocess()
	fashion.Mean, fashion.Std = [3]float32{0.2860, 0.2860, 0.2860}, [3]float32{0.3530, 0.3530, 0.3530}
	raw := prepared(t, set, fashion)
	t.Logf("%-20s %6s  %8s  %s  %s  %s  %s", "images", "number", "nats", "told", "wrong", "doubted", "alarms")
	for _, c := range changes {
		for _, n := range numbers {
			told, wrong, doubted, alarms, least, most := 0, 0, 0, 0, 1e9, 0.0
			for _, file := range files {
				net, from, err := weights.Open(file, weights.Options{})
				require.NoError(t, err)
				require.NoError(t, net.SetInputSize(size, size))
				asked := evidence.Images{N: n, Load: func(i int) ([]byte, error) { return c.change(raw[i*len(raw)/n]), nil }}
				r, err := evidence.Read(context.Background(), net, from.Open, asked, fashion, 0, nil)
				require.NoError(t, err)
				p, err := evidence.Prepare(net, asked, fashion)
				require.NoError(t, err)
				least, most = min(least, r.Fit.Divergence), max(most, r.Fit.Divergence)
				if r.Told {
					told++
				}
				if p.Doubtful {
					alarms++
				}
				for _, v := range r.Verdicts {
					if !v.Usual {
						wrong++
					}
					if r.Told && v.Doubted() {
						doubted++
					}
				}
				if c.name == "as in training" {
					require.True(t, r.Told)
					requireDoubt(t, net, asked)
				}
			}
			t.Logf("%-20s %6d  %.4f to %.4f  %d/7 %d %d %d", c.name, n, least, most, told, wrong, doubted, alarms)
			require.Zero(t, wrong, c.name)
			require.Zero(t, alarms, c.name)
			if c.name != "upside down" { // one small network's strides hardly differ
				require.Zero(t, doubted, c.name)
			}
		}
	}
}

// prepared are the images of a set as the networks see them.
func prepared(t *testing.T, set *images.Set, p resnext.Preprocess) [][]byte {
	t.Helper()
	w, err := resnext.NewPreparer(resnext.Config{Stem: resnext.CIFARStem(), Height: size, Width: size}, p)
	require.NoError(t, err)
	var all [][]byte
	for i := range set.Len() {
		img, err := set.Load(i)
		require.NoError(t, err)
		rgb, err := w.Prepare(img)
		require.NoError(t, err)
		all = append(all, slices.Clone(rgb))
	}
	return all
}

// requireDoubt wants the usual wrong preparations to be doubted.
func requireDoubt(t *testing.T, net *float.Net, asked evidence.Images) {
	t.Helper()
	for _, p := range []resnext.Preprocess{resnext.ImageNetPreprocess(), resnext.CIFARPreprocess(),
		{Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.5, 0.5, 0.5}}, {Std: [3]float32{1, 1, 1}}, {Std: [3]float32{1. / 255, 1. / 255, 1. / 255}},
	} {
		r, err := evidence.Prepare(net, asked, p)
		require.NoError(t, err)
		require.True(t, r.Doubtful, fmt.Sprint(p))
		require.Equal(t, "Fashion-MNIST's mean and std", r.Fits)
	}
}
