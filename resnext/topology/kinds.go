package topology

// Kind names what the branch of a block consists of.
type Kind string

// Bottleneck is the block of ResNet-50 and of every ResNeXt: 1x1, grouped 3x3, 1x1 (He et al. 2016, figure 5; Xie et al.
// 2017, figure 3c).
const Bottleneck Kind = ""

// Role is a layer's part in its network, and the last word of its name.
type Role string

// The roles of layers outside of blocks, of a block's shortcut where it is a projection, and of a bottleneck's
// convolutions.
const (
	StemRole       Role = "stem"
	PoolRole       Role = "pool"
	ClassifierRole Role = "classifier"
	Shortcut       Role = "shortcut"
	Reduce         Role = "reduce"
	Transform      Role = "transform"
	Expand         Role = "expand"
)

// InBlock reports whether layers of a role are part of a block.
func InBlock(r Role) bool { return r != StemRole && r != PoolRole && r != ClassifierRole }

// kind is a block in data: the convolutions of its branch in the order in which they run. All are rectified; the last
// one's epilogue adds the shortcut before. stride is the role of the convolution that has the block's stride.
type kind struct {
	stride Role
	branch []link
}

// link is one convolution of a branch.
type link struct {
	role          Role
	kernel        int
	width, groups func(Config, Stage) int
}

// kinds is the only place that knows what a block is. A new kind is a row here, its key names in the schemes of
// checkpoints, and its tests.
var kinds = map[Kind]kind{
	Bottleneck: {Transform, []link{{Reduce, 1, inner, one}, {Transform, 3, inner, cardinality}, {Expand, 1, out, one}}},
}

func inner(_ Config, s Stage) int       { return s.Inner }
func out(_ Config, s Stage) int         { return s.Out }
func cardinality(c Config, _ Stage) int { return c.Cardinality }
func one(Config, Stage) int             { return 1 }

// kind is the kind of a stage's blocks.
func (s Stage) kind() Kind { return Bottleneck }
