package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/resnext"
)

func TestParseTriple(t *testing.T) {
	for text, want := range map[string][3]float32{
		"0.5": {0.5, 0.5, 0.5}, "0.485,0.456,0.406": {0.485, 0.456, 0.406}, "1, 2, 3": {1, 2, 3}, "-1": {-1, -1, -1},
	} {
		got, err := parseTriple("mean", text)
		require.NoError(t, err)
		require.Equal(t, want, *got)
	}
	none, err := parseTriple("mean", "")
	require.NoError(t, err)
	require.Nil(t, none)
	for _, text := range []string{",", "1,2", "1,2,3,4", "a", "1e99", "1,,3"} {
		_, err := parseTriple("mean", text)
		require.ErrorContains(t, err, "--mean is ", text)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string][2]int{"224": {224, 224}, "256x128": {256, 128}, "8X9": {8, 9}} {
		got, err := parseSize(text)
		require.NoError(t, err)
		require.Equal(t, want, *got)
	}
	for _, text := range []string{"0", "-3", "x", "3x", "x3", "3x4x5", "a", "3.5", "99999999999999999999"} {
		_, err := parseSize(text)
		require.ErrorContains(t, err, "--crop is ", text)
	}
}

func TestModelName(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	for reference, want := range map[string]string{
		"a/b/net.pth": "net.int8.safetensors", "net.pt": "net.int8.safetensors", "net.safetensors": "net.int8.safetensors",
		"net.pth.tar": "net.int8.safetensors", "net": "net.int8.safetensors", ".pth": ".pth.int8.safetensors",
		"v1.5.pth": "v1.5.int8.safetensors", "random:ResNet50": "random-resnet50.int8.safetensors",
		".": filepath.Base(here) + ".int8.safetensors", "..": filepath.Base(filepath.Dir(here)) + ".int8.safetensors", "a/b/": "b.int8.safetensors",
	} {
		require.Equal(t, want, modelName(&settings{options: options{weights: reference}}))
	}
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"a/b-1.int8.safetensors": "a/b-1.int8.safetensors", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "$HOME;rm": "'$HOME;rm'",
	} {
		require.Equal(t, want, shellWord(in))
	}
}

// folders is a set of one image in each folder.
func folders(t *testing.T, names ...string) *images.Set {
	t.Helper()
	files := map[string][]byte{}
	for _, n := range names {
		files[n+"/x.png"] = []byte("never read")
	}
	set, err := images.Open(archive(t, files))
	require.NoError(t, err)
	t.Cleanup(func() { set.Close() })
	return set
}

func TestFolderLabels(t *testing.T) {
	for _, c := range []struct{ folders, want string }{
		{"b a c", "a b c"},
		{"0_t-shirt 1_ankle_boot", "t-shirt ankle_boot"},
		{"00_a 01_b", "a b"},
		{"1_a 2_b", "1_a 2_b"},     // numbers that are not the classes' may mean something
		{"0_a 1_b x", "0_a 1_b x"}, // as may those of some
		{"0_ 1_b", "0_ 1_b"},       // nothing would be left
		{"n01440764 n01443537", "n01440764 n01443537"},
	} {
		require.Equal(t, strings.Fields(c.want), folderLabels(folders(t, strings.Fields(c.folders)...)))
	}
	// As text, 10_x sorts before 1_x: the numbers are not the classes'.
	var eleven []string
	for i := range 11 {
		eleven = append(eleven, fmt.Sprintf("%d_x", i))
	}
	require.Equal(t, "10_x", folderLabels(folders(t, eleven...))[1])
}

func TestCommonSize(t *testing.T) {
	files := map[string][]byte{}
	for i := range 20 {
		files[fmt.Sprintf("%02d.png", i)] = pngImage(t, 30, 20)
	}
	open := func() *images.Set {
		set, err := images.Open(archive(t, files))
		require.NoError(t, err)
		t.Cleanup(func() { set.Close() })
		return set
	}
	size := commonSize(open())
	require.Equal(t, [2]int{30, 20}, [2]int{size.X, size.Y})
	files["17.png"] = pngImage(t, 9, 9) // not among those that are looked at
	require.Equal(t, 30, commonSize(open()).X)
	files["15.png"] = pngImage(t, 30, 21)
	require.Zero(t, commonSize(open()))
	files["14.png"], files["15.png"] = []byte("no image"), nil // for these 16.png and 17.png are looked at
	require.Zero(t, commonSize(open()))
	delete(files, "17.png")
	require.Equal(t, 20, commonSize(open()).Y)
}

func TestChoosePreprocess(t *testing.T) {
	named := func(name string, side int) resnext.Config {
		c, err := resnext.Named(name)
		require.NoError(t, err)
		if side > 0 {
			c.Height, c.Width = side, side
		}
		return c
	}
	zero, big := 0, 300
	triple := [3]float32{1, 2, 3}
	for _, c := range []struct {
		cfg    resnext.Config
		s      settings
		resize int
	}{
		{named("resnext50_32x4d", 0), settings{}, 256},
		{named("resnext50_32x4d", 288), settings{}, 329},
		{named("resnext50_32x4d", 0), settings{resize: &zero}, 0},
		{named("resnext29_8x64d", 0), settings{}, 0},
		{named("resnext29_8x64d", 0), settings{resize: &big}, 300},
	} {
		c.s.filter = "bicubic"
		got := choosePreprocess(c.cfg, &c.s)
		require.Equal(t, c.resize, got.Resize)
		require.Equal(t, "bicubic", got.Filter)
		c.s.mean, c.s.std = &triple, &triple
		got = choosePreprocess(c.cfg, &c.s)
		require.Equal(t, [][3]float32{triple, triple}, [][3]float32{got.Mean, got.Std})
	}
}

func TestSpread(t *testing.T) {
	s := subsample{&countSource{10}, 4}
	require.Equal(t, 4, s.len())
	var got []int
	for i := range s.len() {
		_, label, err := s.load(i)
		require.NoError(t, err)
		got = append(got, label)
	}
	require.Equal(t, []int{0, 2, 5, 7}, got)
	require.Equal(t, 10, subsample{&countSource{10}, 99}.len())
}

// countSource labels each image with its index.
type countSource struct{ n int }

func (c *countSource) len() int                        { return c.n }
func (c *countSource) load(i int) ([]byte, int, error) { return nil, i, nil }
func (c *countSource) name(i int) string               { return strconv.Itoa(i) }

func TestReportPrint(t *testing.T) {
	one, half, low := 1.0, 0.5, 12.3
	var b bytes.Buffer
	r := &report{
		Model: "m", ModelBytes: 500, FloatBytes: 2000, Float: accuracy{&one, nil}, Int8: accuracy{&half, nil}, Agreement: 0.5,
		ComparedOn: onEval, ComparedImages: 2, FloatMS: 2, Int8MS: 4, Layers: []layerSQNR{{"a", nil}, {"b", &low}},
	}
	r.print(&b)
	for _, want := range []string{
		"  12.3 dB  b  low\n  infinite  a\n", "Layers below 20 dB", "-50.00 points", "4.0 times smaller", "2.0 times slower",
		"same answer for 50.00% of 2 labelled images, logits SQNR infinite",
	} {
		require.Contains(t, b.String(), want)
	}
	require.NotContains(t, b.String(), "top-5")
}
