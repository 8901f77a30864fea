// Package checkpoint reads the float weights of a trained network from disk.
//
// What it reads, told apart by content and never by extension:
//
//   - PyTorch's zip format, written by torch.save since 1.6;
//   - PyTorch's older format, a row of pickles followed by raw storages;
//   - TorchScript archives, for the tensors in them and not for the program;
//   - safetensors, in one file or in shards with an index;
//   - NumPy arrays, one for each tensor, in a folder or an .npz archive.
//
// Files that describe how operators are joined, ONNX and Torch7, are recognised
// here and read by packages of their own.
//
// PyTorch describes tensors by a pickle, which is a program. Here a small
// machine of our own runs it on plain values: it knows how to put tensors,
// dicts and numbers together and nothing else, so a hostile file cannot make
// it call anything. Of objects of other classes the attributes are read, so that
// the tensors of a module that was saved whole have their names; its code is not.
//
// A file may hold several state dicts: weights and their averages, the optimizer's
// moments. Which of them is a network is for package weights to tell.
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
	FormatScript      = "TorchScript"
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

// A Checkpoint is one state dict of a file.
type Checkpoint struct {
	Path   string
	Format string // one of the Format constants
	// Files lists the files that were read: Path, or where that is an index the shards too, or the arrays of a
	// folder.
	Files []string
	// Wrapper is the path of keys under which the state dict is in the file, such as
	// "state_dict" or "ema.module"; empty if it is the file's top level.
	Wrapper string
	// Labels are the names of the classes, if the file has them beside its tensors.
	Labels []string
	// Tensors holds the floating-point tensors by name; without Data until Load reads it. No two
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

	load func(wanted func(name string) bool) error
}

// Open reads the file at path, which must hold one state dict, whole.
func Open(path string) (*Checkpoint, error) {
	f, err := Locate(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := Read(f)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		return nil, fmt.Errorf("%s: holds %d state dicts, under %q and %q among others; expected one", path, len(all), all[0].Wrapper, all[1].Wrapper)
	}
	return all[0], all[0].Load(func(string) bool { return true })
}

// Read finds the state dicts of a file, at least one, in the file's order. It reads no numbers; they are for Load, before
// f is closed. Errors begin with the path.
func Read(f *File) ([]*Checkpoint, error) {
	f.files = []string{f.Path}
	c, err := describe(f)
	var all []*Checkpoint
	if err == nil {
		all, err = c.checkpoints(f)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return all, nil
}

// Load reads the Data of the tensors that are wanted, by their names. It takes about four bytes of memory per element
// beside the largest single storage that they are in. Errors begin with the path.
func (c *Checkpoint) Load(wanted func(name string) bool) error {
	if c.load == nil { // made by hand, with its numbers
		return nil
	}
	if err := c.load(wanted); err != nil {
		return fmt.Errorf("%s: %w", c.Path, err)
	}
	return nil
}

func newCheckpoint(path string) *Checkpoint {
	return &Checkpoint{Path: path, Files: []string{path}, Tensors: map[string]*Tensor{}, Hidden: map[string]string{}}
}

// describe reads what a file says of its tensors.
func describe(f *File) (*contents, error) {
	if f.size > math.MaxInt/8 {
		return nil, fmt.Errorf("%d bytes are too many for this machine's memory", f.size)
	}
	switch f.Format {
	case FormatZip:
		return readZip(f)
	case FormatLegacy:
		return readLegacy(f, f.size)
	case FormatSafetensors:
		return readSafetensors(f, f.size)
	case FormatSharded:
		return readSharded(f)
	case FormatNPYFolder:
		return readNPYFolder(f)
	}
	return nil, fmt.Errorf("is of the format %s, which describes a graph and not tensors by name", f.Format)
}
