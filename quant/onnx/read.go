package onnx

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/libresnext/libresnext/quant/match"
)

// Float is a float network read from an ONNX file.
type Float struct {
	*match.Network
	// Opset is the version of the standard operators, Producer who wrote the file, as it says.
	Opset    int
	Producer string
	// Sized reports whether the file fixes the image's size, which is then Config's.
	Sized bool
	// Files lists the files that were read: the model, and those beside it that hold its weights, sorted.
	Files []string
}

// The versions of the standard operators whose meaning is known here: opset 9 is that of ONNX 1.4, 24 of 1.19.
const (
	oldestOpset = 7
	newestOpset = 24
)

// Read reads the float network in an ONNX file of size bytes: an export of torchvision, timm or other code of the
// same family, whatever its nodes are called, with batch normalisation of its own or folded into the
// convolutions, and with its weights inside or in files beside it. What the graph does to its image is the network's
// normalisation, what it does to the logits is left out, and of several outputs the one is taken that gives classes, or
// else features; the network's notes say so. path is where the file is: errors begin with it,
// and beside it are the weights. What is no such network is refused by an error that names the file, the node, what
// was expected and what to do.
//
// Only the weights that the logits depend on are read, each once: the file may be larger than memory allows
// as bytes. Numbers of other types are brought to float32, float64 rounded to nearest even.
func Read(r io.ReaderAt, size int64, path string) (*Float, error) {
	files := newDataFiles(filepath.Dir(path))
	defer files.close()
	n, err := readFloat(r, size, files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	n.Files = append([]string{path}, files.paths()...)
	return n, nil
}

func readFloat(r io.ReaderAt, size int64, files *dataFiles) (*Float, error) {
	m, err := parseModel(r, size)
	if err != nil {
		return nil, err
	}
	if m.opset < oldestOpset || m.opset > newestOpset {
		return nil, fmt.Errorf("the model uses opset %d; expected %d to %d: export it again with opset_version=17", m.opset, oldestOpset, newestOpset)
	}
	b, err := newBuilder(m, files)
	if err != nil {
		return nil, err
	}
	network, err := b.network()
	if err != nil {
		return nil, err
	}
	return &Float{Network: network, Opset: m.opset, Producer: m.producer, Sized: b.height > 0}, nil
}
