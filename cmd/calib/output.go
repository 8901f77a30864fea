package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
)

// output is a file to write and the flag that names it.
type output struct{ flag, path string }

// checkOutputs reports, before any work, what would make writing a file fail or destroy an input or another output.
// calibration and eval may be nil.
func (p *plan) checkOutputs(calibration, eval *images.Set) error {
	s := p.settings
	inputs := []string{s.weights, s.images, s.eval, s.labels}
	if p.net.from != nil {
		inputs = slices.Concat(inputs, p.net.from.Files)
	}
	var before []output
	for _, o := range []output{{"out", p.out}, {"report", s.report}, {"export-onnx", s.exportONNX}} {
		if o.path == "" {
			continue
		}
		for _, other := range before {
			if sameFile(o.path, other.path) {
				return cli.Usage("--%s %s: it is also the file of --%s; give another name", o.flag, o.path, other.flag)
			}
		}
		if err := o.check(inputs); err != nil {
			return err
		}
		if err := o.checkImages("images", calibration); err != nil {
			return err
		}
		if err := o.checkImages("eval", eval); err != nil {
			return err
		}
		before = append(before, o)
	}
	return nil
}

// check wants a place where a file can be put, and no input.
func (o output) check(inputs []string) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("--%s %s: %w", o.flag, o.path, fmt.Errorf(format, args...))
	}
	folder, err := os.Stat(filepath.Dir(o.path))
	switch {
	case err != nil:
		return bad("the folder %s cannot be used: %w", filepath.Dir(o.path), pathCause(err))
	case !folder.IsDir():
		return bad("%s is not a folder", filepath.Dir(o.path))
	}
	info, err := os.Stat(o.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return bad("%w", pathCause(err))
	case info.IsDir():
		return bad("it is a folder; give the name of a file in it")
	case !info.Mode().IsRegular():
		return bad("it is not a regular file; give another name")
	}
	for _, path := range inputs {
		if in, err := os.Stat(path); err == nil && os.SameFile(in, info) {
			return bad("it is also an input; give another name")
		}
	}
	return nil
}

// checkImages wants no file that is there already among the images.
func (o output) checkImages(flag string, set *images.Set) error {
	if set == nil || !set.Uses(o.path) {
		return nil
	}
	return fmt.Errorf("--%s %s: it is there already and among the files of --%s, which are not replaced; give another name, or remove it", o.flag, o.path, flag)
}

// sameFile reports whether two paths name one file, which need not exist yet.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB)
	}
	infoA, errA = os.Stat(filepath.Dir(a))
	infoB, errB = os.Stat(filepath.Dir(b))
	return errA == nil && errB == nil && os.SameFile(infoA, infoB) && filepath.Base(a) == filepath.Base(b)
}

// pathCause takes the operation and the path off an error of package os.
func pathCause(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
