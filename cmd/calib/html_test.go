package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	page "github.com/libresnext/libresnext/cmd/calib/report"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// pageText is the text of a page's sections by id, without line breaks.
func pageText(t *testing.T, path string) map[string]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(string(read(t, path))))
	require.NoError(t, err)
	sections := map[string]string{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "section" {
			continue
		}
		text := ""
		for inner := range n.Descendants() {
			if inner.Type == html.TextNode {
				text += inner.Data + " "
			}
		}
		sections[n.Attr[0].Val] = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "\u00a0", " ")
	}
	return sections
}

// TestReportPage: the page and --json agree about the reference network, and what the terminal says.
func TestReportPage(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a report.html")
	code, stdout, stderr := invoke("--weights", reference, "--images", fashion+"calib.zip", "--limit", "48", "--eval", fashion+"test.zip",
		"--eval-limit", "120", "--mean", "0.2860", "--std", "0.3530", "--acc16", "8", "--observer", "percentile", "--percentile", "97", "--json", "--out", filepath.Join(dir, "m"), "--report", path)
	require.Equal(t, cli.Done, code, stderr)
	require.ElementsMatch(t, []string{"m", "a report.html"}, listing(t, dir))
	var r report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Equal(t, path, r.Page)
	d := r.Details
	require.NotNil(t, d)
	require.Equal(t, r.Agreement, *d.Summary.Agreement)
	require.Equal(t, *r.SQNR, float64(*d.Summary.SQNR))
	require.Equal(t, *r.Int8.Top1, *d.Summary.Int8.Top1)
	require.Equal(t, 120, d.Summary.Labelled)
	require.InDelta(t, 1-r.Agreement, float64(d.Answers.Changed)/120, 1e-9)
	require.InDelta(t, *r.Float.Top1-*r.Int8.Top1, float64(d.Answers.Lost-d.Answers.Won)/120, 1e-9)
	require.Len(t, d.Answers.Images, d.Answers.Changed)
	require.NotZero(t, d.Answers.Changed)
	require.Len(t, d.Layers, 22)
	for i, l := range d.Layers {
		require.Equal(t, r.Layers[i].Name, l.Name)
		require.Equal(t, *r.Layers[i].SQNR, float64(*l.SQNR))
		require.Greater(t, float64(*l.Weights), 20.0, l.Name)
		require.Greater(t, float64(*l.Rounding), 25.0, l.Name)
		require.LessOrEqual(t, l.Lanes.Largest, 1.0, l.Name)
		require.NotNil(t, l.SpreadBefore, l.Name)
		require.Greater(t, l.Values.Max, 0.0, l.Name)
		count := l.Values.Zeros
		for _, n := range l.Values.Bins {
			count += n
		}
		require.Equal(t, l.Values.Count, count)
		require.EqualValues(t, 48*l.OutW*l.OutH*l.Out, count, l.Name)
		share := 0.0
		for _, c := range l.Depths {
			share += c.Share
		}
		require.InDelta(t, 1, share, 1e-9)
	}

	text := pageText(t, path)
	for section, want := range map[string]string{
		"summary":      fmt.Sprintf("int8 answers as the float network on %s of 120 images", cli.Percent(r.Agreement)),
		"figures":      fmt.Sprintf("top-1 %s %s", cli.Percent(*r.Float.Top1), cli.Percent(*r.Int8.Top1)),
		"layers":       "stage3.block1.expand",
		"activations":  "stem range",
		"weights":      "stage2.block0.shortcut",
		"answers":      "right",
		"accumulation": "acc16 depth 8 (this model)",
		"reproduce":    `calib \ --weights ` + reference,
	} {
		require.Contains(t, strings.ReplaceAll(text[section], ". ", "."), want)
	}
	require.Contains(t, text["reproduce"], "'"+path+"'")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(600_000))
	require.Contains(t, string(read(t, path)), "data:image/png;base64,")
}

// TestReportUnlabelled: without labels accuracy is not measured, and a made-up network's page says what it is.
// A hostile label stays text.
func TestReportUnlabelled(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.html")
	lines := strings.Repeat("x\n", 9) + "<script>alert(1)</script>\n"
	code, stdout, stderr := invoke("--weights", tiny, "--limit", "3", "--crop", "20x16", "--labels", write(t, "labels.txt", []byte(lines)),
		"--out", filepath.Join(dir, "m"), "--report", path)
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stdout, "wrote "+path+"\n")
	require.NotContains(t, stdout, "worst first")
	text := pageText(t, path)
	require.Contains(t, text["figures"], "top-1 not measured not measured")
	require.Contains(t, text["summary"], "The weights are random")
	require.NotContains(t, string(read(t, path)), "<script")
}

