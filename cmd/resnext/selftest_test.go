package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/cli"
)

func TestSelftest(t *testing.T) {
	code, stdout, stderr := invoke("selftest", "--json")
	require.Equal(t, cli.Done, code, stdout)
	require.Empty(t, stderr)
	var r selftestResult
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.True(t, r.Passed)
	var available []string
	for _, s := range r.Sets {
		require.Equal(t, s.Available, s.Passed)
		if s.Available {
			available = append(available, s.Kernels)
		}
	}
	require.Equal(t, asm.Available(), available)
}

// TestKernelSets: every set of the architecture is named, those that this CPU lacks too.
func TestKernelSets(t *testing.T) {
	var names []string
	for _, s := range selftest().Sets {
		names = append(names, s.Kernels)
		require.Equal(t, slices.Contains(asm.Available(), s.Kernels), s.Available, s.Kernels)
	}
	require.ElementsMatch(t, asm.All(), names)
	require.Subset(t, asm.All(), asm.Available())
}

func TestSelftestPrint(t *testing.T) {
	var b strings.Builder
	selftestResult{Version: "1", Platform: "os/cpu", CPU: "A", Sets: []selftestSet{
		{Kernels: "new"}, {Kernels: "wrong", Available: true, Error: "igemm gives a wrong answer"}, {Kernels: "generic", Available: true, Passed: true},
	}}.print(&b)
	require.Equal(t, `resnext 1 on A (os/cpu)
new      not available on this CPU
wrong    FAILED: igemm gives a wrong answer
generic  ok
`, b.String())
}
