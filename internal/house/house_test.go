// Package house holds no code, only the test of which package may import which: ARCHITECTURE.md draws the floors.
package house

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/libresnext/libresnext/"

// workshop are the packages that turn float checkpoints into models. The device has none of it.
var workshop = []string{"quant"}

// rules say what each package, and all below a folder that ends in /..., must not depend on, directly or not.
var rules = []struct {
	who  string
	not  []string
	also string // nothing of ours but these, separated by blanks, where not is empty
}{
	{who: "asm/..."},
	{who: "int8", also: "asm"},
	{who: "resnext/topology", also: "internal/strictjson"},
	{who: "resnext/...", not: workshop},
	{who: "bindings/c/...", not: workshop},
	{who: "examples/raspi/...", not: workshop},
	{who: "cmd/resnext", not: workshop},
	{who: "quant/observe", not: []string{"quant/float", "quant/round", "quant/pass"}},
	{who: "quant/round", not: []string{"quant/pass", "quant/weights"}},
	{who: "quant/pass", not: []string{"quant/weights"}},
	{who: "quant/evidence", not: []string{"quant/checkpoint", "quant/torch7", "quant/onnx", "quant/hub", "quant/match", "quant/weights", "quant/round", "quant/pass"}},
	{who: "quant/float", not: []string{"quant/evidence", "quant/checkpoint", "quant/torch7", "quant/onnx", "quant/hub", "quant/match"}},
	{who: "internal/images/...", not: append([]string{"resnext", "int8", "asm"}, workshop...)},
	{who: "internal/safetensors", not: append([]string{"resnext", "int8", "asm"}, workshop...)},
}

// TestImports: floors are walked downwards only.
func TestImports(t *testing.T) {
	modules, err := exec.Command("../../scripts/modules.sh").Output()
	require.NoError(t, err)
	var packages []byte
	for _, m := range strings.Fields(string(modules)) {
		cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./...")
		cmd.Dir = filepath.Join("../..", m)
		cmd.Env = append(cmd.Environ(), "CGO_ENABLED=1")
		out, err := cmd.Output()
		require.NoError(t, err)
		packages = append(packages, out...)
	}
	checked := map[string]bool{}
	for line := range strings.Lines(string(packages)) {
		words := strings.Fields(line)
		name, ok := strings.CutPrefix(words[0], module)
		require.True(t, ok, line)
		for _, r := range rules {
			if !within(name, r.who) {
				continue
			}
			checked[r.who] = true
			for _, dep := range words[1:] {
				dep, ours := strings.CutPrefix(dep, module)
				if !ours || within(dep, r.who) {
					continue
				}
				if len(r.not) == 0 {
					require.Contains(t, strings.Fields(r.also), dep, "%s must not need %s", name, dep)
				}
				for _, n := range r.not {
					require.False(t, within(dep, n+"/..."), "%s must not need %s", name, dep)
				}
			}
		}
	}
	require.Len(t, checked, len(rules), "a rule is about no package")
}

// TestDependencies: a program that imports the library takes on CPU detection and nothing else.
func TestDependencies(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", `{{with .Module}}{{.Path}}{{end}}`, "./resnext/...", "./bindings/c")
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=1")
	out, err := cmd.Output()
	require.NoError(t, err)
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	require.Equal(t, []string{"github.com/klauspost/cpuid/v2", strings.TrimSuffix(module, "/"), "golang.org/x/sys"}, slices.Compact(modules))
}

// within reports whether a package is the one that is named, or below a folder whose name ends in "/...".
func within(name, pattern string) bool {
	folder, below := strings.CutSuffix(pattern, "/...")
	return name == folder || below && strings.HasPrefix(name, folder+"/")
}
