//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	library = "../../.." // its module is another one than this
	fashion = library + "/testdata/fashion/"
)

// made is what TestMain makes once: the program, and a model of the bundled network.
var made struct{ folder, program, model string }

func TestMain(m *testing.M) {
	// The programs that the tests start are to see the signals that they send, even if nohup started the tests: a
	// signal that is ignored stays so in all that is started.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	code, err := prepare(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepare(m *testing.M) (int, error) {
	folder, err := os.MkdirTemp("", "raspi-live")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(folder)
	made.folder, made.program, made.model = folder, filepath.Join(folder, tool), filepath.Join(folder, "fashion.int8.safetensors")
	commands := [][]string{
		{"go", "build", "-o", made.program, "."},
		{"go", "-C", library, "run", "./cmd/calib", "--weights", "testdata/fashion/resnext20_8x4d.safetensors",
			"--images", "testdata/fashion/calib.zip", "--mean", "0.2860", "--std", "0.3530", "--effort", "fast", "--limit", "32",
			"--out", made.model},
	}
	failed := make([]error, len(commands))
	var all sync.WaitGroup
	for i, command := range commands {
		all.Go(func() {
			if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
				failed[i] = fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
			}
		})
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// runHere runs a command line inside the test.
func runHere(t *testing.T, stdin []byte, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, bytes.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// sample is a bundled picture as a camera would show it: large, in the middle of a black frame.
func sample(t *testing.T, label string) *image.RGBA {
	t.Helper()
	f, err := os.Open(fashion + "sample/" + label + ".png")
	require.NoError(t, err)
	defer f.Close()
	m, err := png.Decode(f)
	require.NoError(t, err)
	const zoom = 8
	b := m.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx()*zoom, b.Dy()*zoom))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			draw.Draw(out, image.Rect(x, y, x+1, y+1), image.NewUniform(m.At(b.Min.X+x/zoom, b.Min.Y+y/zoom)), image.Point{}, draw.Src)
		}
	}
	return out
}

// encode gives a picture's JPEG.
func encode(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}))
	return b.Bytes()
}

// stream is motion JPEG of bundled pictures.
func stream(t *testing.T, labels ...string) []byte {
	t.Helper()
	var all []byte
	for _, l := range labels {
		all = append(all, encode(t, sample(t, l))...)
	}
	return all
}

// save writes a file into a new folder.
func save(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o700))
	return path
}

// ended is a context that has ended already.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
