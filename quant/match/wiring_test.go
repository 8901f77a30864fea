package match

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// conv is a convolution of c to c channels.
func conv(title string, kernel, stride, groups, in, out int, x *Node) *Node {
	return &Node{Op: Conv, Title: title, In: []*Node{x}, Kernel: kernel, Stride: stride, Pad: kernel / 2, Groups: groups,
		Weight: &Tensor{[]int{out, in / groups, kernel, kernel}, make([]float32, out*in/groups*kernel*kernel)}}
}

func then(op Op, title string, x ...*Node) *Node { return &Node{Op: op, Title: title, In: x} }

// tiny is a network of one bottleneck, and its parts by name.
func tiny() (output *Node, parts map[string]*Node) {
	p := map[string]*Node{"image": {Op: Input, Title: "image"}}
	p["stem"] = conv("stem", 3, 1, 1, 3, 4, p["image"])
	x := then(ReLU, "stem.relu", p["stem"])
	p["reduce"] = conv("reduce", 1, 1, 1, 4, 4, x)
	p["transform"] = conv("transform", 3, 1, 2, 4, 4, then(ReLU, "reduce.relu", p["reduce"]))
	p["expand"] = conv("expand", 1, 1, 1, 4, 8, then(ReLU, "transform.relu", p["transform"]))
	p["shortcut"] = conv("shortcut", 1, 1, 1, 4, 8, x)
	p["sum"] = then(Add, "sum", p["expand"], p["shortcut"])
	p["relu"] = then(ReLU, "relu", p["sum"])
	p["average"] = then(Average, "average", p["relu"])
	p["fc"] = then(Linear, "fc", p["average"])
	p["fc"].Weight = &Tensor{[]int{2, 8}, make([]float32, 16)}
	return p["fc"], p
}

func TestMatch(t *testing.T) {
	output, _ := tiny()
	n, err := Match(output, 0, 0)
	require.NoError(t, err)
	require.Equal(t, []int{32, 32, 2, 2}, []int{n.Config.Height, n.Config.Width, n.Config.Classes, n.Config.Stages[0].Cardinality})
	require.Equal(t, "shortcut", n.Layers["stage1.block0.shortcut"].Title)
	require.Len(t, n.Layers, 6)
}

func TestMatchRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p map[string]*Node)
		want   string
	}{
		"two images": {func(p map[string]*Node) {
			p["reduce"].In[0] = then(Add, "mix", p["reduce"].In[0], &Node{Op: Input, Title: "mask"})
		}, "depend on two inputs"},
		"no image":            {func(p map[string]*Node) { *p["image"] = Node{Op: "Constant", Title: "noise"} }, "do not depend on any input"},
		"no shortcut":         {func(p map[string]*Node) { p["relu"].In[0] = p["expand"] }, "expected a block (two nodes"},
		"shortcut of a group": {func(p map[string]*Node) { p["shortcut"].Groups = 2 }, "shortcut: is 1x1 with 2 groups"},
		"3x3 of another size": {func(p map[string]*Node) { p["transform"].Kernel, p["transform"].Pad = 5, 2 }, "transform: is 5x5; expected the 3x3"},
		"too little padding":  {func(p map[string]*Node) { p["transform"].Pad = 0 }, "transform has a padding of 0; expected 1 for a kernel of 3x3"},
		"strides apart":       {func(p map[string]*Node) { p["transform"].Stride = 2 }, "shortcut: has stride 1, its block's branch has 2"},
		"two strides":         {func(p map[string]*Node) { p["expand"].Stride, p["transform"].Stride = 2, 2 }, "expand: has stride 2, and so has transform before it"},
		"grouped 1x1":         {func(p map[string]*Node) { p["expand"].Groups = 2 }, "expand: has 2 groups"},
		"no ReLU":             {func(p map[string]*Node) { p["transform"].In[0] = p["reduce"] }, "reduce: is not followed by a ReLU"},
		"early ReLU":          {func(p map[string]*Node) { p["sum"].In[0] = then(ReLU, "early", p["expand"]) }, "early: comes before the addition"},
		"ReLU in a shortcut":  {func(p map[string]*Node) { p["sum"].In[1] = then(ReLU, "side", p["shortcut"]) }, "side: is in a shortcut"},
		"no ReLU at the end":  {func(p map[string]*Node) { p["average"].In[0] = p["sum"] }, "after sum: expected a ReLU, found average"},
		"no block":            {func(p map[string]*Node) { p["average"].In[0] = p["reduce"].In[0] }, "no block between stem and average"},
		"twice the same":      {func(p map[string]*Node) { p["sum"].In = []*Node{p["expand"], p["expand"]} }, "expected"},
		"padded average":      {func(p map[string]*Node) { p["average"].Kernel, p["average"].Pad = 32, 1 }, "average: has a padding of 1"},
		"a problem":           {func(p map[string]*Node) { p["relu"].Problem = "leaks" }, "relu leaks"},
		"norm of other width": {func(p map[string]*Node) {
			norm := then(Norm, "norm", p["stem"])
			norm.Stats = &Stats{Gain: make([]float32, 3)}
			p["reduce"].In[0].In[0] = norm
		}, "norm normalises 3 channels, stem before it gives 4"},
		"classifier of other width": {func(p map[string]*Node) { p["fc"].Weight.Shape = []int{4, 4} }, "fc: its weights are [4 4], what comes before it needs [4 8]"},
		"no projection":             {func(p map[string]*Node) { p["sum"].In[1] = p["reduce"].In[0] }, "has no projection as its shortcut"},
	} {
		t.Run(name, func(t *testing.T) {
			output, parts := tiny()
			c.change(parts)
			_, err := Match(output, 0, 0)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestSharedWeights: of several that share, the same two are named every time.
func TestSharedWeights(t *testing.T) {
	for range 20 {
		output, p := tiny()
		p["expand"].Weight, p["shortcut"].Weight = p["reduce"].Weight, p["reduce"].Weight
		p["expand"].Weight.Shape = []int{4, 4, 1, 1}
		m := &matcher{consumers: map[*Node][]*Node{}, output: output}
		m.blocks = []block{{branch: []unit{{conv: p["reduce"]}, {conv: p["transform"]}, {conv: p["expand"]}}, shortcut: shortcut{conv: unit{conv: p["shortcut"]}}}}
		require.EqualError(t, m.checkShared(), "expand and reduce share their weights; expected weights of its own for each layer")
	}
}

// TestPaddedWeightsAreBounded: nothing in a file stands for the weights that a padded shortcut gets.
func TestPaddedWeightsAreBounded(t *testing.T) {
	made := 0
	s := shortcut{kind: "padded", pad: &Node{Title: "zeros", After: AsMany}}
	require.NoError(t, s.project(1<<10, 1<<11, &made))
	require.Equal(t, []int{1 << 11, 1 << 10, 1, 1}, s.conv.conv.Weight.Shape)
	require.ErrorContains(t, s.project(1<<10, 1<<10, &made), "zeros: makes 0, 1024 and 1024 channels of 1024; expected 1024 together")
	require.ErrorContains(t, s.project(1<<12, 1<<13, &made), "zeros: the shortcuts without weights have more than")
}
