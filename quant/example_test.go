package quant_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/quant/weights"
	"github.com/libresnext/libresnext/resnext"
)

// A float checkpoint and some images become an int8 model file. Here the images are noise; a few hundred of the kind that
// the network will see are what calibration wants.
func ExampleQuantise() {
	net, _, err := weights.Open("../testdata/fashion/resnext20_8x4d.pth", weights.Options{Arch: "auto"})
	if err != nil {
		log.Fatal(err)
	}
	if err := net.SetInputSize(28, 28); err != nil {
		log.Fatal(err)
	}
	load := func(i int) ([]byte, error) { // [height][width][3] bytes, RGB
		rgb := make([]byte, 28*28*3)
		for at := range rgb {
			rgb[at] = byte((i + 1) * at * 7919 >> 4)
		}
		return rgb, nil
	}
	preprocess := resnext.Preprocess{
		Filter: "bilinear",
		Mean:   [3]float32{0.286, 0.286, 0.286}, Std: [3]float32{0.353, 0.353, 0.353},
	}
	ctx, images := context.Background(), quant.Images{N: 8, Load: load}
	statistics, err := quant.Collect(ctx, net, images.N, images.Load, preprocess, 0, nil)
	if err != nil {
		log.Fatal(err)
	}
	network, _, err := quant.Quantise(ctx, net, images, statistics, preprocess, quant.Options{Effort: quant.Fast})
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(os.TempDir(), "example.int8.safetensors")
	defer os.Remove(path)
	if _, err := network.WriteFile(path); err != nil {
		log.Fatal(err)
	}
	model, err := resnext.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(model.Config().Name, model.Config().Classes, "classes")
	// Output: resnext20_8x4d_w2 10 classes
}
