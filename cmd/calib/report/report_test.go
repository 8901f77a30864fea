package report

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/libresnext/libresnext/quant"
)

func ptr[T any](v T) *T { return &v }

// hostile is text that would leave its place on a careless page.
const hostile = `"><script>alert(1)</script><img src=http://evil.example/x>'&{{.}}</style>`

// example is a page's data with something in every part of it.
func example(t *testing.T) *Data {
	t.Helper()
	thumbnail, err := NewThumbnail(bytes.Repeat([]byte{9, 9, 9}, 28*28), 28, 28)
	require.NoError(t, err)
	d := &Data{
		Network: Network{Name: "resnext20_8x4d", Parameters: 500_000, MACs: 69e6, Width: 28, Height: 28, Classes: 3},
		Choices: Choices{Observer: "mse", Depth: 4, Images: 512, ImagesText: "all 512 of calib.zip"},
		Summary: Summary{
			Images: 1000, Labelled: 1000, ComparedOn: "all 1000 of test.zip",
			Float:     Side{Top1: ptr(0.935), Top5: ptr(1.0), Bytes: 2_130_000, Milliseconds: ptr(11.0)},
			Int8:      Side{Top1: ptr(0.933), Top5: ptr(1.0), Bytes: 567_000, Milliseconds: ptr(4.0)},
			Agreement: ptr(0.998), SQNR: ptr(quant.Decibel(37.3)),
		},
		Kernels: Kernels{Name: "avx2", UseAcc16: true, Depths: []DepthShare{{0, 0.25}, {4, 0.75}}},
		Labels:  []string{"shirt", "coat", "bag"},
		Answers: &Answers{
			Changed: 2, CloseCalls: 2, Lost: 2, Cells: []Cell{{0, 0, 79, 77}, {0, 1, 5, 7}},
			Images: []Image{{Name: "6_shirt/1.png", Label: 0, FloatClass: 0, Int8Class: 1, Float: [2]float64{0.5, 0.4}, Int8: [2]float64{0.4, 0.5}, Thumbnail: thumbnail}},
		},
		Run: Run{Version: "0.1.0", Seed: 1, Model: "m.safetensors", Command: "calib --weights w.pth", Settings: []Setting{{"observer", "mse"}}, Machine: []Setting{{"CPU", "some"}}, Seconds: 17},
	}
	for i, name := range []string{"stem", "stage1.block0.reduce", "stage1.block0.transform", "stage1.block0.expand", "stage2.block0.reduce"} {
		d.Layers = append(d.Layers, Layer{
			Name: name, In: 3, Out: 64, Kernel: 3, Groups: 1 + i%2, MACs: 1000,
			SQNR: ptr(quant.Decibel(40 - 6*i)), Weights: ptr(quant.Decibel(38)), Rounding: ptr(quant.Decibel(41)), Clipping: ptr(quant.Decibel(60)),
			Values: &Values{Range: 6, Max: 7, Count: 1e6, Zeros: 5e5, Clipped: 20, Width: 0.5, Bins: []int64{9e5, 1e5, 1000, 50, 3, 0, 1, 1, 1, 1, 1, 15, 4, 1}},
			Spread: ptr(2.5), SpreadBefore: ptr(12.0),
			Depths: []DepthShare{{4, 1}}, Lanes: &Lanes{4, 0.5, 0.99},
		})
	}
	return d
}

// render writes the page and parses it.
func render(t *testing.T, d *Data) (text string, root *html.Node) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Write(&b, d))
	root, err := html.Parse(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	return b.String(), root
}

