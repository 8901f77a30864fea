package main

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/camera"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

// modelVariable names the model where the command line does not, defaultModel is the file looked for otherwise.
const (
	modelVariable = "RESNEXT_MODEL"
	defaultModel  = "model.int8.safetensors"
)

// findModel is the path of the model to use.
func findModel(given string) (string, error) {
	if given == "" {
		given = os.Getenv(modelVariable)
	}
	if given != "" {
		return given, nil
	}
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("give a model that calib made: this program cannot tell where it lies itself: %w", err)
	}
	if resolved, err := filepath.EvalSymlinks(program); err == nil {
		program = resolved
	}
	folder := filepath.Dir(program)
	places := []string{filepath.Join(folder, defaultModel), filepath.Join(folder, "..", "share", "resnext", defaultModel)}
	for _, path := range places {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", cli.Usage("no model: give one that calib made, name it in %s, or put it at %s", modelVariable, places[0])
}

// openModel opens the model. warn is told what is not as it should be.
func openModel(path, kernels string, warn func(format string, args ...any)) (*resnext.Model, error) {
	m, err := resnext.OpenWith(path, resnext.Options{Kernels: kernels})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: give the path of a model that calib made", cli.Plain(err))
	}
	if err != nil {
		return nil, err
	}
	if m.Config().Head == resnext.Embedding {
		return nil, fmt.Errorf("%s: the model has no labels, it turns images into vectors: give one with a classifier", cli.Printable(path))
	}
	if w := m.Warning(); w != "" {
		warn("warning: %s; using the kernel set %s", w, m.Kernels())
	}
	return m, nil
}

// classifier is a model ready to run. It is a live.Classifier.
type classifier struct {
	*resnext.Model
	session  *resnext.Session
	preparer *resnext.Preparer
}

// newClassifier makes a session of as many threads as threads says where the library would take the given number: it
// knows what of the computer this program may use.
func newClassifier(m *resnext.Model, threads func(usual int) int) (*classifier, error) {
	preparer, err := resnext.NewPreparer(m.Config(), m.Preprocess())
	if err != nil {
		return nil, err
	}
	session, err := m.NewSession(resnext.SessionOptions{})
	if err != nil {
		return nil, err
	}
	if n := threads(session.Threads()); n != session.Threads() {
		session.Close()
		if session, err = m.NewSession(resnext.SessionOptions{Threads: n}); err != nil {
			return nil, err
		}
	}
	return &classifier{m, session, preparer}, nil
}

// Logits prepares and classifies a picture.
func (c *classifier) Logits(m image.Image) ([]float32, time.Duration, error) {
	input, err := c.prepare(m)
	if err != nil {
		return nil, 0, err
	}
	begin := time.Now()
	logits, err := c.session.Infer(input)
	return logits, time.Since(begin), err
}

func (c *classifier) prepare(m image.Image) ([]byte, error) {
	if rgb, ok := m.(*camera.RGB); ok {
		return c.preparer.PrepareRGB(rgb.Pix, rgb.W, rgb.H)
	}
	return c.preparer.Prepare(m)
}

// labels names every class.
func (c *classifier) labels() []string {
	names := make([]string, c.Config().Classes)
	for i := range names {
		names[i] = c.Label(i)
	}
	return names
}
