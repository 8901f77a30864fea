package float

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

func smallNet(t testing.TB) *Net {
	t.Helper()
	cfg := named(t, "resnext20_8x4d_w2", 12)
	cfg.Width = 15
	return Random(cfg, 1)
}

func TestObserve(t *testing.T) {
	for _, stem := range []resnext.Stem{resnext.ImageNetStem(), resnext.CIFARStem()} {
		n := Random(testnet.Tiny(stem), 1)
		require.NoError(t, n.SetInputSize(37, 30))
		var names []string
		shapes := make(map[string]resnext.ConvShape)
		for _, s := range n.Config.Convs() {
			shapes[s.Name] = s
		}
		r := n.NewRunner()
		r.Observe = func(name string, h, w, c int, data []float32) {
			names = append(names, name)
			require.Len(t, data, h*w*c)
			if s, ok := shapes[name]; ok {
				require.Equal(t, [3]int{s.OutH, s.OutW, s.Out}, [3]int{h, w, c}, name)
				require.Equal(t, s.ReLU, slices.Min(data) >= 0, name)
			}
		}
		logits := r.Forward(testnet.Noise(n.Config, 1), resnext.ImageNetPreprocess())
		want := []string{InputName}
		for _, s := range n.Config.Convs() {
			want = append(want, s.Name)
			if s.Name == resnext.StemName && stem.Pool == resnext.Max3x3 {
				want = append(want, resnext.PoolName)
			}
		}
		require.Equal(t, append(want, LogitsName), names)

		seen := append([]float32(nil), logits...)
		r.Observe = nil
		require.Equal(t, seen, r.Forward(testnet.Noise(n.Config, 1), resnext.ImageNetPreprocess()), "observing changes nothing")
	}
}

func TestInputIsNormalised(t *testing.T) {
	n := smallNet(t)
	r := n.NewRunner()
	p := resnext.Preprocess{Mean: [3]float32{0.5, 0.25, 0}, Std: [3]float32{0.5, 0.25, 2}}
	rgb := make([]byte, n.Config.Height*n.Config.Width*3)
	copy(rgb, []byte{255, 255, 255, 0, 0, 0})
	var input []float32
	r.Observe = func(name string, _, _, _ int, data []float32) {
		if name == InputName {
			input = append([]float32(nil), data...)
		}
	}
	logits := append([]float32(nil), r.Forward(rgb, p)...)
	require.Equal(t, []float32{1, 3, 0.5, -1, -1, 0}, input[:6])
	require.Equal(t, logits, r.ForwardInput(input))
	require.Panics(t, func() { r.Forward(rgb[:10], p) })
	require.Panics(t, func() { r.ForwardInput(input[:10]) })
}

func TestForwardAllocatesNothing(t *testing.T) {
	n := smallNet(t)
	r, rgb := n.NewRunner(), testnet.Noise(n.Config, 1)
	p := resnext.ImageNetPreprocess()
	require.Zero(t, testing.AllocsPerRun(3, func() { r.Forward(rgb, p) }))
}

// Runners of one network share its weights and give the same bits, alone or together.
func TestRunnersAgree(t *testing.T) {
	n := smallNet(t)
	const images = 6
	p := resnext.ImageNetPreprocess()
	want := make([][]float32, images)
	alone := n.NewRunner()
	for i := range want {
		want[i] = append(want[i], alone.Forward(testnet.Noise(n.Config, uint64(i)), p)...)
	}
	var wg sync.WaitGroup
	got := make([][][]float32, 3)
	for g := range got {
		r := n.NewRunner()
		require.Same(t, &alone.layers[0].panels[0].weight[0], &r.layers[0].panels[0].weight[0])
		wg.Go(func() {
			for i := range images {
				got[g] = append(got[g], slices.Clone(r.Forward(testnet.Noise(n.Config, uint64(i)), p)))
			}
		})
	}
	wg.Wait()
	for _, g := range got {
		require.Equal(t, want, g)
	}
}