// walk visits every element.
func walk(n *html.Node, f func(*html.Node)) {
	if n.Type == html.ElementNode {
		f(n)
	}
	for c := range n.ChildNodes() {
		walk(c, f)
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// words is the text inside of an element.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// sections gives the page's sections by id.
func sections(root *html.Node) map[string]*html.Node {
	found := map[string]*html.Node{}
	walk(root, func(n *html.Node) {
		if n.Data == "section" {
			found[attribute(n, "id")] = n
		}
	})
	return found
}

var sectionNames = []string{"summary", "figures", "layers", "activations", "weights", "answers", "accumulation", "reproduce"}

func TestSections(t *testing.T) {
	_, root := render(t, example(t))
	found := sections(root)
	for _, name := range sectionNames {
		require.Contains(t, found, name)
	}
	for name, want := range map[string][]string{
		"summary":      {"good", "int8 answers as the float network on 99.80% of 1000 images, 0.20 points less accurate, 3.8 times smaller.", "sign test, p = 0.5"},
		"figures":      {"93.50%", "93.30%", "−0.20 points", "2.13 MB", "567 KB", "2.8 times faster", "11.00 ms", "37.3 dB", "all 1000 of test.zip", "all 512 of calib.zip"},
		"layers":       {"stage2. block0. reduce", "16.0 dB", "low", "--acc16 2", "--acc16 off", "About"},
		"activations":  {"range 6 of 7 seen", "0.002% clipped", "50% zeros", "Stage 1"},
		"weights":      {"before", "after equalisation", "12.0", "2.5"},
		"answers":      {"shirt", "coat", "+2 worse", "−2 worse", "6_shirt/1.png", "float is right", "50.0%"},
		"accumulation": {"depth 4 75.00%", "none 25.00%", "EPYC", "50.0 ms", "1.9 times", "99%"},
		"reproduce":    {"calib --weights w.pth", "0.1.0", "mse", "17 s", "some"},
	} {
		text := words(found[name])
		for _, w := range want {
			require.Contains(t, text, w, name)
		}
	}
}

// TestDepthAuto: where layers differ, no one depth is said to be the model's.
func TestDepthAuto(t *testing.T) {
	d := example(t)
	_, root := render(t, d)
	require.Contains(t, words(sections(root)["accumulation"]), "acc16 depth 4 (this model)")
	d.Choices.DepthAuto, d.Choices.DepthLoss = true, ptr(quant.Decibel(0.24))
	_, root = render(t, d)
	text := words(sections(root)["accumulation"])
	require.Contains(t, text, "noise grew by at most 0.2 dB on average")
	require.Contains(t, text, "acc16 depth 4 (most of this model)")
	require.Contains(t, text, "The acc16 depth was chosen for each layer")
	require.Contains(t, text, "lane mean fill fullest stem depth 4 4 50% 99%")
}

// TestTechniques: the page names what worked on the network, and how much absorption found.
func TestTechniques(t *testing.T) {
	d := example(t)
	_, root := render(t, d)
	require.Contains(t, words(sections(root)["figures"]), "techniques none")
	d.Choices.Techniques, d.Choices.Absorbed = quant.Techniques(), 3
	_, root = render(t, d)
	require.Contains(t, words(sections(root)["figures"]), "techniques absorption (of 3 channels), equalisation, correction, rounding, bias")
}

// TestSelfContained: the page loads nothing and runs nothing.
func TestSelfContained(t *testing.T) {
	text, root := render(t, example(t))
	require.NotContains(t, text, "@import")
	require.NotContains(t, text, "url(")
	images, ids := 0, map[string]bool{}
	var targets []string
	walk(root, func(n *html.Node) {
		require.NotContains(t, []string{"script", "link", "iframe", "object", "form", "base"}, n.Data)
		if id := attribute(n, "id"); id != "" {
			ids[id] = true
		}
		for _, a := range n.Attr {
			require.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
			switch a.Key {
			case "src":
				require.True(t, strings.HasPrefix(a.Val, "data:image/png;base64,"), a.Val)
				images++
			case "href":
				require.True(t, strings.HasPrefix(a.Val, "#"), a.Val)
				targets = append(targets, a.Val[1:])
			}
		}
	})
	require.Equal(t, 1, images)
	require.NotEmpty(t, targets)
	for _, target := range targets {
		require.Contains(t, ids, target)
	}
}

// TestHostile: names and labels from strangers stay text, wherever they stand.
func TestHostile(t *testing.T) {
	d := example(t)
	_, tame := render(t, d)
	count := func(root *html.Node) (n int) {
		walk(root, func(*html.Node) { n++ })
		return n
	}
	before := count(tame)
	d.Network.Name, d.Choices.ImagesText, d.Summary.ComparedOn = hostile, hostile, hostile
	d.Labels = []string{hostile, "\x1b[31mred\u202e", "bag"}
	d.Answers.Images[0].Name = hostile + "\n\x00"
	d.Run = Run{Version: hostile, Model: hostile, Command: hostile, Seconds: 1, Settings: []Setting{{hostile, hostile}}, Machine: []Setting{{hostile, hostile}}}
	d.Kernels.Name = hostile
	text, root := render(t, d)
	require.NotContains(t, text, "<script")
	require.NotContains(t, text, "\x1b")
	require.NotContains(t, text, "\u202e")
	require.Equal(t, before, count(root))
	require.Contains(t, words(sections(root)["reproduce"]), hostile)

	for i := range d.Layers {
		d.Layers[i].Name = hostile
	}
	text, _ = render(t, d)
	require.NotContains(t, text, "<script")
	require.NotContains(t, text, "<img src=http")
}

// TestNothingMeasured: what was not measured is said to be so, and is not zero.
func TestNothingMeasured(t *testing.T) {
	for name, d := range map[string]*Data{
		"nothing":     {},
		"bare layers": {Layers: []Layer{{Name: "stem"}, {Name: ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			text, root := render(t, d)
			found := sections(root)
			for _, s := range sectionNames[1:] {
				require.Contains(t, strings.ToLower(words(found[s])), "not measured", s)
			}
			require.Contains(t, words(found["summary"]), "not compared")
			for _, bad := range []string{"NaN", "Inf", "0.00%", "0.0 dB", "ZgotmplZ", "%!", "<no value>"} {
				require.NotContains(t, text, bad)
			}
		})
	}
}

// TestExtremes: numbers at the ends of their ranges neither break the page nor show up as NaN.
func TestExtremes(t *testing.T) {
	d := example(t)
	inf := math.Inf(1)
	d.Summary.SQNR = ptr(quant.Decibel(inf))
	d.Layers[0].SQNR, d.Layers[0].Clipping = ptr(quant.Decibel(inf)), ptr(quant.Decibel(inf))
	d.Layers[1].SQNR = ptr(quant.Decibel(-inf))
	d.Layers[2].SQNR = ptr(quant.Decibel(math.NaN()))
	d.Layers[1].Values = &Values{Count: 5, Zeros: 5}
	d.Layers[3].Values = &Values{Range: 1e-30, Max: 3e38, Count: math.MaxInt64, Clipped: 1, Width: 1e37, Bins: []int64{math.MaxInt64 / 2, 0, 1}}
	d.Layers[4].Spread, d.Layers[4].Lanes = ptr(1e30), &Lanes{2, 3, 250}
	d.Answers.Changed = 1_000_000
	text, root := render(t, d)
	require.Contains(t, words(sections(root)["figures"]), "exact")
	require.NotContains(t, text, "NaN")
	require.NotContains(t, text, "ZgotmplZ")
}

// TestSize: a page with all images of photographs' detail and 160 layers stays small.
func TestSize(t *testing.T) {
	d := example(t)
	noisy := make([]byte, 224*224*3)
	for i := range noisy {
		noisy[i] = byte(i * i >> 3)
	}
	thumbnail, err := NewThumbnail(noisy, 224, 224)
	require.NoError(t, err)
	require.Equal(t, [2]int{96, 96}, [2]int{thumbnail.Width, thumbnail.Height})
	p := d.Answers.Images[0]
	p.Thumbnail = thumbnail
	for len(d.Answers.Images) < 2*MaxImages {
		d.Answers.Images = append(d.Answers.Images, p)
	}
	for len(d.Layers) < 160 {
		d.Layers = append(d.Layers, d.Layers[4])
	}
	text, root := render(t, d)
	images := 0
	walk(root, func(n *html.Node) {
		if n.Data == "img" {
			images++
		}
	})
	require.LessOrEqual(t, images, MaxImages)
	require.Less(t, len(text), 1_500_000)
	d = example(t)
	text, _ = render(t, d)
	require.Less(t, len(text), 60_000)
}

// TestSame: the same data give the same bytes.
func TestSame(t *testing.T) {
	first, _ := render(t, example(t))
	second, _ := render(t, example(t))
	require.Equal(t, first, second)
}

// TestJSON: the data can be written as JSON whatever the ratios, and hold no images.
func TestJSON(t *testing.T) {
	d := example(t)
	d.Layers[0].SQNR = ptr(quant.Decibel(math.Inf(1)))
	text, err := json.Marshal(d)
	require.NoError(t, err)
	require.Contains(t, string(text), `"sqnr_db":"inf"`)
	require.NotContains(t, string(text), "base64")
	var back Data
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, d.Summary, back.Summary)
	require.Len(t, back.Layers, len(d.Layers))
}

func TestThumbnail(t *testing.T) {
	for _, c := range []struct{ w, h, wantW, wantH int }{
		{1, 1, 1, 1}, {28, 28, 28, 28}, {96, 50, 96, 50}, {97, 96, 96, 95}, {1, 2000, 1, 96}, {2000, 3, 96, 1},
	} {
		x, err := NewThumbnail(make([]byte, 3*c.w*c.h), c.w, c.h)
		require.NoError(t, err)
		require.Equal(t, [2]int{c.wantW, c.wantH}, [2]int{x.Width, x.Height})
		require.NotEmpty(t, x.URI())
	}
	for _, c := range [][3]int{{0, 0, 0}, {3, 0, 1}, {12, 2, 1}, {6, -2, -1}} {
		_, err := NewThumbnail(make([]byte, c[0]), c[1], c[2])
		require.Error(t, err)
	}
	require.Empty(t, Thumbnail{}.URI())
}

// TestFoundComesFirst: what may be wrong stands before the verdict, what the files told after it, and nothing where
// there is nothing to say.
func TestFoundComesFirst(t *testing.T) {
	write := func(f Found) string {
		var b strings.Builder
		require.NoError(t, Write(&b, &Data{Found: f}))
		return b.String()
	}
	page := write(Found{Alarms: []string{"Labels <b>are</b> wrong"}, Evidence: []Setting{{"strides", "here"}}, Notes: []string{"set aside: x"}})
	alarm, verdict, told := strings.Index(page, "Labels &lt;b&gt;are"), strings.Index(page, `id="summary"`), strings.Index(page, "What the files told")
	require.Positive(t, alarm)
	require.Less(t, alarm, verdict)
	require.Less(t, verdict, told)
	require.Contains(t, page, "<dt>strides</dt><dd>here</dd>")
	require.Contains(t, page, "<li>set aside: x</li>")
	page = write(Found{})
	require.NotContains(t, page, `id="alarms"`)
	require.NotContains(t, page, "What the files told")
}
