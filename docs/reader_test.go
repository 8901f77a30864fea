package docs

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/png"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/strictjson"
	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// TestSecondReader: reader.py, written from model-format.md, gives the library's bits: of bundled networks, in files of
// version 1 and of version 2, and of small ones with every kind of step and setting.
func TestSecondReader(t *testing.T) {
	r := secondReader{t: t, folder: t.TempDir()}
	const fashion, family = "../testdata/fashion/", "../testdata/family/"
	for name, weights := range map[string]string{
		"ResNeXt": fashion + "resnext20_8x4d.pth", "deep stem": family + "resnet_d.safetensors",
		"squeeze and excitation": family + "seresnext.safetensors", "neighbours": family + "ecaresnet.safetensors",
		"gates inside": family + "regnety.safetensors", "padded shortcuts": family + "resnet20_a.safetensors",
	} {
		path := filepath.Join(r.folder, filepath.Base(weights)+".int8")
		out, err := exec.Command(tool(t, "calib"), "--weights", weights, "--images", fashion+"calib.zip", "--out", path, "--limit", "8",
			"--eval-limit", "1", "--effort", "fast", "--crop", "28", "--resize", "0", "--mean", "0.2860", "--std", "0.3530").CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		r.add(name, path)
	}
	for name, cfg := range smallNetworks() {
		q := testnet.Random(cfg, uint64(len(name)))
		path := filepath.Join(r.folder, strconv.Itoa(len(r.names))+".int8")
		_, err := q.WriteFile(path)
		require.NoError(t, err, name)
		r.add(name, path)
	}
	require.Equal(t, map[string]int{"1": 5, "2": 21}, r.versions, "networks for each version of the format")
	r.compare()
}

// smallNetworks are the forms that the bundled networks do not have.
func smallNetworks() map[string]topology.Config {
	networks := testnet.Forms()
	maps.Copy(networks, testnet.Gated())
	change := func(name, of string, change func(c *topology.Config)) {
		c := networks[of].Clone()
		change(&c)
		networks[name] = c
	}
	each := func(change func(s *topology.Stage)) func(c *topology.Config) {
		return func(c *topology.Config) {
			for i := range c.Stages {
				change(&c.Stages[i])
			}
		}
	}
	const plain = "ImageNet form"
	change("several labels", plain, func(c *topology.Config) { c.Head = topology.MultiLabel })
	change("embedding", plain, func(c *topology.Config) { c.Head, c.Classes = topology.Embedding, 0 })
	change("embedding behind a gate", "SE after the last", func(c *topology.Config) { c.Head, c.Classes = topology.Embedding, 0 })
	change("stride on the first 1x1", plain, each(func(s *topology.Stage) { s.StrideOn = topology.Reduce }))
	change("stride on the last 1x1", plain, each(func(s *topology.Stage) { s.StrideOn = topology.Expand }))
	change("stride on the second 3x3", "basic blocks", each(func(s *topology.Stage) { s.StrideOn = topology.Second }))
	change("stride 3", plain, each(func(s *topology.Stage) { s.Stride = 3 }))
	change("averages in the branch", plain, each(func(s *topology.Stage) { s.AntiAlias = topology.Average2x2 }))
	change("blur", plain, each(func(s *topology.Stage) { s.AntiAlias = topology.Blur3x3 }))
	change("blur before gates", "SE after the 3x3", each(func(s *topology.Stage) { s.AntiAlias = topology.Blur3x3 }))
	change("blur in the stem", plain, func(c *topology.Config) { c.Stem.Pool = topology.MaxBlur })
	change("a map of few pixels, blurred", "CIFAR form", func(c *topology.Config) {
		c.Height, c.Width, c.Stem.Pool = 1, 3, topology.MaxBlur
		c.Stages[1].AntiAlias = topology.Blur3x3
	})
	return networks
}

// secondReader collects pairs of models and images, and what the library says of them.
type secondReader struct {
	t        *testing.T
	folder   string
	names    []string
	args     []string
	want     [][]float32
	versions map[string]int
}

