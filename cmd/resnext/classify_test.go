package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/resnext"
)

// pngImage is a PNG of a gradient that depends on seed.
func pngImage(t *testing.T, w, h, seed int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.NRGBA{byte(x * 3 * seed), byte(y*5 + seed), byte(x * y), 255})
		}
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// imageFolder is a folder of three images, one of them in a folder of its own.
func imageFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
	for i, name := range []string{"a.png", "b b.png", "sub/c.png"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pngImage(t, 40+i, 30, i+1), 0o600))
	}
	return dir
}

func lines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

func TestClassifyColumns(t *testing.T) {
	model, dir := testModel(t), imageFolder(t)
	code, stdout, stderr := invoke("classify", "--top", "3", model, filepath.Join(dir, "a.png"), dir)
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	rows := lines(stdout)
	require.Len(t, rows, 4*3)
	names := []string{"/a.png", "/a.png", "/b b.png", "/sub/c.png"}
	for i, row := range rows {
		cells := strings.Split(row, "\t")
		require.Len(t, cells, 5)
		require.Equal(t, dir+names[i/3], cells[0])
		require.Equal(t, string(rune('1'+i%3)), cells[1])
		require.Regexp(t, `^[01]\.\d{4}$`, cells[2])
		require.Regexp(t, `^[0-5]$`, cells[3])
	}
	require.Equal(t, rows[:3], rows[3:6])

	// More classes than there are, one thread and the Go kernels change nothing.
	_, all, _ := invoke("classify", "--top", "99", "--threads", "1", "--kernels", "generic", model, filepath.Join(dir, "a.png"))
	require.Len(t, lines(all), 6)
	require.Equal(t, rows[:3], lines(all)[:3])
	require.Contains(t, all, `a\u200e\u00adb`)
	require.Contains(t, all, "猫")
}

// TestClassifyJSON compares every bit of the logits with the library's.
func TestClassifyJSON(t *testing.T) {
	model, dir := testModel(t), imageFolder(t)
	code, stdout, stderr := invoke("classify", "--json", "--top", "2", model, dir)
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	m, err := resnext.Open(model)
	require.NoError(t, err)
	s, err := m.NewSession(resnext.SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	set, err := images.Open(dir)
	require.NoError(t, err)
	rows := lines(stdout)
	require.Len(t, rows, 3)
	for i, row := range rows {
		var got classification
		d := json.NewDecoder(strings.NewReader(row))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&got))
		require.Equal(t, dir+"/"+set.Item(i).Name, got.Image)
		require.Positive(t, got.Milliseconds)
		img, err := set.Load(i)
		require.NoError(t, err)
		want, err := s.Classify(img, 6)
		require.NoError(t, err)
		require.Len(t, got.Predictions, 2)
		require.Len(t, got.Logits, 6)
		for k, p := range want {
			require.Equal(t, p.Logit, got.Logits[p.Class])
			if k < 2 {
				require.Equal(t, prediction(p), got.Predictions[k])
			}
		}
	}
	var keys map[string]any
	require.NoError(t, json.Unmarshal([]byte(rows[0]), &keys))
	for _, k := range []string{"image", "predictions", "logits", "milliseconds"} {
		require.Contains(t, keys, k)
	}
}

// TestClassifyLabels: of a multi-label model all labels that are probable enough are printed, each with its own
// probability, and none is no mistake.
func TestClassifyLabels(t *testing.T) {
	model, file := labelsModel(t), write(t, "a.png", pngImage(t, 40, 30, 1))
	parse := func(args ...string) classification {
		code, stdout, stderr := invoke(append([]string{"classify", "--json"}, append(args, model, file)...)...)
		require.Equal(t, cli.Done, code, stderr)
		require.NotContains(t, stdout, "null")
		var c classification
		require.NoError(t, json.Unmarshal([]byte(stdout), &c))
		return c
	}
	all := parse("--threshold", "0")
	require.Len(t, all.Predictions, 6)
	own := make([]float32, 6)
	resnext.Sigmoid(own, all.Logits)
	probable := 0
	for i, p := range all.Predictions {
		require.Equal(t, own[p.Class], p.Probability)
		require.True(t, i == 0 || p.Probability <= all.Predictions[i-1].Probability)
		if p.Probability >= 0.5 {
			probable++
		}
	}
	require.True(t, probable > 1 && probable < 6, probable)
	require.Equal(t, all.Predictions[:probable], parse().Predictions)
	require.Len(t, parse("--top", "1").Predictions, 1)
	require.Empty(t, parse("--threshold", "1").Predictions)

	code, stdout, stderr := invoke("classify", model, file)
	require.Equal(t, cli.Done, code, stderr)
	require.Len(t, lines(stdout), probable)
	code, stdout, _ = invoke("classify", "--threshold", "1", model, file)
	require.Equal(t, cli.Done, code)
	require.Empty(t, stdout)
	_, stdout, _ = invoke("inspect", model)
	require.Contains(t, stdout, "any of which may be right")

	// Of classes that compete the threshold leaves those out that are told to be too improbable, and none by itself.
	_, stdout, _ = invoke("classify", "--top", "6", testModel(t), file)
	require.Len(t, lines(stdout), 6)
	_, stdout, _ = invoke("classify", "--threshold", "0.5", testModel(t), file)
	require.LessOrEqual(t, len(lines(stdout)), 1)
}

