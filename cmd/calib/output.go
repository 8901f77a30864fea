package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkOutput reports, before any work, what would make writing the model fail or destroy an input.
func checkOutput(out string, inputs ...string) error {
	folder, err := os.Stat(filepath.Dir(out))
	switch {
	case err != nil:
		return fmt.Errorf("--out %s: the folder %s cannot be used: %w", out, filepath.Dir(out), pathCause(err))
	case !folder.IsDir():
		return fmt.Errorf("--out %s: %s is not a folder", out, filepath.Dir(out))
	}
	info, err := os.Stat(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("--out %s: %w", out, pathCause(err))
	}
	if info.IsDir() {
		return fmt.Errorf("--out %s: it is a folder; give the name of a file in it", out)
	}
	for _, path := range inputs {
		if in, err := os.Stat(path); err == nil && os.SameFile(in, info) {
			return fmt.Errorf("--out %s: it is also an input; give another name", out)
		}
	}
	return nil
}

// pathCause takes the operation and the path off an error of package os.
func pathCause(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
