package topology

import "fmt"

// Program is a network as straight-line code: steps on numbered maps, in the order in which they run. It is not a
// graph: only Lower makes one, from a Config, and no file brings one in.
type Program struct {
	Maps  []Map // the image is the first
	Steps []Step
}

// MapID is a map's index in Program.Maps.
type MapID int

// Image is the network's input; None is no map.
const (
	Image MapID = 0
	None  MapID = -1
)

// Map is an activation map. Border and Groups follow from the steps that read and write it; nobody sets them.
type Map struct {
	// Name is that of the step that writes the map, InputName of the image.
	Name           string
	H, W, Channels int
	// Border is how many pixels of 0 on every side the windows of its readers need.
	Border int
	// Groups says whose groups the channels are padded for in memory.
	Groups int
	// Signed reports whether values may be negative: before an add. All others are rectified.
	Signed bool
}

// Values is the number of values.
func (m Map) Values() int { return m.H * m.W * m.Channels }

// Op is what a step does.
type Op uint8

const (
	// Conv is a convolution with a ReLU, unless its output is Signed. Where Add is a map, it is added before the ReLU.
	Conv Op = iota
	// MaxPool is a 3x3 max pooling of padding 1.
	MaxPool
	// AveragePool is a 2x2 average pooling of stride 2, see Average2x2.
	AveragePool
	// Blur is a 3x3 binomial filter of stride 2, see Blur3x3.
	Blur
	// Gated scales each channel, see Gate. Where Add is a map, it is added after that, and a ReLU follows.
	Gated
	// Classify is the average over the map and the linear layer behind it. Its output is no map.
	Classify
	// Embed is that average alone.
	Embed
)

// Step is one operator.
type Step struct {
	Op Op
	// Name is the layer's name in the model file, such as "stage1.block0.expand".
	Name string
	// Block is the name of the block that the step is part of, such as "stage1.block0"; empty outside.
	Block string
	// Stage is the index of the block's stage, and Index the block's within it; -1 outside.
	Stage, Index int
	Role         Role
	// In is read and Out written; Out is None for Classify and Embed. Add is what is added before the ReLU, or None.
	In, Out, Add MapID
	// Conv is the convolution where Op is Conv. For Classify it is the linear layer as a 1x1 convolution of a single
	// pixel.
	Conv ConvShape
	// Stride is that of a pooling, 1 or 2.
	Stride int
	// Gate are the layers of a gate, as Conv is for Classify: Squeeze and Excite, or Neighbours, which is one filter
	// over as many channels as it looks at.
	Gate     []ConvShape
	GateKind GateKind
}

// Layers lists the layers of a step that have numbers.
func (s *Step) Layers() []ConvShape {
	switch s.Op {
	case Conv, Classify:
		return []ConvShape{s.Conv}
	case Gated:
		return s.Gate
	}
	return nil
}

// Pools reports whether a step is a pooling, which has no numbers and whose output has the scale of its input.
func (s *Step) Pools() bool { return s.Op == MaxPool || s.Op == AveragePool || s.Op == Blur }

// The names of what is not a block's: the first and the last layer in the model file; the stem's max pooling and the
// average before the classifier, which have no numbers; the image.
const (
	StemName       = string(StemRole)
	PoolName       = string(PoolRole)
	BlurName       = string(BlurRole)
	ClassifierName = string(ClassifierRole)
	AverageName    = "average"
	InputName      = "input"
)

// BlockName is the name of a block, both numbers from 0 on: "stage1.block0" is the first.
func BlockName(stage, block int) string { return fmt.Sprintf("stage%d.block%d", stage+1, block) }

// StemConvName is the name of a stem's convolution, from 0 on: "stem", and "stem1" is the second.
func StemConvName(i int) string {
	if i == 0 {
		return StemName
	}
	return fmt.Sprint(StemName, i)
}

// LayerName is the name of a block's layer.
func LayerName(block string, role Role) string { return block + "." + string(role) }