// add asks the library about an image of noise and, where there are classes of clothes, one of a shoe.
func (r *secondReader) add(name, path string) {
	m, err := resnext.Open(path)
	require.NoError(r.t, err, name)
	s, err := m.NewSession(resnext.SessionOptions{})
	require.NoError(r.t, err, name)
	defer s.Close()
	inputs := [][]byte{testnet.Noise(m.Config(), 7)}
	if m.Labels() != nil {
		inputs = append(inputs, shoe(r.t, m))
	}
	for _, rgb := range inputs {
		ask := s.Infer
		if m.Config().Head == topology.Embedding {
			ask = s.Embed
		}
		answer, err := ask(rgb)
		require.NoError(r.t, err, name)
		raw := filepath.Join(r.folder, strconv.Itoa(len(r.want))+".rgb")
		require.NoError(r.t, os.WriteFile(raw, rgb, 0o600))
		r.names, r.args, r.want = append(r.names, name), append(r.args, path, raw), append(r.want, append([]float32(nil), answer...))
	}
	_, version, err := m.Config().Encode()
	require.NoError(r.t, err)
	if r.versions == nil {
		r.versions = map[string]int{}
	}
	r.versions[strconv.Itoa(version)]++
}

// shoe is a bundled image as a model's input.
func shoe(t *testing.T, m *resnext.Model) []byte {
	f, err := os.Open("../testdata/fashion/sample/ankle-boot.png")
	require.NoError(t, err)
	defer f.Close()
	img, _, err := image.Decode(f)
	require.NoError(t, err)
	p, err := resnext.NewPreparer(m.Config(), m.Preprocess())
	require.NoError(t, err)
	rgb, err := p.Prepare(img)
	require.NoError(t, err)
	return rgb
}

// compare runs the second reader.
func (r *secondReader) compare() {
	cmd := exec.Command(python(r.t), append([]string{"reader.py", "--raw"}, r.args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	got, err := cmd.Output()
	require.NoError(r.t, err, stderr.String())
	for i, want := range r.want {
		for class, v := range want {
			require.GreaterOrEqual(r.t, len(got), 4, r.names[i])
			require.Equal(r.t, math.Float32bits(v), binary.LittleEndian.Uint32(got), "%s: number %d is %v", r.names[i], class, v)
			got = got[4:]
		}
	}
	require.Empty(r.t, got)
}

// TestSecondReaderRefuses: what model-format.md lets no reader take.
func TestSecondReaderRefuses(t *testing.T) {
	folder := t.TempDir()
	sound := filepath.Join(folder, "sound")
	cfg := testnet.Least()
	_, err := testnet.Random(cfg, 1).WriteFile(sound)
	require.NoError(t, err)
	data, err := os.ReadFile(sound)
	require.NoError(t, err)
	raw := filepath.Join(folder, "rgb")
	require.NoError(t, os.WriteFile(raw, testnet.Noise(cfg, 1), 0o600))
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   string
	}{
		"a flipped bit":   {func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, "damaged"},
		"cut short":       {func(b []byte) []byte { return b[:len(b)-1] }, "its bytes are not where"},
		"another byte":    {func(b []byte) []byte { return append(b, 0) }, "belong to no tensor"},
		"another version": {func(b []byte) []byte { return bytes.Replace(b, []byte(`_version":"1"`), []byte(`_version":"3"`), 1) }, "version 1 or 2"},
		"no model":        {func(b []byte) []byte { return []byte("GIF89a..") }, "longer than"},
	} {
		path := filepath.Join(folder, "changed")
		require.NoError(t, os.WriteFile(path, c.change(bytes.Clone(data)), 0o600))
		_, err = resnext.Open(path)
		require.ErrorIs(t, err, resnext.ErrModelFile, name)
		out, err := exec.Command(python(t), "reader.py", "--raw", path, raw).CombinedOutput()
		require.Error(t, err, name)
		require.Contains(t, string(out), c.want, name)
	}
}

// python is one with numpy: Debian's, else the first in PATH.
func python(t *testing.T) string {
	for _, p := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(p, "-c", "import numpy").Run() == nil {
			return p
		}
	}
	require.FailNow(t, "install numpy", "the second reader of model files needs it: Debian's package python3-numpy")
	return ""
}

// TestFormatExamples: the JSON of model-format.md is what the library reads.
func TestFormatExamples(t *testing.T) {
	text, err := os.ReadFile("model-format.md")
	require.NoError(t, err)
	var examples []string
	for i, part := range strings.Split(string(text), "```") {
		if json, ok := strings.CutPrefix(part, "json\n"); ok && i%2 == 1 {
			examples = append(examples, json)
		}
	}
	require.Len(t, examples, 3)
	for i, version := range []int{topology.LatestVersion, topology.FirstVersion} {
		c, err := topology.Decode(examples[i], version)
		require.NoError(t, err)
		require.NoError(t, c.Validate())
	}
	var p resnext.Preprocess
	require.NoError(t, strictjson.Unmarshal(examples[2], &p))
	require.Equal(t, resnext.ImageNetPreprocess(), p)
}
