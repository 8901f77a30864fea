//go:build unix

package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
)

// script makes an executable shell script.
func script(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700))
	return path
}

// jpegFile makes a file with one picture.
func jpegFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a picture.jpg")
	require.NoError(t, os.WriteFile(path, testJPEG(t, 60), 0o600))
	return path
}

func TestCommandThatDies(t *testing.T) {
	picture := jpegFile(t)
	for _, c := range []struct{ name, text, want string }{
		{"status", `cat "` + picture + `"; exit 7`, "exit status 7"},
		{"its last words", `cat "` + picture + `"; echo hello >&2; echo "ERROR: *** no cameras available ***" >&2; echo bye >&2; exit 255`,
			"exit status 255: ERROR: *** no cameras available *** (is the ribbon cable"},
		{"killed", `cat "` + picture + `"; kill -9 $$`, "signal: killed"},
		{"in peace", `cat "` + picture + `"`, ""},
		{"said something", `cat "` + picture + `"; echo done >&2`, "it ended: done"},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, err := openCommand(Format{}, script(t, "cam", c.text))
			require.NoError(t, err)
			defer src.Close()
			f, err := src.Next(context.Background())
			require.NoError(t, err)
			m, err := f.Image()
			require.NoError(t, err)
			require.Equal(t, 24, m.Bounds().Dx())
			_, err = src.Next(context.Background())
			if c.want == "" {
				require.ErrorIs(t, err, io.EOF)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
	_, err := openCommand(Format{}, filepath.Join(t.TempDir(), "missing"))
	require.ErrorContains(t, err, "no such file")
}

func TestCloseEndsACommand(t *testing.T) {
	for name, text := range map[string]string{
		"silent": "echo begun >&2; exec sleep 1000000",
		"deaf":   "trap '' TERM; echo begun >&2; while :; do sleep 1000000; done",
		"parent": "echo begun >&2; sleep 1000000; true",
	} {
		t.Run(name, func(t *testing.T) {
			src, err := openCommand(Format{}, script(t, "cam", text))
			require.NoError(t, err)
			go func() {
				await.True(t, func() bool { return src.stderr.last() == "begun" })
				src.Close()
			}()
			_, err = src.Next(context.Background())
			require.Error(t, err)
			src.Close()
		})
	}
}

// TestRestart runs a camera that dies after its second picture, three times.
func TestRestart(t *testing.T) {
	picture := jpegFile(t)
	camera := Command(script(t, "cam", fmt.Sprintf("cat '%s' '%s'; echo lost it >&2; exit 1", picture, picture)), Format{})
	require.True(t, camera.Restart)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var pauses []time.Duration
	var seqs []uint64
	var said []string
	r := runner{Camera: camera, put: func(f *Frame) { seqs = append(seqs, f.Seq) },
		report: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
		sleep: func(_ context.Context, d time.Duration) bool {
			pauses = append(pauses, d)
			if len(pauses) == 8 {
				cancel()
				return false
			}
			return true
		}}
	require.NoError(t, r.run(ctx))
	require.Equal(t, []uint64{1, 2, 3, 4, 5, 6}, seqs[:6])
	ms := func(n time.Duration) time.Duration { return n * time.Millisecond }
	require.Equal(t, []time.Duration{ms(500), ms(1000), ms(2000), ms(4000), ms(8000), ms(16000), ms(30000), ms(30000)}, pauses)
	require.Contains(t, said[0], "exit status 1: lost it; starting it again in 500ms")
	require.Len(t, said, 7, "the eighth time is like the seventh")
}

func TestStalledCameraIsStartedAgain(t *testing.T) {
	camera := Command("exec sleep 1000000", Format{})
	camera.Stall = 100 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var said string
	r := runner{Camera: camera, put: func(*Frame) {}, report: func(f string, args ...any) { said = fmt.Sprintf(f, args...) },
		sleep: func(context.Context, time.Duration) bool { cancel(); return false }}
	require.NoError(t, r.run(ctx))
	require.Contains(t, said, "no picture for 100ms")
}

func TestRunEnds(t *testing.T) {
	broken := errors.New("broken")
	var opened atomic.Int32
	source := func(frames int, end error) func(context.Context) (Source, error) {
		return func(context.Context) (Source, error) {
			opened.Add(1)
			n := 0
			return &stream{func() (*Frame, error) {
				if n++; n > frames {
					return nil, end
				}
				return newJPEG(testJPEG(t, 1)), nil
			}, func() {}, nil}, nil
		}
	}
	for _, c := range []struct {
		name   string
		camera Camera
		frames int
		want   error
	}{
		{"orderly", Camera{Open: source(2, io.EOF)}, 2, nil},
		{"broken", Camera{Open: source(2, broken)}, 2, broken},
		{"cannot be opened", Camera{Open: func(context.Context) (Source, error) { return nil, broken }}, 0, broken},
		{"again and again nothing", Camera{Loop: true, Open: source(0, io.EOF)}, 0, nil},
	} {
		n := 0
		require.ErrorIs(t, c.camera.Run(t.Context(), func(*Frame) { n++ }, nil), c.want, c.name)
		require.Equal(t, c.frames, n, c.name)
	}

	opened.Store(0)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	loop := Camera{Loop: true, Open: source(2, io.EOF)}
	require.NoError(t, loop.Run(ctx, func(*Frame) {
		if n++; n == 5 {
			cancel()
		}
	}, nil))
	require.EqualValues(t, 3, opened.Load())
}

func TestTail(t *testing.T) {
	var tail tail
	require.Empty(t, tail.last())
	_, _ = tail.Write([]byte(strings.Repeat("x", 5000)))
	require.Len(t, tail.last(), tailBytes)
	_, _ = tail.Write([]byte("\n#1 (30 fps)\r#2 (30 fps)\n\n"))
	require.Equal(t, "#2 (30 fps)", tail.last())
}

func TestProgram(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	_, ok := Program(Size{640, 480}, 15)
	require.False(t, ok)
	log := filepath.Join(folder, "args")
	text := "#!/bin/sh\necho \"$@\" >'" + log + "'\nexit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "libcamera-vid"), []byte(text), 0o700))
	c, ok := Program(Size{1280, 720}, 15)
	require.True(t, ok)
	require.Equal(t, "libcamera-vid 1280x720", c.Name)
	c.Restart = false
	t.Setenv("PATH", "/bin:/usr/bin")
	require.ErrorContains(t, c.Run(t.Context(), func(*Frame) {}, nil), "nothing came")
	args, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, "--timeout 0 --codec mjpeg --width 1280 --height 720 --framerate 15 --nopreview --flush --output -\n", string(args))
}