// Lower turns a valid Config into steps.
func Lower(c Config) *Program {
	l := lowering{c: c, stage: -1, index: -1, p: &Program{Maps: []Map{{Name: InputName, H: c.Height, W: c.Width, Channels: 3}}}}
	x := Image
	for i, s := range c.Stem.Convs {
		x = l.conv(StemConvName(i), StemRole, x, s.Width, s.Kernel, s.Stride, 1)
	}
	x = l.pool(PoolName, PoolRole, x, c.Stem.Pool)
	for i, s := range c.Stages {
		for j := range s.Blocks {
			l.stage, l.index, l.block = i, j, BlockName(i, j)
			stride := 1
			if j == 0 {
				stride = s.Stride
			}
			x = l.addBlock(s, x, stride)
		}
	}
	last := Step{Op: Embed, Name: AverageName, Stage: -1, Index: -1, Role: ClassifierRole, In: x, Out: None, Add: None}
	if c.Head != Embedding {
		last.Op, last.Name, last.Conv = Classify, ClassifierName, linear(ClassifierName, l.p.Maps[x].Channels, c.Classes)
	}
	l.p.Steps = append(l.p.Steps, last)
	l.derive()
	return l.p
}

// linear is a linear layer as a convolution.
func linear(name string, in, out int) ConvShape {
	return ConvShape{Name: name, In: in, Out: out, Kernel: 1, Stride: 1, Groups: 1, InH: 1, InW: 1, OutH: 1, OutW: 1}
}

// lowering makes a Program.
type lowering struct {
	c            Config
	p            *Program
	stage, index int
	block        string
}

// addBlock adds a block of stage s that reads x, and returns its output.
//
// What is added is a map of 8 bits, so that either the branch or the shortcut is rounded to that before the add. It is the
// shortcut, which the branch's last convolution adds in its epilogue; but behind a gate the branch is a map anyway, and
// the projection adds it.
func (l *lowering) addBlock(s Stage, x MapID, stride int) MapID {
	branch := s.Kind.Branch()
	projects := stride != 1 || l.p.Maps[x].Channels != s.Out
	last := projects && s.Gate.Kind != NoGate && s.Gate.After == s.Kind.Last() // the projection is
	before, shortcut := x, x
	if projects && !last {
		shortcut = l.projection(s, x, stride)
		if s.Shortcut != Padded {
			l.signed()
		}
	}
	for i, link := range branch {
		step, pool, channels, groups := 1, NoPool, s.Inner, 1
		if link.Role == s.StrideRole() {
			step = stride
		}
		if step != 1 && s.AntiAlias != NoPool {
			step, pool = 1, s.AntiAlias
		}
		if i == len(branch)-1 {
			channels = s.Out
		}
		if link.Grouped {
			groups = s.Cardinality
		}
		x = l.conv(LayerName(l.block, link.Role), link.Role, x, channels, link.Kernel, step, groups)
		x = l.pool(LayerName(l.block, AntiAliasRole), AntiAliasRole, x, pool)
		if link.Role == s.Gate.After {
			if i == len(branch)-1 {
				l.signed()
			}
			x = l.gate(s.Gate, x)
		}
	}
	if last {
		l.signed()
		shortcut = x
		x = l.projection(s, before, stride)
	}
	l.last().Add = shortcut
	return x
}

// projection adds what brings x to the shape of its block's output, and returns the result.
func (l *lowering) projection(s Stage, x MapID, stride int) MapID {
	if stride != 1 && s.Shortcut == AveragedProjection {
		x, stride = l.pool(LayerName(l.block, ShortcutPoolRole), ShortcutPoolRole, x, Average2x2), 1
	}
	return l.conv(LayerName(l.block, Shortcut), Shortcut, x, s.Out, 1, stride, 1)
}

// signed leaves the last step's output without a ReLU.
func (l *lowering) signed() {
	s := l.last()
	l.p.Maps[s.Out].Signed, s.Conv.ReLU = true, false
}

func (l *lowering) last() *Step { return &l.p.Steps[len(l.p.Steps)-1] }

// conv adds a rectified convolution and returns its output.
func (l *lowering) conv(name string, role Role, x MapID, channels, kernel, stride, groups int) MapID {
	in := l.p.Maps[x]
	out := Map{Name: name, H: outSize(in.H, kernel, stride), W: outSize(in.W, kernel, stride), Channels: channels}
	return l.add(out, Step{Op: Conv, Name: name, Role: role, In: x, Conv: ConvShape{
		Name: name, In: in.Channels, Out: channels, Kernel: kernel, Stride: stride, Groups: groups,
		InH: in.H, InW: in.W, OutH: out.H, OutW: out.W, Image: x == Image, ReLU: true,
	}})
}

// pool adds a pooling, unless it is none, and returns its output.
func (l *lowering) pool(name string, role Role, x MapID, p Pool) MapID {
	op := map[Pool]Op{Max3x3: MaxPool, Average2x2: AveragePool, Blur3x3: Blur}[p]
	switch p {
	case NoPool:
		return x
	case MaxBlur:
		x, op = l.poolStep(name, role, x, MaxPool, 1), Blur
		name, role = BlurName, BlurRole
	}
	return l.poolStep(name, role, x, op, 2)
}

