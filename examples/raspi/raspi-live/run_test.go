//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

func TestHelp(t *testing.T) {
	code, stdout, stderr := runHere(t, nil, "--help")
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	for line := range strings.Lines(stdout) {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 81, line)
	}
	for _, taught := range []string{"rpicam-vid", "/dev/video0", "--web", "--on 'cat>0.8", "RESNEXT_LABEL", "pinctrl", "2 bad usage", "calib"} {
		require.Contains(t, stdout, taught)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		code, stdout, _ := runHere(t, nil, "--completion", shell)
		require.Equal(t, cli.Done, code)
		require.Contains(t, stdout, tool)
	}
	code, stdout, _ = runHere(t, nil, "__complete", "--max")
	require.Equal(t, cli.Done, code)
	require.Contains(t, stdout, "--max-fps")
}

func TestBadUsage(t *testing.T) {
	t.Setenv(modelVariable, made.model)
	for args, want := range map[string]string{
		"--colour":                     "unknown flag",
		"m.bin -":                      "--model",
		"a.safetensors - -":            `unexpected argument "-"`,
		"--source - -":                 "given twice",
		"--camera x -":                 "both --camera",
		"- --fps -1":                   "--fps is -1",
		"/dev/video9 --fps 0":          "for files",
		"- --max-fps NaN":              "--max-fps is NaN",
		"- --size 640":                 "--size",
		"- --yuv 641x480":              "even sizes",
		"- --yuv 640x480 --stride 600": "--stride",
		"- --stride 640":               "--yuv too",
		"rtsp://camera/live":           "--camera 'ffmpeg",
		"a.mjpeg --yuv 640x480":        "--camera too",
		"- --top 0":                    "--top is 0",
		"- --threads -1":               "--threads is -1",
		"- --smooth -1s":               "--smooth",
		"- --smooth 1":                 "--smooth",
		"- --hot 5":                    "--hot is 5",
		"- --cpus 3-1":                 "--cpus",
		"- --hook-timeout 0s":          "--hook-timeout",
		"- --json --quiet":             "--quiet",
		"- --on cat":                   "no condition",
		"- --on cat>0.8":               `no class "cat"`,
		"- --on bag>0.8":               "not what to run",
		"- --completion tcsh":          "bash, zsh or fish",
	} {
		t.Run(args, func(t *testing.T) {
			code, stdout, stderr := runHere(t, nil, strings.Fields(args)...)
			require.Equal(t, cli.Misuse, code, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, want)
			require.True(t, strings.HasPrefix(stderr, "raspi-live: "))
		})
	}
}

func TestFailures(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	broken := save(t, "broken.safetensors", []byte("no model"))
	video := save(t, "video.mp4", []byte("some video"))
	for args, want := range map[string]string{
		"missing.safetensors -":                    "calib",
		broken + " -":                              "broken.safetensors",
		withHead(t, resnext.Embedding) + " -":      "the model has no labels",
		made.model + " missing.avi":                "missing.avi",
		made.model + " " + video:                   "apt install ffmpeg",
		made.model + " " + t.TempDir():             "no images",
		made.model + " -":                          "standard input: nothing came",
		made.model + " /dev/video99 --once":        "/dev/video99: there is no such device",
		made.model + " - --cpus 1023":              "no CPU 1023",
		made.model + " - --kernels none":           "none",
		made.model + " - --web 256.0.0.1:notaport": "256.0.0.1",
	} {
		t.Run(want, func(t *testing.T) {
			code, stdout, stderr := runHere(t, nil, strings.Fields(args)...)
			require.Equal(t, cli.Failed, code, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, want)
		})
	}
	if _, err := os.Stat(firstDevice); err != nil {
		code, _, stderr := runHere(t, nil, made.model)
		require.Equal(t, cli.Failed, code)
		require.Contains(t, stderr, "no camera found")
	}
	t.Setenv(modelVariable, "")
	code, _, stderr := runHere(t, nil, "-")
	require.Equal(t, cli.Misuse, code)
	require.Contains(t, stderr, defaultModel)
}

