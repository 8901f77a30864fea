// Package checkpoint reads the float weights of a trained network from disk.
//
// What it reads, told apart by content and never by extension:
//
//   - PyTorch's zip format, written by torch.save since 1.6;
//   - PyTorch's older format, a row of pickles followed by raw storages;
//   - safetensors, in one file or in shards with an index;
//   - NumPy arrays, one for each tensor, in a folder or an .npz archive.
//
// Files that describe how operators are joined, ONNX and Torch7, are recognised
// here and read by packages of their own.
//
// PyTorch describes tensors by a pickle, which is a program. Here a small
// machine of our own runs it on plain values: it knows how to put tensors,
// dicts and numbers together and nothing else, so a hostile file cannot make
// it call anything. Objects of other classes, which training scripts save beside
// the tensors, stay closed.
//
// Every size in a file is checked against the file's own length before memory
// is taken, so a damaged file fails with an error, quickly and small.
package checkpoint

import (
	"fmt"
	"math"
)

// The formats that Checkpoint.Format names.
const (
	FormatZip         = "pytorch-zip"
	FormatLegacy      = "pytorch-legacy"
	FormatSafetensors = "safetensors"
	FormatSharded     = "safetensors in shards"
	FormatNPYFolder   = "folder of NumPy arrays"
	FormatNPZ         = "NumPy archive"
)

// Formats that Locate recognises and Read does not read.
const (
	FormatONNX   = "onnx"
	FormatTorch7 = "torch7"
)

// A Tensor is one tensor of a checkpoint, dense and row-major whatever its
// layout was in the file.
type Tensor struct {
	Name string
	// Shape lists the dimensions, outermost first; empty for a scalar.
	Shape []int
	// DType is the element type in the file: float64, float32, float16 or
	// bfloat16.
	DType string
	// Data holds the elements as float32: exact for the narrower types, float64
	// rounded to nearest even. NaN and infinities are passed on as they are.
	Data []float32
}

// FirstNonFinite finds the first element that is NaN or infinite.
func (t *Tensor) FirstNonFinite() (index int, value float32, found bool) {
	for i, v := range t.Data {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return i, v, true
		}
	}
	return 0, 0, false
}

// A Checkpoint is the state dict of one network.
type Checkpoint struct {
	Path   string
	Format string // one of the Format constants
	// Files lists the files that were read: Path, or where that is an index the shards too, or the arrays of a
	// folder.
	Files []string
	// Wrapper is the path of keys under which the state dict was found, such as
	// "state_dict" or "ema.module"; empty if it was the file's top level.
	Wrapper string
	// Prefix is what all names began with and lost, such as "module.".
	Prefix string
	// Tensors holds the floating-point tensors by name, without Prefix. No two
	// share memory, even if they did in the file.
	Tensors map[string]*Tensor
	// Order lists the keys of Tensors as the file orders them.
	Order []string
	// Ignored lists the entries that hold no floating-point tensor, such as
	// num_batches_tracked, in the file's order.
	Ignored []string
	// Hidden names the class of each ignored entry that is an object of some
	// program's own, in which a tensor may be.
	Hidden map[string]string
}

// Open is [Locate] and [Read].
func Open(path string) (*Checkpoint, error) {
	f, err := Locate(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(f)
}

// Read reads a checkpoint whole. It takes about four bytes of memory per element beside the largest single storage of
// the file. Errors begin with the path.
func Read(f *File) (*Checkpoint, error) {
	c := newCheckpoint(f.Path)
	c.Format = f.Format
	if err := c.read(f); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return c, nil
}

func newCheckpoint(path string) *Checkpoint {
	return &Checkpoint{Path: path, Files: []string{path}, Tensors: map[string]*Tensor{}, Hidden: map[string]string{}}
}

func (c *Checkpoint) read(f *File) error {
	if f.size > math.MaxInt/8 {
		return fmt.Errorf("%d bytes are too many for this machine's memory", f.size)
	}
	switch f.Format {
	case FormatZip:
		return c.readZip(f, f.size)
	case FormatLegacy:
		return c.readLegacy(f, f.size)
	case FormatSafetensors:
		return c.readSafetensors(f, f.size)
	case FormatSharded:
		return c.readSharded(f, f.size)
	case FormatNPYFolder:
		return c.readNPYFolder(f.Path, f.arrays)
	}
	return fmt.Errorf("is of the format %s, which describes a graph and not tensors by name", f.Format)
}