func TestClassifyStandardInput(t *testing.T) {
	model := testModel(t)
	file := write(t, "p.png", pngImage(t, 50, 20, 3))
	_, want, _ := invoke("classify", model, file)
	code, got, stderr := invokeWith(read(t, file), "classify", model, "-")
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	require.Equal(t, strings.ReplaceAll(want, file, "-"), got)

	for name, c := range map[string]struct {
		stdin []byte
		want  string
	}{
		"nothing": {nil, "resnext: standard input: the file is empty (0 bytes)\n"},
		"text":    {[]byte("hello"), "resnext: standard input: not an image"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := invokeWith(c.stdin, "classify", model, "-")
			require.Equal(t, cli.Failed, code)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.want)
		})
	}
}

func TestClassifyZip(t *testing.T) {
	model, dir := testModel(t), imageFolder(t)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	require.NoError(t, z.AddFS(os.DirFS(dir)))
	require.NoError(t, z.Close())
	archive := write(t, "p.zip", b.Bytes())
	_, want, _ := invoke("classify", model, dir+"/")
	code, got, stderr := invoke("classify", model, archive)
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	require.Equal(t, strings.ReplaceAll(want, dir, archive), got)
}

// TestClassifyGoesOn: an image that cannot be read is named, the others are done, and the tool fails.
func TestClassifyGoesOn(t *testing.T) {
	model := testModel(t)
	good := write(t, "good.png", pngImage(t, 28, 28, 1))
	cut := read(t, good)
	for name, c := range map[string]struct{ path, want string }{
		"no image":              {write(t, "x.png", []byte("no image, just text")), "not an image"},
		"empty":                 {write(t, "x.png", nil), "empty (0 bytes)"},
		"truncated":             {write(t, "x.png", cut[:len(cut)/2]), "damaged"},
		"missing":               {filepath.Join(t.TempDir(), "x.png"), "no such file"},
		"folder without images": {t.TempDir(), "no images found"},
		"no zip":                {write(t, "x.zip", []byte("PK\x03\x04 and then nothing")), "zip archive"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := invoke("classify", "--top", "1", model, good, c.path, good)
			require.Equal(t, cli.Failed, code)
			require.Len(t, lines(stdout), 2)
			require.True(t, strings.HasPrefix(stderr, "resnext: "+c.path+": "), stderr)
			require.Contains(t, stderr, c.want)
			require.Equal(t, 1, strings.Count(stderr, "\n"))
		})
	}
}

// TestPrintAligned: what a terminal shows fits in 80 columns, however long names are.
func TestPrintAligned(t *testing.T) {
	long := "a/very/long/path/to/some/folder/of/many/images/IMG_20240101_123456.jpg"
	all := []imageInput{fixedName("a.png"), fixedName(long)}
	width := nameWidth(all)
	var b bytes.Buffer
	for _, p := range all {
		require.NoError(t, printAligned(&b, classification{Image: p.name(0), Predictions: []prediction{
			{Class: 3, Label: "dress", Probability: 0.98312}, {Class: 999, Label: hostileLabel},
		}}, width))
	}
	rows := lines(b.String())
	require.Equal(t, "a.png                                    1       0.9831      3  dress", rows[0])
	require.Equal(t, "…many/images/IMG_20240101_123456.jpg  ", string([]rune(rows[2])[:38]))
	require.Equal(t, -1, slices.IndexFunc(rows, func(r string) bool { return len([]rune(r)) > 80 || strings.Contains(r, "\x1b") }))
}

// fixedName is one image that is not there.
type fixedName string

func (f fixedName) count() int                    { return 1 }
func (f fixedName) name(int) string               { return string(f) }
func (f fixedName) load(int) (image.Image, error) { return nil, os.ErrNotExist }
func (f fixedName) close()                        {}

// TestNamesOfStrangers: an archive's names break no line, on standard error neither.
func TestNamesOfStrangers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.zip")
	f, err := os.Create(path)
	require.NoError(t, err)
	w := zip.NewWriter(f)
	for _, name := range []string{"n\nl\x1b[31m.png", "g\ng.png"} {
		entry, err := w.Create(name)
		require.NoError(t, err)
		content := []byte("z")
		if name[0] == 'g' {
			content = pngImage(t, 40, 30, 1)
		}
		_, err = entry.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, f.Close())
	code, stdout, stderr := invoke("classify", "--top", "1", testModel(t), path)
	require.Equal(t, cli.Failed, code)
	require.Len(t, lines(stdout), 1)
	require.Contains(t, stdout, `/g\ng.png`)
	require.Len(t, lines(stderr), 1)
	require.Contains(t, stderr, `resnext: `+path+`: n\nl\x1b[31m.png: not an image`)
}

// TestImageMemory: the limit is told and can be raised.
func TestImageMemory(t *testing.T) {
	t.Cleanup(func() { images.SetMemory(images.DefaultMemory) })
	path := filepath.Join(t.TempDir(), "a.png")
	require.NoError(t, os.WriteFile(path, pngImage(t, 2400, 2000, 1), 0o600)) // 4 bytes a pixel
	model := testModel(t)
	code, _, stderr := invoke("classify", "--image-memory", "16", model, path)
	require.Equal(t, cli.Failed, code)
	require.Contains(t, stderr, path+": the PNG is 2400x2000 pixels: reading it takes ")
	raised := regexp.MustCompile(`--image-memory (\d+) of`).FindStringSubmatch(stderr)
	require.NotNil(t, raised, stderr)
	code, _, stderr = invoke("classify", "--image-memory", raised[1], model, path)
	require.Equal(t, cli.Done, code, stderr)
	for _, bad := range []string{"0", "15", "x", "99999999999999999999"} {
		code, _, stderr := invoke("classify", "--image-memory", bad, model, path)
		require.Equal(t, cli.Misuse, code)
		require.Contains(t, stderr, "--image-memory")
		require.Contains(t, stderr, "expected 16 to 1048576 megabytes")
	}
}