// withHead is the bundled network as a model whose head is another one.
func withHead(t *testing.T, head topology.Head) string {
	t.Helper()
	q, err := resnext.ReadQuantised(made.model)
	require.NoError(t, err)
	q.Config.Head = head
	if head == resnext.Embedding {
		q.Config.Classes, q.Labels, q.Classifier = 0, nil, resnext.ConvParams{}
	}
	path := filepath.Join(t.TempDir(), "m.int8.safetensors")
	_, err = q.WriteFile(path)
	require.NoError(t, err)
	return path
}

// TestMultiLabel: each label has a probability of its own, as the library gives it.
func TestMultiLabel(t *testing.T) {
	model, picture := withHead(t, resnext.MultiLabel), fashion+"sample/bag.png"
	code, stdout, stderr := runHere(t, nil, model, picture, "--json", "--top", "10", "--once")
	require.Equal(t, cli.Done, code, stderr)
	_, updates := decode(t, stdout)
	require.NotEmpty(t, updates)
	m, err := resnext.Open(model)
	require.NoError(t, err)
	s, err := m.NewSession(resnext.SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	set, err := images.Open(picture)
	require.NoError(t, err)
	img, err := set.Load(0)
	require.NoError(t, err)
	want, err := s.Classify(img, 10)
	require.NoError(t, err)
	for i, g := range updates[0].Top {
		require.Equal(t, want[i].Label, g.Label)
		require.InDelta(t, want[i].Probability, g.Probability, 1e-6)
	}
	require.InDelta(t, want[0].Probability, updates[0].Raw.Probability, 1e-6)
}

// decode reads JSON lines.
func decode(t *testing.T, text string) (about live.About, updates []live.Update) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	require.True(t, lines.Scan())
	var first struct{ About live.About }
	require.NoError(t, json.Unmarshal(lines.Bytes(), &first))
	for lines.Scan() {
		var u live.Update
		require.NoError(t, json.Unmarshal(lines.Bytes(), &u))
		updates = append(updates, u)
	}
	return first.About, updates
}

func TestVideoFile(t *testing.T) {
	labels := []string{"bag", "trouser", "ankle-boot", "sneaker"}
	path := save(t, "video.mjpeg", stream(t, labels...))
	code, stdout, stderr := runHere(t, nil, made.model, path, "--fps", "0", "--smooth", "0", "--json", "--threads", "1", "--top", "3")
	require.Equal(t, cli.Done, code, stderr)
	require.Empty(t, stderr)
	about, updates := decode(t, stdout)
	require.Equal(t, "fashion.int8.safetensors", about.Model)
	require.Len(t, about.Labels, 10)
	require.Equal(t, 1, about.Threads)
	require.NotEmpty(t, about.Board)
	require.Equal(t, path, about.Source)
	require.Len(t, updates, len(labels))
	for i, u := range updates {
		require.Equal(t, labels[i], u.Shown.Label)
		require.Equal(t, u.Raw, u.Top[0])
		require.Len(t, u.Top, 3)
		require.EqualValues(t, i+1, u.Frame)
		require.Zero(t, u.Dropped)
	}
}

// TestPicturesAlone shows unrelated pictures, which are not averaged.
func TestPicturesAlone(t *testing.T) {
	code, stdout, stderr := runHere(t, nil, made.model, fashion+"sample", "--fps", "0", "--json")
	require.Equal(t, cli.Done, code, stderr)
	_, updates := decode(t, stdout)
	require.Len(t, updates, 10)
	for _, u := range updates {
		require.Equal(t, u.Raw.Class, u.Shown.Class)
	}
}

func TestStandardInput(t *testing.T) {
	code, stdout, stderr := runHere(t, stream(t, "bag"), "--model", made.model, "-")
	require.Equal(t, cli.Done, code, stderr)
	columns := strings.Split(strings.TrimSpace(stdout), "\t")
	require.Len(t, columns, 3)
	require.Equal(t, "bag", columns[2])
}

