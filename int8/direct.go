package int8

import "github.com/libresnext/libresnext/asm"

// direct is the operator of grouped 3x3 convolutions whose groups are as narrow as a direct kernel's. A kernel computes
// whole rows of pixels; tasks are rows or pairs of them.
type direct struct {
	*packed
	kernel asm.GroupKernel
	panels int
	depth  int
}

// direct reports whether a convolution is one for the direct grouped kernels.
func (s ConvSpec) direct() bool { return s.Groups > 1 && s.In.Padded <= 8 }

// newDirect packs panels of whole groups.
func newDirect(k *asm.Kernels, s ConvSpec, n *packed) *direct {
	width := s.In.Padded
	kernel := k.Group(width)
	size := 9 * width * kernel.Channels // of a panel
	d := &direct{packed: n, kernel: kernel, panels: s.Out.Total / kernel.Channels, depth: deepest(kernel.Depths)}
	n.weights = alignedInt8(d.panels * size)
	order, row := s.order(9, width), make([]int8, 9*width)
	for oc := range s.Out.Channels() {
		s.arrange(row, order, oc)
		// The direct kernels sum across taps.
		d.depth = min(d.depth, Depth(row, 1, kernel.Depths, k))
		at := s.Out.At(oc)
		panel := n.weights[at/kernel.Channels*size:]
		for tap := range 9 {
			for i := range width {
				panel[kernel.Index(tap, at%kernel.Channels, i, width)] = row[tap*width+i]
			}
		}
	}
	n.macs[d.depth*asm.ProductsPerStep] += len(s.Weight)
	return d
}

// bind: a direct kernel finds pixels by the steps of the window.
func (d *direct) bind(*Binding) {}

// tasks: two rows, for which a kernel sets its panels up once, or fewer where there are many threads.
func (d *direct) tasks(b *Binding, threads int) int {
	return min(b.out.H, max((b.out.H+1)/2, 8*threads))
}

// run runs every panel on some rows.
func (d *direct) run(b *Binding, buf Buffers, task, tasks int, s *Scratch) {
	rows := share(b.out.H, task, tasks)
	if rows.from == rows.to {
		return
	}
	a := &s.group
	*a = asm.GroupArgs{
		In: &buf.In[b.start+rows.from*b.inRow], InRow: b.inRow, InCol: b.inCol, TapRow: b.tapRow, TapCol: b.tapCol,
		W: &d.weights[0], Bias: &d.bias[0], Mult: &d.mult[0],
		Out: &buf.Out[b.out.Offset(rows.from, 0)], OutRow: b.out.Row(), OutCol: b.out.Layout.Total,
		Rows: rows.to - rows.from, Cols: b.out.W, Panels: d.panels, Depth: d.depth,
	}
	d.kernel.Run(a)
}
