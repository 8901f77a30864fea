package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
)

// someGood are different images, each in the folder of a class.
func someGood(t *testing.T, n int) map[string][]byte {
	files := map[string][]byte{}
	for i := range n {
		files[fmt.Sprintf("c%d/%02d.png", i%10, i)] = pngImage(t, 28+i, 28)
	}
	return files
}

// flat is an image of one colour.
func flat(t *testing.T, level byte) []byte {
	img := image.NewGray(image.Rect(0, 0, 28, 28))
	for i := range img.Pix {
		img.Pix[i] = level
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

// jsonReport runs calib and reads its report.
func jsonReport(t *testing.T, args ...string) (r report, model []byte, stderr string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "m")
	code, stdout, stderr := invoke(append(args, "--json", "--out", out)...)
	require.Equal(t, cli.Done, code, stderr)
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	return r, read(t, out), stderr
}

// TestSkipped: bad images are named and change nothing, whatever the number of threads.
func TestSkipped(t *testing.T) {
	files := someGood(t, 20)
	want, model, stderr := jsonReport(t, "--weights", tiny, "--crop", "28", "--images", archive(t, files), "--eval", archive(t, files))
	require.NotContains(t, stderr, "cannot be read")
	require.Zero(t, want.SkippedCount)
	require.Equal(t, []badImage{}, want.Skipped)

	files["c0/00a.jpg"] = []byte("\xFF\xD8\xFF\xE0")
	files["c0/00b.png"] = nil
	files["c1/a.heic"] = []byte("\x00\x00\x00\x18ftypheic")
	files["c3/13a.png"] = files["c3/13.png"][:60]
	files["c5/text.gif"] = []byte("hello")
	files["c9/30.webp"] = []byte("RIFF\x10\x00\x00\x00WEBPVP8X")
	set, eval := archive(t, files), archive(t, files)
	for _, threads := range []string{"1", "2", "3"} {
		r, same, stderr := jsonReport(t, "--weights", tiny, "--crop", "28", "--images", set, "--eval", eval, "--threads", threads)
		require.True(t, bytes.Equal(model, same), "%s threads: another model", threads)
		require.Equal(t, []any{want.Float, want.Int8, want.SQNR, 20, 20}, []any{r.Float, r.Int8, r.SQNR, r.Images, r.ComparedImages})
		require.Equal(t, 12, r.SkippedCount)
		require.Len(t, r.Skipped, 12)
		require.Equal(t, badImage{set + ": c0/00b.png", "the file is empty (0 bytes)"}, r.Skipped[1])
		require.Equal(t, badImage{eval + ": c1/a.heic", "it is a HEIC picture, which is not read: save it as JPEG or PNG"}, r.Skipped[8])
		require.Contains(t, stderr, "calib: warning: 6 of 26 images of "+set+" cannot be read and are skipped (--strict makes that an error):\n  "+
			set+": c0/00a.jpg: the JPEG is truncated")
		require.Contains(t, stderr, "c3/13a.png: the PNG is damaged")
		require.Contains(t, stderr, "\n  and 1 more\n")
	}
}

// TestTooBad: --strict skips nothing, and without it half of the images must be good.
func TestTooBad(t *testing.T) {
	few, half, most, none := someGood(t, 4), someGood(t, 2), someGood(t, 1), map[string][]byte{}
	for i := range 2 {
		for _, files := range []map[string][]byte{few, half, most, none} {
			files[fmt.Sprintf("c9/bad%d.png", i)] = []byte("no image")
		}
	}
	const reason = ": c9/bad0.png: not an image: it begins with"
	for name, c := range map[string]struct {
		set    string
		strict bool
		want   string
	}{
		"strict":    {archive(t, few), true, "2 of 6 images cannot be read, and --strict skips none: "},
		"more":      {archive(t, most), false, "2 of 3 images cannot be read, more than half: "},
		"all":       {archive(t, none), false, "no image of 2 can be read: "},
		"half":      {archive(t, half), false, ""},
		"no strict": {archive(t, few), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, flags := range [][]string{{"--images", c.set}, {"--images", fashion + "calib.zip", "--limit", "8", "--labels", tenLabels(t), "--eval", c.set}} {
				dir := t.TempDir()
				args := append(flags, "--weights", tiny, "--out", filepath.Join(dir, "m"))
				if c.strict {
					args = append(args, "--strict")
				}
				code, _, stderr := invoke(args...)
				if c.want == "" {
					require.Equal(t, cli.Done, code, stderr)
					require.Contains(t, stderr, "are skipped")
					continue
				}
				require.Equal(t, cli.Failed, code)
				require.Contains(t, stderr, "calib: "+flags[len(flags)-2]+" "+c.set+": "+c.want+c.set+reason)
				require.Empty(t, listing(t, dir))
			}
		})
	}
}

