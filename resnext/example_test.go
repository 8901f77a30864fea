package resnext_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"log"
	"os"
	"path/filepath"
	"slices"

	"github.com/libresnext/libresnext/resnext"
)

// colours is a network made by hand that tells which of red, green and blue an image of 8x8 pixels has most of. Its
// convolutions pass three channels on as they are, and its classifier weighs their averages. Real ones come from calib.
func colours() *resnext.Quantised {
	q := &resnext.Quantised{
		Config: resnext.Config{
			Name: "colours", Stem: resnext.SimpleStem(1, 1, 3, resnext.NoPool),
			Stages: resnext.Uniform(1, []resnext.Stage{{Blocks: 1, Inner: 3, Out: 3, Stride: 1}}), Classes: 3, Height: 8, Width: 8,
		},
		Preprocess: resnext.Preprocess{Filter: "bilinear", Std: [3]float32{1, 1, 1}},
		Labels:     []string{"red", "green", "blue"},
		Convs:      map[string]resnext.ConvParams{},
		Scale:      map[string]float32{},
		Residual:   map[string]float32{"stage1.block0": 0},
		Classifier: identity(1, 1./(127*64*32)), // of the sums of 64 pixels, 32 brightness levels a unit
	}
	for _, c := range q.Config.Convs() {
		q.Convs[c.Name], q.Scale[c.Name] = identity(c.Kernel, 1./127), 1./255
	}
	return q
}

// identity is a layer of three channels, each of which is 127 times its multiplier the one of the input.
func identity(kernel int, multiplier float32) resnext.ConvParams {
	taps := kernel * kernel
	p := resnext.ConvParams{Weight: make([]int8, 3*taps*3), Bias: make([]int32, 3)}
	for c := range 3 {
		p.Weight[(c*taps+taps/2)*3+c] = 127
		p.Multiplier = append(p.Multiplier, multiplier)
	}
	return p
}

// Open a model file, and classify an image of any size.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "colours.int8.safetensors")
	if _, err := colours().WriteFile(path); err != nil { // as calib does
		log.Fatal(err)
	}

	model, err := resnext.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	session, err := model.NewSession(resnext.SessionOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.RGBA{R: 30, G: 40, B: 220, A: 255}), image.Point{}, draw.Src)
	top, err := session.Classify(img, 1)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %.1f%%\n", top[0].Label, 100*top[0].Probability)
	// Output: blue 99.4%
}

// Infer takes RGB bytes of the network's input size, and returns a logit for each class.
func ExampleSession_Infer() {
	model, err := resnext.New(colours(), resnext.Options{})
	if err != nil {
		log.Fatal(err)
	}
	session, err := model.NewSession(resnext.SessionOptions{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	rgb := bytes.Repeat([]byte{128, 64, 0}, 8*8)
	logits, err := session.Infer(rgb)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", logits)
	// Output: [4.00 2.00 0.00]
}

// Embed gives vectors by which images can be compared: the sum of products of two of length 1 is their cosine similarity.
func ExampleSession_Embed() {
	model, err := resnext.New(colours(), resnext.Options{})
	if err != nil {
		log.Fatal(err)
	}
	session, err := model.NewSession(resnext.SessionOptions{Threads: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	var vectors [][]float32
	for _, colour := range [][]byte{{200, 20, 0}, {100, 0, 0}, {0, 20, 200}} { // red, dark red, blue
		features, err := session.Embed(bytes.Repeat(colour, 8*8))
		if err != nil {
			log.Fatal(err)
		}
		vectors = append(vectors, slices.Clone(features)) // the next call overwrites them
		resnext.Normalise(vectors[len(vectors)-1])
	}
	for _, v := range vectors[1:] {
		var cosine float32
		for i := range v {
			cosine += v[i] * vectors[0][i]
		}
		fmt.Printf("%.2f\n", cosine)
	}
	// Output:
	// 1.00
	// 0.01
}

// Top ranks logits and names their classes.
func ExampleModel_Top() {
	model, err := resnext.New(colours(), resnext.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range model.Top([]float32{1, 0, 4}, 2) {
		fmt.Printf("%-5s %4.1f%% (class %d, logit %.0f)\n", p.Label, 100*p.Probability, p.Class, p.Logit)
	}
	// Output:
	// blue  93.6% (class 2, logit 4)
	// red    4.7% (class 0, logit 1)
}
