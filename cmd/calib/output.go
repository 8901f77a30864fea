package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// checkOutput reports, before any work, what would make writing the file that a flag names fail or destroy an
// input.
func checkOutput(flag, out string, inputs ...string) error {
	folder, err := os.Stat(filepath.Dir(out))
	switch {
	case err != nil:
		return fmt.Errorf("--%s %s: the folder %s cannot be used: %w", flag, out, filepath.Dir(out), pathCause(err))
	case !folder.IsDir():
		return fmt.Errorf("--%s %s: %s is not a folder", flag, out, filepath.Dir(out))
	}
	info, err := os.Stat(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("--%s %s: %w", flag, out, pathCause(err))
	}
	if info.IsDir() {
		return fmt.Errorf("--%s %s: it is a folder; give the name of a file in it", flag, out)
	}
	for _, path := range inputs {
		if in, err := os.Stat(path); err == nil && os.SameFile(in, info) {
			return fmt.Errorf("--%s %s: it is also an input; give another name", flag, out)
		}
	}
	return nil
}

// sameFile tells whether two paths name one file, which need not exist yet.
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