// tenLabels is a file of the names of someGood's folders.
func tenLabels(t *testing.T) string {
	return write(t, "labels.txt", []byte("c0\nc1\nc2\nc3\nc4\nc5\nc6\nc7\nc8\nc9\n"))
}

func TestManyBadImages(t *testing.T) {
	s := scanResult{total: 500}
	for i := range 120 {
		s.bad = append(s.bad, badImage{fmt.Sprintf("%03d.png", i), "torn"})
	}
	require.Equal(t, "000.png: torn; 001.png: torn; 002.png: torn; 003.png: torn; 004.png: torn; and 115 more", s.names("; "))
	require.NoError(t, s.check("images", "x", false))
	require.ErrorContains(t, s.check("images", "x", true), "--images x: 120 of 500 images cannot be read")
	require.Len(t, reported(s.bad), 100)
	require.Equal(t, s.bad[:3], reported(s.bad[:3]))
	require.NotNil(t, reported(nil), "an empty list in JSON, not null")
}

// TestAlike: images that show next to nothing are worth a warning.
func TestAlike(t *testing.T) {
	const equal, colour = "calibration images are equal once they are prepared", "a single colour each"
	for name, c := range map[string]struct {
		files map[string][]byte
		want  []string
		not   string
	}{
		"equal":     {map[string][]byte{"a.png": pngImage(t, 28, 28), "b.png": pngImage(t, 28, 28)}, []string{"all 2 " + equal}, colour},
		"flat":      {map[string][]byte{"a.png": flat(t, 7), "b.png": flat(t, 200)}, []string{colour}, equal},
		"both":      {map[string][]byte{"a.png": flat(t, 7), "b.png": flat(t, 7), "c.png": nil}, []string{"all 2 " + equal, colour}, "more than half"},
		"one":       {map[string][]byte{"a.png": pngImage(t, 28, 28)}, []string{"only 1 image"}, equal},
		"different": {map[string][]byte{"a.png": pngImage(t, 28, 28), "b.png": flat(t, 7)}, nil, equal},
	} {
		_, _, stderr := jsonReport(t, "--weights", tiny, "--images", archive(t, c.files))
		for _, want := range c.want {
			require.Contains(t, stderr, want, name)
		}
		require.NotContains(t, stderr, c.not, name)
	}
}

// TestNamesOfStrangers: folders and images of an archive break no line of an error.
func TestNamesOfStrangers(t *testing.T) {
	files := someGood(t, 4)
	files["c0/x\n\x1b[31m.png"] = []byte("no image")
	_, _, stderr := jsonReport(t, "--weights", tiny, "--crop", "28", "--images", archive(t, files))
	require.Contains(t, stderr, `c0/x\n\x1b[31m.png: not an image`)

	files["evil\nfolder/1.png"] = files["c0/x\n\x1b[31m.png"]
	for name, args := range map[string][]string{
		`evil\nfolder is not among the labels`: {"--labels", tenLabels(t)}, "10 classes": nil,
	} {
		args = append(args, "--weights", tiny, "--images", archive(t, files), "--eval", archive(t, files), "--out", filepath.Join(t.TempDir(), "m"))
		code, _, stderr := invoke(args...)
		require.NotEqual(t, cli.Done, code)
		require.Contains(t, stderr, name)
		require.NotContains(t, stderr, "evil\n")
		require.NotContains(t, stderr, "\x1b")
	}
}