func (l *lowering) poolStep(name string, role Role, x MapID, op Op, stride int) MapID {
	in := l.p.Maps[x]
	out := Map{Name: name, H: outSize(in.H, 3, stride), W: outSize(in.W, 3, stride), Channels: in.Channels}
	return l.add(out, Step{Op: op, Name: name, Role: role, In: x, Stride: stride})
}

// gate adds a gate and returns its output.
func (l *lowering) gate(g Gate, x MapID) MapID {
	name, out := LayerName(l.block, GateRole), l.p.Maps[x]
	s := Step{Op: Gated, Name: name, Role: GateRole, In: x, GateKind: g.Kind}
	layer := func(r Role, in, out int) { s.Gate = append(s.Gate, linear(LayerName(l.block, r), in, out)) }
	if g.Kind == SqueezeExcite {
		layer(Squeeze, out.Channels, g.Hidden)
		layer(Excite, g.Hidden, out.Channels)
	} else {
		layer(Neighbours, g.Kernel, 1)
	}
	out.Name, out.Signed = name, false
	return l.add(out, s)
}

// add appends a step and the map that it writes.
func (l *lowering) add(out Map, s Step) MapID {
	s.Out, s.Add, s.Stage, s.Index, s.Block = MapID(len(l.p.Maps)), None, l.stage, l.index, l.block
	l.p.Maps, l.p.Steps = append(l.p.Maps, out), append(l.p.Steps, s)
	return s.Out
}

// derive finds each map's border and groups from those who read and write it. A map that is added lies in memory as the
// sum does, and what a step makes of a map channel by channel has the groups of that map.
func (l *lowering) derive() {
	maps := l.p.Maps
	for i := range maps {
		maps[i].Groups = 1
	}
	for _, s := range l.p.Steps {
		switch s.Op {
		case Conv:
			maps[s.In].Border = max(maps[s.In].Border, s.Conv.Kernel/2)
			if s.Conv.Groups > 1 {
				maps[s.In].Groups, maps[s.Out].Groups = s.Conv.Groups, s.Conv.Groups
			}
		case MaxPool:
			maps[s.In].Border = max(maps[s.In].Border, 1)
		}
	}
	for changed := true; changed; {
		changed = false
		for _, s := range l.p.Steps {
			if s.Add != None && maps[s.Add].Border != maps[s.Out].Border {
				border := max(maps[s.Add].Border, maps[s.Out].Border)
				maps[s.Add].Border, maps[s.Out].Border, changed = border, border, true
			}
			if (s.Op == Gated || s.Pools()) && maps[s.In].Groups != maps[s.Out].Groups {
				groups := max(maps[s.In].Groups, maps[s.Out].Groups)
				maps[s.In].Groups, maps[s.Out].Groups, changed = groups, groups, true
			}
		}
	}
	for i := range l.p.Steps {
		if s := &l.p.Steps[i]; s.Op == Conv {
			s.Conv.InGroups, s.Conv.OutGroups = maps[s.In].Groups, maps[s.Out].Groups
		}
	}
}

// Convs lists every convolution in the order in which they run; the classifier is not one of them.
func (p *Program) Convs() []ConvShape {
	var convs []ConvShape
	for _, s := range p.Steps {
		if s.Op == Conv {
			convs = append(convs, s.Conv)
		}
	}
	return convs
}

// Convs is that of the lowered network.
func (c Config) Convs() []ConvShape { return Lower(c).Convs() }

// Layers lists all layers that have numbers in the order in which they run: convolutions, those of gates, the classifier.
func (p *Program) Layers() []ConvShape {
	var layers []ConvShape
	for i := range p.Steps {
		layers = append(layers, p.Steps[i].Layers()...)
	}
	return layers
}

// Head is the last step.
func (p *Program) Head() Step { return p.Steps[len(p.Steps)-1] }

// LargestLayer is the largest number of weights of a layer.
func (p *Program) LargestLayer() int {
	n := 0
	for _, s := range p.Layers() {
		n = max(n, s.Weights())
	}
	return n
}

// MACs is the number of multiply-accumulates for one image in layers that have numbers.
func (c Config) MACs() (n int64) {
	for _, s := range Lower(c).Layers() {
		n += s.MACs()
	}
	return n
}
