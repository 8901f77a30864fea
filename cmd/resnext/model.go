package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

// openModel opens the model file at path. What it has to warn of goes to stderr.
func openModel(path, kernels string, stderr io.Writer) (*resnext.Model, error) {
	m, err := resnext.OpenWith(path, resnext.Options{Kernels: kernels})
	if err != nil {
		return nil, explain(path, err)
	}
	if w := m.Warning(); w != "" {
		cli.Warn(stderr, tool, "%s; using the kernel set %s", w, m.Kernels())
	}
	return m, nil
}

// explain adds what to do where the error does not say so itself.
func explain(path string, err error) error {
	if errors.Is(err, resnext.ErrModelFile) || errors.Is(err, resnext.ErrMemoryLimit) || errors.Is(err, asm.ErrKernels) {
		return err
	}
	if info, failed := os.Stat(path); failed == nil && info.IsDir() {
		return fmt.Errorf("%s: it is a folder: give a model file that calib made", path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: give the path of a model that calib made", cli.Plain(err))
	}
	return fmt.Errorf("%w: give a model that calib made, or copy it again", cli.Plain(err))
}

func checkThreads(n int) error {
	if n < 0 {
		return cli.Usage("--threads is %d, expected 0 (all cores) or more", n)
	}
	return nil
}
