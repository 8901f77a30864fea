package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant/evidence"
	"github.com/libresnext/libresnext/resnext"
)

// TestEvidence: a wrong preparation is said with what would fit, in the log and as JSON, and a right one is not doubted.
func TestEvidence(t *testing.T) {
	args := []string{"--weights", fashion + "resnext20_8x4d.pth", "--images", fashion + "calib.zip", "--limit", "32", "--effort", "fast"}
	r, _, stderr := jsonReport(t, args...)
	const warning = "the images are probably not prepared as in training: the first layer's outputs vary 2 times as much as they did (variance); " +
		"Fashion-MNIST's mean and std would fit (--mean 0.2860 --std 0.3530)"
	require.Contains(t, stderr, "calib: warning: "+warning)
	require.Contains(t, stderr, "strides: on the 3x3 convolution (the usual; these images do not tell)")
	require.Contains(t, stderr, "same answer for", "the summary")
	require.Equal(t, []string{warning}, r.Warnings)
	require.False(t, r.Findings.Told)

	r, _, stderr = jsonReport(t, append(args, "--mean", "72.93", "--std", "90.02")...)
	require.NotContains(t, stderr, "probably")
	require.Contains(t, stderr, "(given on the scale of 0..255)")
	require.Regexp(t, `strides: on the 3x3 convolution \("by averages behind the 3x3 convolution" is \d+% farther from training\)`, stderr)
	require.Empty(t, r.Warnings)
	require.Equal(t, 16, r.Findings.Images)
	require.True(t, r.Findings.Told)
	require.Less(t, r.Findings.Fit.Divergence, 0.05)

	_, _, stderr = jsonReport(t, append(args, "--mean", "0.286", "--std", "0.353", "--stride-on", "3x3", "--stem", "3x3", "--channels", "rgb")...)
	require.NotContains(t, stderr, "strides:")
	require.NotContains(t, stderr, "stem:")
}

// TestFindings: what is unusual or doubtful is a warning, and nothing else.
func TestFindings(t *testing.T) {
	fit := &evidence.Fit{Layers: make([]evidence.Layer, 3), Divergence: 0.02}
	usual := evidence.Verdict{Question: "strides", Taken: "here", Option: "--stride-on 3x3", Usual: true, Other: "there", OtherOption: "--stride-on 1x1", Margin: 0.5}
	unusual, doubted := usual, usual
	unusual.Usual, unusual.Margin = false, 9
	doubted.Margin = -0.25
	for name, c := range map[string]struct {
		f    findings
		want string
	}{
		"as usual":   {findings{Fit: fit, Told: true, Verdicts: []evidence.Verdict{usual}}, ""},
		"unusual":    {findings{Fit: fit, Told: true, Verdicts: []evidence.Verdict{unusual}}, `strides: taken is "here", which is unusual, because the network's statistics say so ("there" is 10 times as far from training); --stride-on 3x3 settles it, --stride-on 1x1 is the other`},
		"doubted":    {findings{Fit: fit, Told: true, Verdicts: []evidence.Verdict{doubted}}, `strides: taken is "here", the usual, but "there" fits the network's statistics better, by 25%; --stride-on 3x3 or --stride-on 1x1 settles it`},
		"not told":   {findings{Fit: fit, Verdicts: []evidence.Verdict{doubted}}, ""},
		"far":        {findings{Fit: &evidence.Fit{Divergence: 0.7}}, "what the layers give differs much from training (0.70 nats)"},
		"impossible": {findings{Fit: fit, Preparation: &evidence.Preparation{Doubtful: true, Layer: evidence.Layer{Variance: 11.9}}}, "vary 4096 times as much as they did (variance); give --mean and --std"},
		"too little": {findings{Fit: fit, Preparation: &evidence.Preparation{Doubtful: true, Layer: evidence.Layer{Variance: -4.2}, Fits: "x", Options: "--std 7"}}, "vary 1/16 as much as they did (variance); x would fit (--std 7)"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.f.warnings()
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1)
			require.Contains(t, got[0], c.want)
		})
	}
}

// TestDeepGray: gray images of 16 bits are taken, and what training may have seen of them is said.
func TestDeepGray(t *testing.T) {
	files := someGood(t, 8)
	for _, name := range []string{"c0/x.png", "c1/y.png"} {
		img := image.NewGray16(image.Rect(0, 0, 28, 28))
		for i := range 28 * 28 {
			img.SetGray16(i%28, i/28, color.Gray16{Y: uint16(i * 83)})
		}
		var b bytes.Buffer
		require.NoError(t, png.Encode(&b, img))
		files[name] = b.Bytes()
	}
	_, _, stderr := jsonReport(t, "--weights", tiny, "--crop", "28", "--effort", "fast", "--images", archive(t, files))
	require.Contains(t, stderr, "2 of 10 images of")
	require.Contains(t, stderr, "are gray in 16 bits")
	_, _, stderr = jsonReport(t, "--weights", tiny, "--crop", "28", "--effort", "fast", "--images", archive(t, someGood(t, 8)))
	require.NotContains(t, stderr, "16 bits")
}

// TestFilterNames: the filter of the options is the model's, and the old name of the option goes on working.
func TestFilterNames(t *testing.T) {
	for _, filter := range []string{"nearest", "bilinear-opencv"} {
		for _, flag := range []string{"--resize-filter", "--filter"} {
			out := filepath.Join(t.TempDir(), "m.int8.safetensors")
			code, stdout, stderr := invoke("--weights", tiny, "--images", archive(t, someGood(t, 4)), "--effort", "fast", flag, filter, "--out", out)
			require.Equal(t, cli.Done, code, stderr)
			require.Contains(t, stdout, filter)
			require.Equal(t, flag == "--filter", bytes.Contains([]byte(stderr), []byte("--filter is now --resize-filter")))
			m, err := resnext.Open(out)
			require.NoError(t, err)
			require.Equal(t, filter, m.Preprocess().Filter)
		}
	}
}