func TestChangedWeightsArePackedAgain(t *testing.T) {
	n := smallNet(t)
	rgb, p := testnet.Noise(n.Config, 1), resnext.ImageNetPreprocess()
	old := n.NewRunner()
	before := slices.Clone(old.Forward(rgb, p))
	copied := n.Clone()
	n.Convs["stage2.block1.transform"].Weight[5] += 1
	n.Classifier.Bias[3] += 1
	after := slices.Clone(n.NewRunner().Forward(rgb, p))
	require.NotEqual(t, before, after)
	require.InDelta(t, before[3]+1, after[3], 0.5)
	require.Equal(t, before, slices.Clone(old.Forward(rgb, p)), "a runner keeps the weights it was made with")
	require.Equal(t, before, copied.NewRunner().Forward(rgb, p), "a clone is not changed")
}

func TestSetInputSize(t *testing.T) {
	n := smallNet(t)
	old := n.NewRunner()
	before := slices.Clone(old.Forward(make([]byte, 12*15*3), resnext.ImageNetPreprocess()))
	require.NoError(t, n.SetInputSize(21, 9))
	for _, s := range n.Config.Convs() {
		require.Equal(t, s, n.Convs[s.Name].Shape)
	}
	require.Equal(t, 21, n.Convs[resnext.StemName].Shape.OutH)
	n.NewRunner().Forward(make([]byte, 21*9*3), resnext.ImageNetPreprocess())
	require.Equal(t, before, old.Forward(make([]byte, 12*15*3), resnext.ImageNetPreprocess()))

	for _, size := range [][2]int{{0, 9}, {9, -1}, {1 << 20, 9}} {
		require.ErrorIs(t, n.SetInputSize(size[0], size[1]), resnext.ErrConfig)
	}
	require.Equal(t, 21, n.Config.Height, "a refused size changes nothing")
	wide := named(t, "resnext11_4096x1d_w4", 1)
	require.ErrorIs(t, CheckSize(wide), nil)
	wide.Height, wide.Width = 300, 300 // what a device could still run
	require.ErrorContains(t, CheckSize(wide), "elements")
}

// TestStrideOn: the same weights with the stride elsewhere are another network of the same maps, and back again the first.
func TestStrideOn(t *testing.T) {
	n := smallNet(t)
	rgb, p := testnet.Noise(n.Config, 1), resnext.ImageNetPreprocess()
	before := slices.Clone(n.NewRunner().Forward(rgb, p))
	require.NoError(t, n.SetStrideOn(topology.Reduce))
	require.Equal(t, 2, n.Convs["stage2.block0.reduce"].Shape.Stride)
	require.Equal(t, 1, n.Convs["stage2.block0.transform"].Shape.Stride)
	require.Empty(t, n.Config.Name)
	require.NotEqual(t, before, n.NewRunner().Forward(rgb, p))
	require.ErrorIs(t, n.SetStrideOn("elsewhere"), resnext.ErrConfig)
	require.NoError(t, n.SetStrideOn(topology.Transform))
	require.Equal(t, "resnext20_8x4d_w2", n.Config.Name)
	require.Equal(t, before, n.NewRunner().Forward(rgb, p))
}

func TestSmallestInput(t *testing.T) {
	for _, stem := range []resnext.Stem{resnext.ImageNetStem(), resnext.CIFARStem()} {
		n := Random(testnet.Tiny(stem), 1)
		require.NoError(t, n.SetInputSize(1, 1))
		require.Len(t, n.NewRunner().Forward([]byte{1, 2, 3}, resnext.ImageNetPreprocess()), 5)
	}
}

func TestNewRunnerRefusesBrokenNets(t *testing.T) {
	n := smallNet(t)
	n.Convs["stage1.block0.expand"].Bias = nil
	require.Panics(t, func() { n.NewRunner() })
	delete(n.Convs, "stage1.block0.expand")
	require.Panics(t, func() { n.NewRunner() })
}