// TestReportNot: a page that cannot be written is found before the work or, at the latest, after the model.
func TestReportNot(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, "m")
	copied := write(t, "w.pth", read(t, reference))
	for name, c := range map[string]struct {
		path, want string
		code       int
	}{
		"no such folder": {filepath.Join(dir, "x", "r.html"), "--report", cli.Failed},
		"a folder":       {dir, "--report " + dir + ": it is a folder", cli.Failed},
		"the weights":    {copied, "also an input", cli.Failed},
		"the model":      {filepath.Join(dir, "..", filepath.Base(dir), "m"), "it is also the file of --out", cli.Misuse},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := invoke("--weights", copied, "--images", fashion+"calib.zip", "--out", model, "--report", c.path)
			require.Equal(t, c.code, code, stderr)
			require.Contains(t, stderr, c.want)
			require.Empty(t, listing(t, dir))
			require.Equal(t, read(t, reference), read(t, copied))
		})
	}
}

// TestEqualiseFlag: the page advises equalisation where it was left out, and shows no ranges from before it then.
func TestEqualiseFlag(t *testing.T) {
	for options, want := range map[string]string{
		"": "", "--without rounding": "", "--effort fast": "--effort default", "--without equalisation": "no equalisation in --without",
	} {
		args := append([]string{"--weights", tiny, "--limit", "2", "--json", "--out", filepath.Join(t.TempDir(), "m"), "--report", filepath.Join(t.TempDir(), "r")}, strings.Fields(options)...)
		code, stdout, stderr := invoke(args...)
		require.Equal(t, cli.Done, code, stderr)
		var r report
		require.NoError(t, json.Unmarshal([]byte(stdout), &r))
		for _, l := range r.Details.Layers {
			require.Equal(t, want == "", l.SpreadBefore != nil, options)
			require.NotNil(t, l.Spread)
		}
		require.True(t, r.Details.Choices.DepthAuto)
		w := &work{settings: &settings{effort: r.Effort}, found: &quant.Diagnostics{}}
		if want == "" {
			w.found.Techniques = quant.Techniques()
		}
		require.Equal(t, want, w.equaliseFlag())
	}
}

// flatConfig is of images of two pixels, flatSource such images.
var flatConfig = resnext.Config{Width: 2, Height: 1}

type flatSource struct{}

func (flatSource) len() int                      { return 9 }
func (flatSource) load(int) ([]byte, int, error) { return make([]byte, 6), 0, nil }
func (flatSource) name(i int) string             { return fmt.Sprintf("image %d", i) }

// TestAnswerLog counts what changed.
func TestAnswerLog(t *testing.T) {
	w := &work{settings: &settings{}}
	require.Nil(t, w.answerLog())
	w.settings.report = "r.html"
	add := w.answerLog()
	logits := func(first, second int) []float32 {
		x := make([]float32, 4)
		x[first], x[second] = 3, 2.9
		return x
	}
	sure := []float32{9, 0, 0, 0}
	add(quant.Answer{Image: 0, Label: 1, Float: logits(1, 0), Int8: logits(1, 2)}) // the same
	add(quant.Answer{Image: 1, Label: 1, Float: logits(1, 0), Int8: logits(0, 1)}) // lost
	add(quant.Answer{Image: 2, Label: 2, Float: sure, Int8: logits(2, 0)})         // won
	add(quant.Answer{Image: 3, Label: 3, Float: logits(1, 2), Int8: logits(2, 1)}) // both wrong
	add(quant.Answer{Image: 4, Label: quant.Unlabelled, Float: logits(1, 2), Int8: logits(2, 1)})
	d, err := w.answers.details(&flatSource{}, flatConfig)
	require.NoError(t, err)
	require.Equal(t, []int{4, 3, 1, 1}, []int{d.Changed, d.CloseCalls, d.Lost, d.Won})
	require.Equal(t, []page.Cell{{From: 1, To: 0, Int8: 1}, {From: 1, To: 1, Float: 2, Int8: 1}, {From: 2, To: 0, Float: 1},
		{From: 2, To: 2, Int8: 1}, {From: 3, To: 1, Float: 1}, {From: 3, To: 2, Int8: 1}}, d.Cells)
	require.Equal(t, "image 2", d.Images[0].Name) // the surest comes first
	require.InDelta(t, 0.9996, d.Images[0].Float[0], 1e-4)
	require.InDelta(t, 0.4990, d.Images[0].Int8[1], 1e-3)
	require.Equal(t, 2, d.Images[0].Thumbnail.Width)

	w.answers.labelled = 0
	d, err = w.answers.details(&flatSource{}, flatConfig)
	require.NoError(t, err)
	require.Equal(t, []page.Cell{{From: 0, To: 2, Int8: 1}, {From: 1, To: 0, Int8: 1}, {From: 1, To: 2, Int8: 2}}, d.Cells)
}

// TestShellCommand: a shell reads the printed command as the arguments that it was made of.
func TestShellCommand(t *testing.T) {
	args := []string{"--weights", "a b.pth", "--mean=0.1,0.2", "it's", "$HOME `x` \\n", "", "--", "line\nend\x1b[31m", "caf\u00e9\u202e\xff'"}
	command := shellCommand(args)
	require.Equal(t, strings.ReplaceAll(command, "\n", ""), cli.Printable(strings.ReplaceAll(command, "\n", "")))
	out, err := exec.Command("bash", "-c", tool+`() { printf '%s\0' "$@"; }; `+command).Output()
	require.NoError(t, err)
	require.Equal(t, strings.Join(args, "\x00")+"\x00", string(out))
}
