package main

import (
	"encoding/json"
	"math"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/resnext"
)

// TestEmbed compares every bit with the library's, on a line and as JSON, with a classifier behind the features and
// without.
func TestEmbed(t *testing.T) {
	whole, bare, dir := testModel(t), headlessModel(t), imageFolder(t)
	code, plain, stderr := invoke("embed", whole, dir)
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	_, same, _ := invoke("embed", "--threads", "1", "--kernels", "generic", bare, dir)
	require.Equal(t, plain, same)
	code, asJSON, stderr := invoke("embed", "--json", bare, dir)
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)

	set, err := images.Open(dir)
	require.NoError(t, err)
	rows, objects := lines(plain), lines(asJSON)
	require.Len(t, rows, 3)
	require.Len(t, objects, 3)
	for i := range rows {
		want := embeddingOf(t, whole, set, i)
		cells := strings.Split(rows[i], "\t")
		require.Len(t, cells, 2)
		require.Equal(t, dir+"/"+set.Item(i).Name, cells[0])
		require.Equal(t, want, floats(t, cells[1]))
		var got embedding
		d := json.NewDecoder(strings.NewReader(objects[i]))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&got))
		require.Equal(t, cells[0], got.Image)
		require.Equal(t, want, got.Embedding)
		require.Positive(t, got.Milliseconds)
	}
	require.NotEqual(t, floats(t, strings.Split(rows[0], "\t")[1]), floats(t, strings.Split(rows[1], "\t")[1]))
}

// embeddingOf is what the library gives for image i.
func embeddingOf(t *testing.T, model string, set *images.Set, i int) []float32 {
	t.Helper()
	m, err := resnext.Open(model)
	require.NoError(t, err)
	s, err := m.NewSession(resnext.SessionOptions{})
	require.NoError(t, err)
	defer s.Close()
	p, err := resnext.NewPreparer(m.Config(), m.Preprocess())
	require.NoError(t, err)
	img, err := set.Load(i)
	require.NoError(t, err)
	rgb, err := p.Prepare(img)
	require.NoError(t, err)
	features, err := s.Embed(rgb)
	require.NoError(t, err)
	return features
}

func floats(t *testing.T, text string) (all []float32) {
	t.Helper()
	for _, word := range strings.Split(text, " ") {
		v, err := strconv.ParseFloat(word, 32)
		require.NoError(t, err)
		all = append(all, float32(v))
	}
	return all
}

// TestEmbedNormalised: vectors have the length 1, and the program in the help gives the cosine similarity of two.
func TestEmbedNormalised(t *testing.T) {
	model, dir := testModel(t), imageFolder(t)
	one, two := filepath.Join(dir, "a.png"), filepath.Join(dir, "b b.png")
	_, plain, _ := invoke("embed", model, one, two)
	code, normal, stderr := invoke("embed", "--normalise", model, one, two)
	require.Equal(t, cli.Done, code, stderr)
	var vectors [][]float32
	numbers := ""
	for i, row := range lines(normal) {
		_, text, _ := strings.Cut(row, "\t")
		numbers += text + "\n"
		v := floats(t, text)
		require.InDelta(t, 1, dot(v, v), 1e-6)
		_, text, _ = strings.Cut(lines(plain)[i], "\t")
		raw := floats(t, text)
		require.InDelta(t, dot(raw, v), math.Sqrt(dot(raw, raw)), 1e-5*dot(raw, v))
		vectors = append(vectors, v)
	}

	_, help, _ := invoke("embed", "--help")
	program := regexp.MustCompile(`awk '(.*)'`).FindStringSubmatch(help)
	require.NotNil(t, program)
	awk := exec.Command("awk", program[1])
	awk.Stdin = strings.NewReader(numbers)
	out, err := awk.Output()
	require.NoError(t, err)
	got, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	require.NoError(t, err)
	require.InDelta(t, dot(vectors[0], vectors[1]), got, 1e-4)
	require.Less(t, got, 0.9999)
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// TestEmbedGoesOn: an image that cannot be read is named, the others are done in their order, and the tool fails.
func TestEmbedGoesOn(t *testing.T) {
	good := write(t, "good.png", pngImage(t, 28, 28, 1))
	bad := write(t, "x.png", []byte("no image, just text"))
	missing := filepath.Join(t.TempDir(), "x.png")
	code, stdout, stderr := invoke("embed", headlessModel(t), good, bad, missing, good)
	require.Equal(t, cli.Failed, code)
	require.Len(t, lines(stdout), 2)
	require.Contains(t, stderr, "resnext: "+bad+": not an image")
	require.Contains(t, stderr, "resnext: "+missing+": no such file")
	require.Len(t, lines(stderr), 2)
}

// TestHeadless: every command copes with a model without classes or says what to do instead.
func TestHeadless(t *testing.T) {
	model := headlessModel(t)
	image := write(t, "good.png", pngImage(t, 28, 28, 1))
	code, stdout, stderr := invoke("classify", model, image)
	require.Equal(t, cli.Done, code)
	require.Equal(t, "resnext: note: "+model+" has no classifier, it turns images into vectors: doing what resnext embed does\n", stderr)
	_, vectors, _ := invoke("embed", model, image)
	require.Equal(t, vectors, stdout)

	code, stdout, stderr = invoke("inspect", "--layers", model)
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stdout, "a vector of 32 numbers, and no classes")
	require.NotContains(t, stdout, "classifier")
	require.NotContains(t, stdout, "labels")
	_, stdout, _ = invoke("inspect", testModel(t))
	require.Contains(t, stdout, "the most probable of 6 classes; a vector of 32 numbers")

	code, stdout, stderr = invoke("bench", "--runs", "2", "--profile", model)
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stdout, resnext.AverageName)
	require.NotContains(t, stdout, resnext.ClassifierName)
}
