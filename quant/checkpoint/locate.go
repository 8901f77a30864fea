package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// weightFiles are the names under which model hubs keep the weights in a model's folder, in order of
// preference.
var weightFiles = []string{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "model.onnx"}

// A File is where weights are kept, open, with its format recognised: a file, or a folder of arrays. It reads the
// bytes of the file; a folder has none.
type File struct {
	io.ReaderAt
	Path   string
	Format string // one of the Format constants
	size   int64
	arrays []string // of a folder
	files  []string // that were read, Path or what it stands for
	also   []io.Closer
}

// Size is the file's length in bytes.
func (f *File) Size() int64 { return f.size }

// Close closes the file, and those that it stands for. What was read of them stays.
func (f *File) Close() error {
	var err error
	for _, c := range f.also {
		err = errors.Join(err, c.Close())
	}
	if c, ok := f.ReaderAt.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// Locate finds and opens the file that holds the weights of what a user names: a file, a folder of .npy files, or the
// folder of a model as it is downloaded from a hub. Formats are told apart by content. [Read] goes on from here, or
// packages onnx and torch7 for their formats. Errors begin with a path.
func Locate(path string) (*File, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, err // *PathError: names the path
	}
	if stat.IsDir() {
		return locateFolder(path)
	}
	if !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is not a regular file; save the checkpoint to disk first", path)
	}
	fd, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if stat, err = fd.Stat(); err != nil {
		fd.Close()
		return nil, err
	}
	f, err := recognise(fd, stat.Size(), path)
	if err != nil {
		fd.Close()
		return nil, err
	}
	return f, nil
}

// recognise is Locate for a file of size bytes that is open.
func recognise(r io.ReaderAt, size int64, path string) (*File, error) {
	format, err := sniff(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{ReaderAt: r, Path: path, Format: format, size: size}, nil
}

func locateFolder(path string) (*File, error) {
	for _, name := range weightFiles {
		inside := filepath.Join(path, name)
		if stat, err := os.Stat(inside); err == nil && stat.Mode().IsRegular() {
			return Locate(inside)
		}
	}
	arrays, err := npyFiles(os.DirFS(path))
	if err == nil && len(arrays) == 0 {
		err = errors.New("is a folder with neither .npy files nor model.safetensors in it; give the path of a .pth, .pt, .safetensors or .onnx file")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{ReaderAt: strings.NewReader(""), Path: path, Format: FormatNPYFolder, arrays: arrays}, nil
}
