package topology

import (
	"maps"
	"slices"
)

// Kind names what the branch of a block consists of.
type Kind string

const (
	// Bottleneck is the block of ResNet-50, of every ResNeXt and of RegNets: 1x1, grouped 3x3, 1x1 (He et al. 2016,
	// figure 5; Xie et al. 2017, figure 3c).
	Bottleneck Kind = ""
	// Basic is the block of ResNet-18 and of ResNets for CIFAR: two 3x3 (He et al. 2016, figure 5).
	Basic Kind = "basic"
)

// String is the kind's name in messages.
func (k Kind) String() string {
	switch k {
	case Bottleneck:
		return "bottleneck"
	case Basic:
		return "basic block"
	}
	return string(k)
}

// Role is a layer's part in its network, and the last word of its name.
type Role string

// The roles of layers outside of blocks, of a block's shortcut where it is a projection, and of a bottleneck's
// convolutions.
const (
	StemRole       Role = "stem"
	PoolRole       Role = "pool"
	BlurRole       Role = "blur"
	ClassifierRole Role = "classifier"
	Shortcut       Role = "shortcut"
	Reduce         Role = "reduce"
	Transform      Role = "transform"
	Expand         Role = "expand"
)

// The roles of a basic block's convolutions.
const (
	First  Role = "first"
	Second Role = "second"
)

// The roles of what else is in a block: the pooling of an averaged shortcut and of an anti-aliased branch, a gate, and
// the layers in it.
const (
	ShortcutPoolRole Role = "average"
	AntiAliasRole    Role = "antialias"
	GateRole         Role = "gate"
	Squeeze          Role = "squeeze"
	Excite           Role = "excite"
	Neighbours       Role = "neighbours"
)

// InBlock reports whether layers of a role are part of a block.
func InBlock(r Role) bool {
	return r != StemRole && r != PoolRole && r != BlurRole && r != ClassifierRole
}

// kind is a block in data: the convolutions of its branch in the order in which they run. All are rectified; the last
// one's epilogue adds the shortcut before. stride is the role of the convolution that has the block's stride.
type kind struct {
	stride Role
	branch []Link
}

// Link is one convolution of a branch. The last one gives the stage's Out channels, those before it Inner.
type Link struct {
	Role   Role
	Kernel int
	// Grouped reports whether it has the stage's cardinality; all others have one group.
	Grouped bool
}

// kinds is the only place that knows what a block is. A new kind is a row here, its key names in the schemes of
// checkpoints, and its tests.
var kinds = map[Kind]kind{
	Bottleneck: {Transform, []Link{{Reduce, 1, false}, {Transform, 3, true}, {Expand, 1, false}}},
	Basic:      {First, []Link{{First, 3, false}, {Second, 3, false}}},
}

// Kinds lists the kinds of blocks by the length of their branches, the longest first.
func Kinds() []Kind {
	list := slices.Collect(maps.Keys(kinds))
	slices.SortFunc(list, func(a, b Kind) int { return len(kinds[b].branch) - len(kinds[a].branch) })
	return list
}

// Branch lists the convolutions of a kind's branch in the order in which they run. The caller must not change it.
func (k Kind) Branch() []Link { return kinds[k].branch }

// Stride is the role of the convolution that has a block's stride where nothing else is said.
func (k Kind) Stride() Role { return kinds[k].stride }

// Last is the role of the branch's last convolution.
func (k Kind) Last() Role {
	branch := k.Branch()
	return branch[len(branch)-1].Role
}

// grouped reports whether any convolution of the branch has groups.
func (k Kind) grouped() bool {
	return slices.ContainsFunc(k.Branch(), func(l Link) bool { return l.Grouped })
}

// has reports whether a convolution of that role is part of the branch.
func (k Kind) has(r Role) bool {
	return slices.ContainsFunc(k.Branch(), func(l Link) bool { return l.Role == r })
}
