package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

const (
	fashion   = "../../testdata/fashion/"
	reference = fashion + "resnext20_8x4d.pth"
	// tiny is the smallest network of the family, of random weights.
	tiny = "random:resnext11_2x4d_w1"
)

func invoke(args ...string) (code int, stdout, stderr string) {
	return invokeContext(context.Background(), args...)
}

func invokeContext(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

// write makes a file in a new folder.
func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// pngImage is a gray PNG.
func pngImage(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetGray(x, y, color.Gray{byte(3*x + 5*y)})
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// archive is a zip of the given files.
func archive(t *testing.T, files map[string][]byte) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		f, err := z.Create(name)
		require.NoError(t, err)
		_, err = f.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return write(t, "set.zip", b.Bytes())
}

// listing names the files of a folder.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	names := []string{}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		names = append(names, f.Name())
	}
	return names
}

func TestHelp(t *testing.T) {
	code, stdout, stderr := invoke("--help")
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	for _, taught := range []string{"random:NAME", "--eval", "SQNR", "minmax", "percentile", "entropy", "2 bad usage", "state_dict"} {
		require.Contains(t, stdout, taught)
	}
	for line := range strings.Lines(stdout) {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 81, line)
	}
}

func TestBadUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "--weights is missing"},
		{"--weights w.pth", "--images is missing"},
		{"--weights w.pth --images i extra", `unexpected argument "extra"`},
		{"--weights w.pth --images i --colour", "unknown flag: --colour"},
		{"--weights w.pth --images i --arch resnext51_3x4d", `unknown architecture "resnext51_3x4d"`},
		{"--weights random:lenet", `unknown architecture "lenet"`},
		{"--weights random:resnext50_32x4d --arch resnext50_32x4d", "leave it out"},
		{"--weights w.pth --images i --observer best", `unknown observer "best"`},
		{"--weights w.pth --images i --percentile 0", "--percentile is 0"},
		{"--weights w.pth --images i --percentile 101", "--percentile is 101"},
		{"--weights w.pth --images i --acc16 3", `--acc16 is "3", expected auto, off, 2, 4 or 8`},
		{"--weights w.pth --images i --limit -1", "--limit is -1"},
		{"--weights w.pth --images i --limit x", `"x"`},
		{"--weights w.pth --images i --eval-limit -1", "--eval-limit is -1"},
		{"--weights w.pth --images i --threads -1", "--threads is -1"},
		{"--weights w.pth --images i --resize -1", "--resize is -1"},
		{"--weights w.pth --images i --mean 1,2", `--mean is "1,2"`},
		{"--weights w.pth --images i --std a,b,c", `--std is "a,b,c"`},
		{"--weights w.pth --images i --crop 0", `--crop is "0"`},
		{"--weights w.pth --images i --crop 3x", `--crop is "3x"`},
		{"--weights " + tiny + " --crop 99999", "99999"},
		{"--weights " + tiny + " --mean 5000", "mean"},
		{"--weights " + tiny + " --std 0", "standard deviation"},
		{"--weights " + tiny + " --resize-filter lanczos", "lanczos"},
		{"--weights " + tiny + " --resize 8 --images " + fashion + "calib.zip", "smaller than the crop"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Chdir(t.TempDir()) // where the model would be written
			args := strings.ReplaceAll(c.args, "../../", sourceFolder+"/../../")
			code, stdout, stderr := invoke(strings.Fields(args)...)
			require.Equal(t, cli.Misuse, code, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.want)
			require.Empty(t, listing(t, "."))
		})
	}
}

// sourceFolder is where this file lies.
var sourceFolder, _ = os.Getwd()

