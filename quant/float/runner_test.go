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

// TestReadings: each reading is another network of the same weights, and leaves the first as it was.
func TestReadings(t *testing.T) {
	n := smallNet(t)
	rgb, p := testnet.Noise(n.Config, 1), resnext.ImageNetPreprocess()
	before := slices.Clone(n.NewRunner().Forward(rgb, p))
	read := func(r *Net, err error) *Net {
		t.Helper()
		require.NoError(t, err)
		require.NotEqual(t, before, r.NewRunner().Forward(rgb, p))
		require.Equal(t, before, n.NewRunner().Forward(rgb, p))
		return r
	}
	v1 := read(n.WithStrideOn(topology.Reduce))
	require.Equal(t, 2, v1.Convs["stage2.block0.reduce"].Shape.Stride)
	require.Equal(t, 1, v1.Convs["stage2.block0.transform"].Shape.Stride)
	require.Equal(t, 1, n.Convs["stage2.block0.reduce"].Shape.Stride)
	require.Empty(t, v1.Config.Name)
	_, err := n.WithStrideOn("elsewhere")
	require.ErrorIs(t, err, resnext.ErrConfig)
	again, err := v1.WithStrideOn(topology.Transform)
	require.NoError(t, err)
	require.Equal(t, "resnext20_8x4d_w2", again.Config.Name)
	require.Equal(t, before, again.NewRunner().Forward(rgb, p))

	blurred := read(n.WithAntiAlias(topology.Blur3x3))
	require.Equal(t, topology.Blur3x3, blurred.Config.Stages[1].AntiAlias)
	again, err = blurred.WithAntiAlias(topology.NoPool)
	require.NoError(t, err)
	require.Equal(t, before, again.NewRunner().Forward(rgb, p))

	halved := read(n.WithStem(2, topology.Max3x3))
	require.Equal(t, resnext.Max3x3, halved.Config.Stem.Pool)
	require.NoError(t, n.CheckStem(3))
	require.ErrorContains(t, n.CheckStem(7), "not one convolution of 7x7")

	turned := read(n.WithChannelsTurned(), nil)
	for i := 0; i < len(rgb); i += 3 {
		rgb[i], rgb[i+2] = rgb[i+2], rgb[i]
	}
	p.Mean[0], p.Mean[2], p.Std[0], p.Std[2] = p.Mean[2], p.Mean[0], p.Std[2], p.Std[0]
	for i, v := range turned.NewRunner().Forward(rgb, p) {
		require.InDelta(t, before[i], v, 1e-4)
	}
}

// TestAntiAliasIsTimms: the reading with pooled strides is the architecture of that name.
func TestAntiAliasIsTimms(t *testing.T) {
	for pool, name := range map[topology.Pool]string{topology.Average2x2: "resnetaa14", topology.Blur3x3: "resnetblur14"} {
		n, err := Random(named(t, "resnet14", 1), 1).WithAntiAlias(pool)
		require.NoError(t, err)
		require.True(t, resnext.SameShape(named(t, name, 1), n.Config))
	}
}

// TestPaddingOfShortcuts: the zeros of shortcuts without weights are around their channels or all behind.
func TestPaddingOfShortcuts(t *testing.T) {
	n := Random(named(t, "resnet20", 1), 1)
	for around, at := range map[bool]int{true: 8, false: 0} {
		r, err := n.WithPadding(around)
		require.NoError(t, err)
		require.Equal(t, float32(1), r.Convs["stage2.block0.shortcut"].Weight[at*16])
	}
}

// TestSums: what convolutions give before their epilogue, and the same answer.
func TestSums(t *testing.T) {
	n := smallNet(t)
	rgb, p := testnet.Noise(n.Config, 1), resnext.ImageNetPreprocess()
	outputs := map[string][]float32{}
	r := n.NewRunner()
	r.Observe = func(name string, _, _, _ int, data []float32) { outputs[name] = slices.Clone(data) }
	want := slices.Clone(r.Forward(rgb, p))
	sums := map[string][]float32{}
	s := n.NewRunner()
	s.Sums = func(name string, c int, data []float32) {
		require.Equal(t, n.Convs[name].Shape.Out, c)
		sums[name] = slices.Clone(data)
	}
	for i, v := range s.Forward(rgb, p) {
		require.InDelta(t, want[i], v, 1e-4)
	}
	require.Len(t, sums, len(n.Convs))
	negative := false
	for i, v := range outputs["stage1.block0.expand"] {
		negative = negative || sums["stage1.block0.expand"][i] < 0
		require.InDelta(t, v, max(0, sums["stage1.block0.expand"][i]+sums["stage1.block0.shortcut"][i]), 1e-4)
	}
	require.True(t, negative)
}
