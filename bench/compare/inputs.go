package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/internal/synthetic"
	"github.com/libresnext/libresnext/quant/onnx"
	"github.com/libresnext/libresnext/resnext"
)

// unlabelled is the class of an image that has none.
const unlabelled = images.Unlabelled

// inputs are the images that all networks and runtimes get. The first one is what is timed.
type inputs struct {
	about             string
	rgb               [][]byte
	classes           []int
	rgbFile, onnxFile string
}

// makeInputs takes n images of the set at path, or makes n images where path is empty.
func makeInputs(n *network, path string, count int) (*inputs, error) {
	if path == "" {
		return syntheticInputs(n.q.Config, count)
	}
	set, err := images.Open(path)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	prepare, err := resnext.NewPreparer(n.q.Config, n.q.Preprocess)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.path, err)
	}
	in := &inputs{}
	for _, i := range set.Sample(count, 1) {
		img, err := set.Load(i)
		if err != nil {
			return nil, err
		}
		rgb, err := prepare.Prepare(img)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, set.Item(i).Name, err)
		}
		class := set.Item(i).Class
		if folders := len(set.Labels()); folders > 0 && folders != n.q.Config.Classes {
			class = unlabelled // the folders are something else
		}
		in.rgb, in.classes = append(in.rgb, bytes.Clone(rgb)), append(in.classes, class)
	}
	in.about = fmt.Sprintf("%d of the %d images of %s", len(in.rgb), set.Len(), path)
	return in, nil
}

// syntheticInputs makes images up.
func syntheticInputs(cfg resnext.Config, count int) (*inputs, error) {
	in := &inputs{about: fmt.Sprintf("%d made-up images", count)}
	for i := range count {
		rgb, err := synthetic.Picture(cfg.Width, cfg.Height, 1, uint64(i))
		if err != nil {
			return nil, err
		}
		in.rgb, in.classes = append(in.rgb, rgb), append(in.classes, unlabelled)
	}
	return in, nil
}

// write stores the images in both forms that workers take.
func (in *inputs) write(n *network, dir string) error {
	var padded []byte
	for _, rgb := range in.rgb {
		image, err := onnx.Input(n.q.Config, n.q.Preprocess, rgb)
		if err != nil {
			return err
		}
		padded = append(padded, image...)
	}
	in.rgbFile, in.onnxFile = filepath.Join(dir, "inputs.rgb"), filepath.Join(dir, "inputs.padded")
	if err := os.WriteFile(in.rgbFile, bytes.Join(in.rgb, nil), 0o666); err != nil {
		return err
	}
	return os.WriteFile(in.onnxFile, padded, 0o666)
}

// some gives up to n of the images, spread over all.
func (in *inputs) some(n int) [][]byte {
	n = min(n, len(in.rgb))
	var few [][]byte
	for i := range n {
		few = append(few, in.rgb[i*len(in.rgb)/n])
	}
	return few
}