// TestBadInputs: each bad input is named on standard error, and the folder for the model stays empty.
func TestBadInputs(t *testing.T) {
	png28 := pngImage(t, 28, 28)
	calib := fashion + "calib.zip"
	checkpointBytes := read(t, reference)
	nine := map[string][]byte{}
	for i := range 9 {
		nine[fmt.Sprintf("%d/x.png", i)] = png28
	}
	nineFolders := archive(t, nine)
	nine["9/x.png"] = png28
	nine["loose.png"] = png28
	loose := archive(t, nine)
	labels := write(t, "labels.txt", []byte("a\nb\nc\n"))
	noImages := t.TempDir()
	text := archive(t, map[string][]byte{"a/x.png": []byte("no image")})
	empty := archive(t, map[string][]byte{"a/x.png": nil})
	good := archive(t, map[string][]byte{"a/x.png": png28})
	truncated := write(t, "w.pth", checkpointBytes[:len(checkpointBytes)/2])

	for name, c := range map[string]struct {
		args string
		want []string
	}{
		"other architecture":    {"--weights " + reference + " --images " + calib + " --arch resnext50_32x4d", []string{reference, "resnext50_32x4d", "cardinality"}},
		"truncated checkpoint":  {"--weights " + truncated + " --images " + calib, []string{truncated}},
		"empty checkpoint":      {"--weights " + write(t, "w.pth", nil) + " --images " + calib, []string{"w.pth", "0 bytes"}},
		"checkpoint missing":    {"--weights nowhere.pth --images " + calib, []string{"nowhere.pth: no such file"}},
		"image as checkpoint":   {"--weights " + write(t, "w.pth", png28) + " --images " + calib, []string{"PNG image"}},
		"no image":              {"--weights " + reference + " --images " + text, []string{text, "a/x.png", "not an image"}},
		"empty image":           {"--weights " + reference + " --images " + empty, []string{empty, "a/x.png", "empty (0 bytes)"}},
		"bad image found late":  {"--weights " + reference + " --crop 28 --images " + text, []string{text, "a/x.png", "not an image"}},
		"bad image to compare":  {"--weights " + reference + " --images " + good + " --eval " + loose, []string{loose, "loose.png"}},
		"folder without images": {"--weights " + reference + " --images " + noImages, []string{noImages, "no images found"}},
		"images missing":        {"--weights " + reference + " --images nowhere", []string{"nowhere: no such file"}},
		"labels too few":        {"--weights " + reference + " --images " + calib + " --labels " + labels, []string{labels, "3 labels", "10 classes"}},
		"labels missing":        {"--weights " + reference + " --images " + calib + " --labels nowhere.txt", []string{"nowhere.txt: no such file"}},
		"folders too few":       {"--weights " + reference + " --images " + calib + " --eval " + nineFolders, []string{nineFolders, "9 folders", "10 classes"}},
		"eval without folders":  {"--weights " + reference + " --images " + calib + " --eval " + write(t, "x.png", png28), []string{"it is a single image"}},
		"huge random network":   {"--weights random:resnext152_1x500d", []string{"parameters are more than"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			code, _, stderr := invoke(append(strings.Fields(c.args), "--out", filepath.Join(dir, "m"))...)
			require.Equal(t, cli.Failed, code)
			message := stderr[strings.LastIndex(stderr, "calib: "):]
			for _, want := range c.want {
				require.Contains(t, message, want)
			}
			require.Empty(t, listing(t, dir))
		})
	}
}

func TestBadOutput(t *testing.T) {
	dir := t.TempDir()
	copied := write(t, "w.pth", read(t, reference))
	for name, c := range map[string]struct{ out, want string }{
		"no such folder":   {filepath.Join(dir, "x", "m"), "x cannot be used"},
		"a folder":         {dir, "it is a folder"},
		"the weights":      {copied, "also an input"},
		"inside of a file": {filepath.Join(copied, "m"), "--out"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := invoke("--weights", copied, "--images", fashion+"calib.zip", "--out", c.out)
			require.Equal(t, cli.Failed, code)
			require.Contains(t, stderr, c.want)
			require.NotContains(t, stderr, "calibrating")
			require.Equal(t, read(t, reference), read(t, copied))
			require.Empty(t, listing(t, dir))
		})
	}
}

// TestReference calibrates the trained network and compares it with the float one on labelled images.
func TestReference(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m.int8.safetensors")
	code, stdout, stderr := invoke("--weights", reference, "--images", fashion+"calib.zip", "--limit", "64",
		"--eval", fashion+"test.zip", "--eval-limit", "300", "--mean", "0.2860", "--std", "0.3530", "--layers", "--json", "--out", out)
	require.Equal(t, cli.Done, code, stderr)
	var r report
	d := json.NewDecoder(strings.NewReader(stdout))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&r))
	require.InDelta(t, 0.93, *r.Float.Top1, 0.03)
	require.InDelta(t, *r.Float.Top1, *r.Int8.Top1, 0.01)
	require.Greater(t, *r.Int8.Top5, 0.98)
	require.Greater(t, r.Agreement, 0.98)
	require.Greater(t, *r.SQNR, 35.0)
	require.Equal(t, []int{64, 300}, []int{r.Images, r.ComparedImages})
	require.Equal(t, onEval, r.ComparedOn)
	require.EqualValues(t, "mse", r.Observer)
	require.Len(t, r.Layers, 22)
	require.Equal(t, "stem", r.Layers[0].Name)

	m, err := resnext.Open(out)
	require.NoError(t, err)
	info, err := os.Stat(out)
	require.NoError(t, err)
	require.Equal(t, info.Size(), r.ModelBytes)
	require.Greater(t, r.FloatBytes, 3*r.ModelBytes)
	require.Equal(t, 28, m.Config().Height)
	require.Equal(t, []string{"t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot"}, m.Labels())
	notes := m.Calibration()
	require.Equal(t, "resnext20_8x4d.pth", notes["weights"])
	require.Equal(t, "calib.zip", notes["pictures"])
	require.Equal(t, "64", notes["images"])

	var keys map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &keys))
	for _, k := range []string{"arch", "float", "int8", "agreement", "sqnr_db", "images", "seconds", "model_bytes", "observer", "float_bytes", "layers"} {
		require.Contains(t, keys, k)
	}
	for _, shown := range []string{"28x28 pixels", "the size of the images", "0.286 (given)", "t-shirt, trouser", "64 of the 512", "calibrating: ", "comparing layers: "} {
		require.Contains(t, stderr, shown)
	}
}

