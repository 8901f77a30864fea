package onnx

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/libresnext/libresnext/quant/checkpoint"
)

// dataFiles opens the files beside a model that hold its weights. They must be in the model's folder or
// below it: neither the names in the model nor links may lead out.
type dataFiles struct {
	folder string
	root   *os.Root
	open   map[string]*os.File
	// left is how many bytes may still be read: each file's once. Only tensors that share their bytes could
	// want more.
	left int64
}

// maxDataFiles bounds the files that are open at a time; exporters write one, or one for each tensor.
const maxDataFiles = 512

func newDataFiles(folder string) *dataFiles {
	return &dataFiles{folder: folder, open: make(map[string]*os.File)}
}

func (d *dataFiles) close() {
	for _, f := range d.open {
		f.Close()
	}
	if d.root != nil {
		d.root.Close()
	}
}

// paths are those of the files, sorted.
func (d *dataFiles) paths() []string {
	var all []string
	for location := range d.open {
		all = append(all, filepath.Join(d.folder, filepath.FromSlash(location)))
	}
	slices.Sort(all)
	return all
}

// file gives the open file of a location that a model names.
func (d *dataFiles) file(location string) (f *os.File, err error) {
	if f := d.open[location]; f != nil {
		return f, nil
	}
	if !filepath.IsLocal(filepath.FromSlash(location)) {
		return nil, fmt.Errorf("its numbers are in the file %.200q, which is outside of the model's folder; expected a file beside the model", location)
	}
	if len(d.open) >= maxDataFiles {
		return nil, fmt.Errorf("the model's numbers are in more than %d files; save them in one (onnx.save with all_tensors_to_one_file)", maxDataFiles)
	}
	if d.root == nil {
		if d.root, err = os.OpenRoot(d.folder); err != nil {
			return nil, err
		}
	}
	if f, err = d.root.Open(filepath.FromSlash(location)); err != nil {
		return nil, fmt.Errorf("its numbers are in the file %.200q, which cannot be opened (%w); put it beside the model, as a file and not as a link that leads out of the folder", location, pathCause(err))
	}
	stat, err := f.Stat()
	if err == nil && !stat.Mode().IsRegular() {
		err = fmt.Errorf("its numbers are in %.200q, which is not a regular file", location)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	d.open[location] = f
	d.left += stat.Size()
	return f, nil
}

// pathCause takes the operation and the path off an error of package os.
func pathCause(err error) error {
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}

// externalFloats reads the numbers of a tensor from another file.
func (t *readTensor) externalFloats(files *dataFiles, name string) ([]float32, error) {
	f, err := files.file(t.external["location"])
	if err != nil {
		return nil, err
	}
	stat, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := stat.Size()
	n, err := t.count(size)
	if err != nil {
		return nil, err
	}
	element, _ := checkpoint.ElementSize(name)
	bytes := n * element
	offset, err := t.externalNumber("offset", 0)
	if err != nil {
		return nil, err
	}
	length, err := t.externalNumber("length", bytes)
	if err != nil {
		return nil, err
	}
	switch {
	case length != bytes:
		return nil, fmt.Errorf("has %d bytes in the file %.200q; its shape %v of %s needs %d", length, t.external["location"], t.dims, name, bytes)
	case offset > size || bytes > size-offset:
		return nil, fmt.Errorf("wants bytes %d to %d of the file %.200q, which has only %d; it is cut short or another model's", offset, offset+bytes, t.external["location"], size)
	case bytes > files.left:
		return nil, fmt.Errorf("the model's tensors share bytes of the file %.200q; save the model again", t.external["location"])
	}
	files.left -= bytes
	return checkpoint.ReadFloats(f, offset, n, name)
}

func (t *readTensor) externalNumber(key string, missing int64) (int64, error) {
	text, ok := t.external[key]
	if !ok || text == "" {
		return missing, nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 0 || v > math.MaxInt64/2 {
		return 0, fmt.Errorf("its %s in the file %.200q is %.40q; expected a number of bytes", key, t.external["location"], text)
	}
	return v, nil
}