// TestRawPixels gives the same picture as motion JPEG and as yuv420 with gaps: the answers must be about the same.
func TestRawPixels(t *testing.T) {
	m := sample(t, "bag")
	w, h, stride := m.Rect.Dx(), m.Rect.Dy(), 256
	raw := bytes.Repeat([]byte{0xee}, stride*h)
	for y := range h {
		for x := range w {
			raw[y*stride+x] = m.RGBAAt(x, y).R // gray
		}
	}
	raw = append(raw, bytes.Repeat([]byte{128}, stride*h/2)...)
	code, stdout, stderr := runHere(t, raw, made.model, "-", "--yuv", "224x224", "--stride", "256", "--json")
	require.Equal(t, cli.Done, code, stderr)
	_, updates := decode(t, stdout)
	require.Len(t, updates, 1)
	require.Equal(t, "bag", updates[0].Shown.Label)

	_, stdout, _ = runHere(t, encode(t, m), made.model, "-", "--json")
	_, asJPEG := decode(t, stdout)
	require.InDelta(t, asJPEG[0].Shown.Probability, updates[0].Shown.Probability, 0.05)
}

func TestHooksOfTheProgram(t *testing.T) {
	seen := save(t, "seen", nil)
	t.Setenv("SEEN", seen)
	out, in := io.Pipe()
	var errs output
	code := make(chan int)
	go func() {
		code <- run(t.Context(), []string{made.model, "-", "--smooth", "0", "--quiet", "--cooldown", "0s",
			"--on", `bag>0.8 echo "$RESNEXT_LABEL $RESNEXT_FRAME" >>"$SEEN"; echo told`}, out, io.Discard, &errs)
	}()
	_, err := in.Write(stream(t, "bag"))
	require.NoError(t, err)
	await.True(t, func() bool { return strings.Contains(errs.text(), "raspi-live: bag>0.8: told\n") }, errs.text)
	require.NoError(t, in.Close())
	require.Equal(t, cli.Done, <-code, errs.text())
	text, err := os.ReadFile(seen)
	require.NoError(t, err)
	require.Equal(t, "bag 1\n", string(text))
}

// output is what a program writes, safe to read meanwhile.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// TestDamagedStream: what is cut short is counted, and told with the reason; what has no end marker is shown.
func TestDamagedStream(t *testing.T) {
	bag, trouser := stream(t, "bag"), stream(t, "trouser")
	cut := bag[:len(bag)/2]
	path := save(t, "video.mjpeg", bytes.Join([][]byte{[]byte("rubbish"), bag, cut, trouser, cut, bag}, nil))
	code, stdout, stderr := runHere(t, nil, made.model, path, "--fps", "0", "--smooth", "0", "--json")
	require.Equal(t, cli.Done, code, stderr)
	_, updates := decode(t, stdout)
	require.Len(t, updates, 3)
	require.EqualValues(t, 2, updates[2].Damaged)
	require.Contains(t, stderr, "a frame was left out: a picture is cut short\n")

	endless := save(t, "endless.mjpeg", append(bag[:len(bag)-2:len(bag)-2], trouser[:len(trouser)-2]...))
	code, stdout, stderr = runHere(t, nil, made.model, endless, "--fps", "0", "--smooth", "0", "--json")
	require.Equal(t, cli.Done, code, stderr)
	_, updates = decode(t, stdout)
	require.Len(t, updates, 2)
	require.Equal(t, "trouser", updates[1].Shown.Label)
	require.Zero(t, updates[1].Damaged)
}

// TestOneCPU: the default obeys what the program may use.
func TestOneCPU(t *testing.T) {
	path := save(t, "video.mjpeg", stream(t, "bag"))
	out, err := exec.Command("taskset", "-c", "0", made.program, made.model, path, "--fps", "0", "--json").Output()
	require.NoError(t, err)
	about, _ := decode(t, string(out))
	require.Equal(t, 1, about.Threads)
}

func TestEndedBeforeItBegan(t *testing.T) {
	var out, errs bytes.Buffer
	require.Equal(t, cli.Done, run(ended(), []string{made.model, fashion + "sample"}, nil, &out, &errs))
	require.Empty(t, errs.String())
}
