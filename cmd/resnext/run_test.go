package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
)

const fashion = "../../testdata/fashion/"

// invoke runs the tool without standard input.
func invoke(args ...string) (code int, stdout, stderr string) {
	return invokeWith(nil, args...)
}

func invokeWith(stdin []byte, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(args, bytes.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// hostileLabel turns the direction of text and has a hyphen that cannot be seen; worse ones no model file may hold.
const hostileLabel = "a\u200e\u00adb"

// testModel writes a small network of random numbers for images of 28x28 pixels and gives its path.
func testModel(t *testing.T) string {
	t.Helper()
	q := testnet.Random(testnet.Quick(28), 1)
	q.Labels = []string{"cat", "dog", hostileLabel, "猫", "", "f"}
	q.Calibration = map[string]string{"observer": "mse", "images": "64"}
	path := filepath.Join(t.TempDir(), "m.int8.safetensors")
	_, err := q.WriteFile(path)
	require.NoError(t, err)
	return path
}

// headlessModel is testModel without its classifier.
func headlessModel(t *testing.T) string {
	t.Helper()
	cfg := testnet.Quick(28)
	cfg.Head, cfg.Classes = resnext.Embedding, 0
	path := filepath.Join(t.TempDir(), "e.int8.safetensors")
	_, err := testnet.Random(cfg, 1).WriteFile(path)
	require.NoError(t, err)
	return path
}

// labelsModel is testModel with labels any of which may be right.
func labelsModel(t *testing.T) string {
	t.Helper()
	cfg := testnet.Quick(28)
	cfg.Head = resnext.MultiLabel
	q := testnet.Random(cfg, 1)
	for i := range q.Classifier.Multiplier {
		q.Classifier.Multiplier[i] /= 30 // so that no label is certain
	}
	path := filepath.Join(t.TempDir(), "l.int8.safetensors")
	_, err := q.WriteFile(path)
	require.NoError(t, err)
	return path
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

func TestHelp(t *testing.T) {
	for _, args := range []string{
		"--help", "help", "classify --help", "help classify", "embed --help", "inspect -h", "bench --help", "selftest --help", "version --help", "completion --help",
	} {
		t.Run(args, func(t *testing.T) {
			code, stdout, stderr := invoke(strings.Fields(args)...)
			require.Equal(t, cli.Done, code)
			require.Empty(t, stderr)
			require.Contains(t, stdout, "Usage:\n  resnext ")
			for line := range strings.Lines(stdout) {
				require.LessOrEqual(t, utf8.RuneCountInString(line), 81, line)
			}
		})
	}
	_, stdout, _ := invoke("--help")
	for _, taught := range []string{"calib", "RESNEXT_KERNELS", "RESNEXT_MEMORY_LIMIT", "classify", "embed", "inspect", "bench", "selftest", "2 bad usage"} {
		require.Contains(t, stdout, taught)
	}
}

func TestBadUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "no command given"},
		{"clasify m", "did you mean classify?"},
		{"classify", "missing"},
		{"classify m", "a model or an image is missing"},
		{"classify --top 0 m p", "--top is 0"},
		{"classify --top many m p", `"many"`},
		{"classify --threshold 1.5 m p", "--threshold is 1.5"},
		{"classify --threshold NaN m p", "--threshold is NaN"},
		{"classify --threads -1 m p", "--threads is -1"},
		{"classify m - -", "standard input"},
		{"classify --colour m p", "unknown flag: --colour"},
		{"embed m", "a model or an image is missing"},
		{"embed --threads -1 m p", "--threads is -1"},
		{"embed m - -", "standard input"},
		{"inspect", "a model is missing"},
		{"inspect m n", `unexpected argument "n"`},
		{"bench", "a model is missing"},
		{"bench m --threads 1,x", "--threads"},
		{"bench m --threads=", "--threads"},
		{"bench m --threads 1,-2", "--threads is -2"},
		{"bench m --runs 0", "--runs is 0"},
		{"bench m --batch -1", "--batch is -1"},
		{"bench m --batch 1025", "--batch is 1025"},
		{"bench m --batch 8 --profile", "--batch runs several images at once"},
		{"bench m --runs -5", "--runs is -5"},
		{"bench m --runs 99999999", "--runs is 99999999"},
		{"bench m --warmup -1", "--warmup is -1"},
		{"selftest m", "unexpected argument"},
		{"version m", "unexpected argument"},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, stdout, stderr := invoke(strings.Fields(c.args)...)
			require.Equal(t, cli.Misuse, code, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, c.want)
			if c.args != "" {
				require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
			}
		})
	}
}

// TestBadModels: each bad model file gives every command one line that begins with its name.
func TestBadModels(t *testing.T) {
	good := read(t, testModel(t))
	flipped := slices.Clone(good)
	flipped[len(flipped)-100] ^= 4
	metadata := bytes.Replace(good, []byte(`\"classes\":6`), []byte(`\"classes\":7`), 1)
	require.NotEqual(t, good, metadata)
	for name, c := range map[string]struct{ path, want string }{
		"truncated":         {write(t, "m", good[:len(good)-1]), "cut short"},
		"truncated early":   {write(t, "m", good[:20]), "cut short"},
		"bit flipped":       {write(t, "m", flipped), "damaged"},
		"metadata changed":  {write(t, "m", metadata), "damaged"},
		"empty":             {write(t, "m", nil), "too short"},
		"text":              {write(t, "m", []byte("hello, this is no model at all")), "not a safetensors file"},
		"float safetensors": {fashion + "resnext20_8x4d.safetensors", "Convert it with calib first"},
		"float pth":         {fashion + "resnext20_8x4d.pth", "a model that calib made"},
		"missing":           {filepath.Join(t.TempDir(), "m"), "no such file or directory"},
		"a folder":          {t.TempDir(), "it is a folder"},
	} {
		for _, args := range [][]string{{"classify", c.path, "x.jpg"}, {"embed", c.path, "x.jpg"}, {"inspect", c.path}, {"bench", c.path}} {
			t.Run(name+" "+args[0], func(t *testing.T) {
				code, stdout, stderr := invoke(args...)
				require.Equal(t, cli.Failed, code)
				require.Empty(t, stdout)
				require.True(t, strings.HasPrefix(stderr, "resnext: "+c.path+": "), stderr)
				require.Contains(t, stderr, c.want)
				require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
			})
		}
	}
}

func TestUnknownKernels(t *testing.T) {
	model := testModel(t)
	for _, args := range []string{"classify %s x.png --kernels abacus", "embed %s x.png --kernels abacus", "inspect %s --kernels abacus", "bench %s --kernels abacus"} {
		code, stdout, stderr := invoke(strings.Fields(fmt.Sprintf(args, model))...)
		require.Equal(t, cli.Failed, code)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "abacus: this CPU runs ")
	}
}

// TestDeviceOnly: the tool for devices is built without the packages for calibration.
func TestDeviceOnly(t *testing.T) {
	deps, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	const module = "github.com/libresnext/libresnext/"
	require.Contains(t, string(deps), module+"resnext\n")
	require.NotContains(t, string(deps), module+"quant")
}

func TestVersion(t *testing.T) {
	code, stdout, stderr := invoke("version")
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	require.Contains(t, stdout, "resnext "+resnext.Version+" ")
}