// TestPlainSummary: without --json the settings and the result are on standard output, and only progress is
// not. The labels come from the calibration images' folders.
func TestPlainSummary(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m file")
	code, stdout, stderr := invoke("--weights", reference, "--images", fashion+"calib.zip", "--limit", "40", "--eval-limit", "8", "--layers", "--out", out)
	require.Equal(t, cli.Done, code, stderr)
	for _, want := range []string{
		"the folders of " + fashion + "calib.zip", "usual for this form", "worst first", "smaller", "8 of the calibration images",
		"wrote " + out, "next: resnext classify '" + out + "' photo.jpg",
	} {
		require.Contains(t, stdout, want)
	}
	require.NotContains(t, stdout, "top-1")
	require.Contains(t, stderr, "calibrating 40 images\n")
	require.NotContains(t, stderr, "\x1b")
}

// TestSameBytes: neither the number of threads nor what was at the path before changes the model.
func TestSameBytes(t *testing.T) {
	out := write(t, "m", []byte("an older file"))
	var first []byte
	for _, threads := range []string{"1", "2", "0"} {
		code, _, stderr := invoke("--weights", reference, "--images", fashion+"calib.zip", "--limit", "5", "--eval-limit", "1", "--threads", threads, "--out", out)
		require.Equal(t, cli.Done, code, stderr)
		if first == nil {
			first = read(t, out)
		}
		require.Equal(t, first, read(t, out))
		require.Equal(t, []string{"m"}, listing(t, filepath.Dir(out)))
	}
}

func TestOneImage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m")
	code, _, stderr := invoke("--weights", reference, "--images", write(t, "x.png", pngImage(t, 20, 24)), "--out", out)
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stderr, "calib: warning: only 1 image to calibrate with")
	m, err := resnext.Open(out)
	require.NoError(t, err)
	require.Equal(t, [2]int{20, 24}, [2]int{m.Config().Width, m.Config().Height})
	require.Empty(t, m.Labels())
}

// TestRandom makes a model without a checkpoint and without images, under the default name.
func TestRandom(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, stderr := invoke("--weights", tiny, "--limit", "3", "--crop", "20x16", "--json", "--seed", "7")
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stderr, "3 images made up")
	require.Contains(t, stderr, "the answers mean nothing")
	require.Equal(t, []string{"random-resnext11_2x4d_w1.int8.safetensors"}, listing(t, "."))
	var r report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Equal(t, onSynthetic, r.ComparedOn)
	require.Nil(t, r.Float.Top1)
	require.Equal(t, 3, r.Images)
	require.Contains(t, stdout, `"top1": null`)
	m, err := resnext.Open(r.Model)
	require.NoError(t, err)
	require.Equal(t, [2]int{20, 16}, [2]int{m.Config().Width, m.Config().Height})
	require.Equal(t, "synthetic", m.Calibration()["pictures"])
}

// TestDepth: an acc16 depth that was asked for is made true, recorded, and proved by the loader.
func TestDepth(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m")
	code, stdout, stderr := invoke("--weights", tiny, "--limit", "4", "--acc16", "4", "--out", out)
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stdout, "depth 4")
	m, err := resnext.Open(out)
	require.NoError(t, err)
	require.Equal(t, "4", m.Calibration()["chains"])
	k, _, err := asm.Select("")
	require.NoError(t, err)
	for _, l := range m.Layers() {
		if l.Shape.Groups == 1 && slices.Contains(k.Depths, 2) {
			require.NotContains(t, l.MACsByDepth, 0, l.Shape.Name)
		}
	}
}

