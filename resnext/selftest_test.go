package resnext

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
)

func TestSelfTest(t *testing.T) {
	var names []string
	require.NoError(t, SelfTest(func(kernels string, err error) {
		require.NoError(t, err)
		names = append(names, kernels)
	}))
	require.Equal(t, asm.Available(), names)
	require.NoError(t, SelfTest(nil))
}

func TestSelfTestNamesTheSet(t *testing.T) {
	_, err := selfTestLogits("abacus", 1)
	require.ErrorIs(t, err, asm.ErrKernels)
	require.ErrorContains(t, err, "abacus")
}

// TestSelfTestNetworksAreAlive: a network whose layers are all zeros or all clipped would hide faults.
func TestSelfTestNetworksAreAlive(t *testing.T) {
	eachSelfTestModel(t, "generic", func(m *Model, r rng) {
		s, err := m.NewSession(SessionOptions{Threads: 1})
		require.NoError(t, err)
		defer s.Close()
		s.Observe = func(name string, _, _, _ int, values []float32) {
			if name == "logits" {
				return
			}
			inner := 0
			for _, v := range values {
				if v != 0 && v > -127 && v < 255 {
					inner++
				}
			}
			require.Greater(t, inner, len(values)/10, name)
			require.NotEqual(t, len(values), inner, "%s: nothing is clipped", name)
		}
		_, err = s.Infer(r.image(m.Config()))
		require.NoError(t, err)
	})
}

// TestSelfTestMeetsAllDepths: the networks use every acc16 depth that a kernel set has.
func TestSelfTestMeetsAllDepths(t *testing.T) {
	for _, name := range asm.Available() {
		k, _, err := asm.Select(name)
		require.NoError(t, err)
		met := map[int]bool{}
		eachSelfTestModel(t, name, func(m *Model, _ rng) {
			for _, l := range m.Layers() {
				for depth := range l.MACsByDepth {
					met[depth] = true
				}
			}
		})
		for _, depth := range slices.Concat([]int{0}, k.Depths, k.Group4.Depths, k.Group8.Depths) {
			require.Contains(t, met, depth*asm.ProductsPerStep, name)
		}
	}
}

// eachSelfTestModel calls f with every network of the self-test.
func eachSelfTestModel(t *testing.T, kernels string, f func(*Model, rng)) {
	t.Helper()
	for i, cfg := range selfTestConfigs() {
		r := selfTestRNG(i)
		m, err := New(r.network(cfg), Options{Kernels: kernels})
		require.NoError(t, err)
		f(m, r)
	}
}
