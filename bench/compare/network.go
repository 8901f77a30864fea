package main

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/libresnext/libresnext/quant/onnx"
	"github.com/libresnext/libresnext/resnext"
)

// rangePictures is how many pictures show the ranges of what only ONNX rounds.
const rangePictures = 32

// network is one model file and what it becomes for other runtimes.
type network struct {
	path, onnx string
	label      string // the file's name without its endings
	q          *resnext.Quantised
}

// readNetworks reads model files, which must be of one architecture and take the same images.
func readNetworks(paths []string, dir string) ([]*network, error) {
	var all []*network
	for _, path := range paths {
		q, err := resnext.ReadQuantised(path)
		if err != nil {
			return nil, err
		}
		label := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".safetensors"), ".int8")
		n := &network{path: path, label: label, onnx: filepath.Join(dir, label+".onnx"), q: q}
		for _, other := range all {
			if !reflect.DeepEqual(other.q.Config, q.Config) || other.q.Preprocess != q.Preprocess {
				return nil, fmt.Errorf("%s: its architecture or preprocessing is not that of %s", path, other.path)
			}
			if other.label == label {
				return nil, fmt.Errorf("%s: another model has the same file name", path)
			}
		}
		all = append(all, n)
	}
	return all, nil
}

// export writes the network as ONNX.
func (n *network) export(pictures [][]byte) error {
	m, err := resnext.New(n.q, resnext.Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", n.path, err)
	}
	ranges, err := onnx.Measure(m, pictures)
	if err != nil {
		return fmt.Errorf("%s: %w", n.path, err)
	}
	return onnx.Write(n.onnx, n.q, ranges, onnx.Options{Padded: true})
}