// TestOldDepthFlag: the old name of --acc16 does the same for now, says so in one line, and is not shown.
func TestOldDepthFlag(t *testing.T) {
	dir := t.TempDir()
	var files [][]byte
	for flag, note := range map[string]string{
		"acc16": "", "chains": "calib: note: --chains is now --acc16; the old name will go with the next release\n",
	} {
		path := filepath.Join(dir, flag)
		code, _, stderr := invoke("--weights", tiny, "--limit", "2", "--"+flag, "4", "--out", path)
		require.Equal(t, cli.Done, code, stderr)
		if note != "" {
			require.Equal(t, 0, strings.Index(stderr, note), stderr)
		}
		require.Equal(t, note != "", strings.Contains(stderr, "chains"), stderr)
		files = append(files, read(t, path))
	}
	require.True(t, bytes.Equal(files[0], files[1]))
	code, _, stderr := invoke("--weights", tiny, "--chains", "3")
	require.Equal(t, cli.Misuse, code)
	require.Contains(t, stderr, `--acc16 is "3", expected auto, off, 2, 4 or 8`)

	_, help, _ := invoke("--help")
	require.Contains(t, help, "--acc16 DEPTH")
	require.NotContains(t, help, "chains")
	for _, shell := range []string{"bash", "zsh", "fish"} {
		_, script, _ := invoke("--completion", shell)
		require.NotContains(t, script, "chains")
	}
}

// TestOldRandomPrefix: the old name of random-outliers: makes the same model, and says so.
func TestOldRandomPrefix(t *testing.T) {
	t.Chdir(t.TempDir())
	const name = "resnext11_2x4d_w1"
	for _, prefix := range []string{"random-outliers:", "random-heavy:"} {
		code, stdout, stderr := invoke("--weights", prefix+name, "--limit", "2", "--effort", "fast")
		require.Equal(t, cli.Done, code, stderr)
		require.Contains(t, stdout, "uneven channels")
		note := "calib: note: random-heavy: is now random-outliers:; the old name will go with the next release\n"
		require.Equal(t, prefix == "random-heavy:", strings.HasPrefix(stderr, note), stderr)
		require.Equal(t, []string{"random-outliers-" + name + ".int8.safetensors"}, listing(t, "."))
	}
	_, help, _ := invoke("--help")
	require.NotContains(t, help, "heavy")
}

// TestInterrupted: the work ends wherever it is, and leaves nothing behind.
func TestInterrupted(t *testing.T) {
	for _, at := range []string{"making weights", "calibrating", "rounding layers"} {
		t.Run(at, func(t *testing.T) {
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			stderr := &cancelOn{text: at, cancel: cancel}
			code := run(ctx, []string{"--weights", tiny, "--limit", "40", "--out", filepath.Join(dir, "m")}, new(bytes.Buffer), stderr)
			require.Equal(t, cli.Failed, code)
			require.Contains(t, stderr.String(), at)
			require.True(t, strings.HasSuffix(stderr.String(), "calib: interrupted\n"), stderr.String())
			require.NotContains(t, stderr.String(), "comparing")
			require.Empty(t, listing(t, dir))
		})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	code, _, stderr := invokeContext(ended, "--weights", "none.pth", "--images", "none")
	require.Equal(t, cli.Failed, code)
	require.Equal(t, "calib: interrupted\n", stderr, "nothing is begun")
}

// TestAwaitDoesNotWait: an interruption is answered while the work still runs.
func TestAwaitDoesNotWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	end, ended := make(chan struct{}), make(chan struct{})
	_, err := await(ctx, func() (int, error) {
		defer close(ended)
		cancel()
		<-end
		return 1, nil
	})
	require.ErrorIs(t, err, errInterrupted)
	close(end)
	<-ended
}

// TestInterruptedWhileComparing: the model is there by then, and the message says so.
func TestInterruptedWhileComparing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "m")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stderr := &cancelOn{text: "comparing", cancel: cancel}
	code := run(ctx, []string{"--weights", tiny, "--limit", "40", "--out", out}, new(bytes.Buffer), stderr)
	require.Equal(t, cli.Failed, code)
	require.Contains(t, stderr.String(), out+" is written and whole, but not compared: interrupted\n")
	_, err := resnext.Open(out)
	require.NoError(t, err)
}

// cancelOn cancels a context when a text is written.
type cancelOn struct {
	bytes.Buffer
	text   string
	cancel func()
}

func (c *cancelOn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(c.text)) {
		c.cancel()
	}
	return c.Buffer.Write(b)
}
