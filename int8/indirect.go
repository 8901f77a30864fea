package int8

import (
	"slices"

	"github.com/libresnext/libresnext/asm"
)

// indirect is the operator of all convolutions that have no direct kernel: an indirect GEMM for each group. A kernel
// computes panels of channels at pixels that it finds by a table of offsets; tasks are strips of pixels, or panels.
type indirect struct {
	*packed
	kernels  *asm.Kernels
	epilogue asm.Epilogue
	residual float32
	groups   int
	runs     []panelRun
	panels   []panelRef // every panel of every run
	tile     int        // pixels of a whole tile of every kernel that it runs; strips are multiples of it
}

// panelRun is a series of panels that one kernel call covers.
type panelRun struct {
	in      int // first input channel's place in a pixel
	weights int // where its panels begin
	panel   int // bytes of a panel
	channel int // first output channel's place in a pixel
	nr      int
	panels  int
	depth   int
	taps, k int
}

// panelRef is one panel of a run: the smallest piece of work when cutting by channels.
type panelRef struct{ run, panel int }

// indirection is the table that the kernels find pixels by, XNNPACK's indirection buffer; empty for other operators.
type indirection struct {
	inOff, outOff []int32 // [H*W of the output]
	tapOff        []int32 // [taps]
}

// newIndirect packs panels of each group.
func newIndirect(k *asm.Kernels, s ConvSpec, n *packed) *indirect {
	d := &indirect{
		packed: n, kernels: k, epilogue: s.Epilogue, residual: s.Residual, groups: s.Groups,
	}
	taps, perTap := s.taps()
	padded := s.Out.Padded // output channels of a group
	if s.Groups == 1 {
		padded = s.Out.Total
	}
	n.weights = alignedInt8(s.Groups * padded * taps * perTap)
	logical := inverse(s.Out)
	order, row := s.order(taps, perTap), make([]int8, taps*perTap)
	chainRuns := k.Lanes.Runs(taps, perTap)
	for g := range s.Groups {
		for at := 0; at < padded; {
			nr := widest(k.NR, padded-at)
			channel := g*padded + at
			depth, useful := deepest(k.Depths), 0
			panel := n.weights[channel*taps*perTap:][:nr*taps*perTap]
			for i := range nr {
				oc := logical[channel+i]
				if oc < 0 {
					continue
				}
				s.arrange(row, order, oc)
				depth = min(depth, Depth(row, chainRuns, k.Depths, k))
				scatter(panel, row, i, nr, perTap, k.KR)
				useful += len(order)
			}
			if useful > 0 {
				n.macs[depth*asm.ProductsPerStep] += useful
			}
			d.addPanel(panelRun{in: g * s.In.Padded, weights: channel * taps * perTap, panel: nr * taps * perTap,
				channel: channel, nr: nr, panels: 1, depth: depth, taps: taps, k: perTap})
			at += nr
		}
	}
	var heights []int
	for i, r := range d.runs {
		heights = append(heights, k.MR[slices.Index(k.NR, r.nr)])
		for p := range r.panels {
			d.panels = append(d.panels, panelRef{i, p})
		}
	}
	d.tile = commonMultiple(heights)
	return d
}

// addPanel appends a panel, joining it to the run before it where one call can cover both.
func (d *indirect) addPanel(p panelRun) {
	if len(d.runs) > 0 {
		last := &d.runs[len(d.runs)-1]
		if last.in == p.in && last.nr == p.nr && last.depth == p.depth && last.channel+last.nr*last.panels == p.channel {
			last.panels++
			return
		}
	}
	d.runs = append(d.runs, p)
}

// scatter puts one channel's weights into their places in a panel: tap after tap, blocks of kr
// consecutive k of each of nr channels. Where kr is 16 a tap may end with a block of 8.
func scatter(panel, row []int8, n, nr, k, kr int) {
	for t := 0; t < len(row); t += k {
		for b := 0; b < k; b += kr {
			width := min(kr, k-b)
			copy(panel[t*nr+b*nr+n*width:], row[t+b:t+b+width])
		}
	}
}

// widest returns the widest panel that fits n channels. Widths descend, and n is a multiple of the last.
func widest(widths []int, n int) int {
	for _, w := range widths {
		if w <= n {
			return w
		}
	}
	return widths[len(widths)-1]
}

// commonMultiple returns the least common multiple of numbers above 0.
func commonMultiple(numbers []int) int {
	multiple := 1
	for _, n := range numbers {
		step := multiple
		for multiple%n != 0 {
			multiple += step
		}
	}
	return multiple
}

// bind computes the tables of offsets.
func (d *indirect) bind(b *Binding) {
	for y := range b.tapRows {
		for x := range b.tapCols {
			b.tapOff = append(b.tapOff, int32(y*b.tapRow+x*b.tapCol))
		}
	}
	for y := range b.out.H {
		for x := range b.out.W {
			b.inOff = append(b.inOff, int32(b.start+y*b.inRow+x*b.inCol))
			b.outOff = append(b.outOff, int32(b.out.Offset(y, x)))
		}
	}
}

// Strips that one task covers are kept so small that the rows they read stay in a core's first caches,
// while the weights stream through; but not below minPixels. All but the last are whole tiles of whatever kernel
// they meet.
const (
	stripBytes = 24 << 10
	minPixels  = 12
	manyGroups = 16
	cacheBytes = 256 << 10
)

func (d *indirect) tasks(b *Binding, threads int) int {
	if d.byChannel(b) {
		return min(len(d.panels), 12*threads)
	}
	strips := max(b.inBytes/stripBytes, 8*threads)
	return max(1, min(strips, len(b.outOff)/roundUp(minPixels, d.tile)))
}

// byChannel reports whether to cut by output channels: where the weights outweigh the map, each core then reads only
// its share of them; and where there are many groups and the map fits a core's caches, since a call for each group and
// each strip would cost more than what it computes in some tiles.
func (d *indirect) byChannel(b *Binding) bool {
	return len(d.weights) > b.inBytes || d.groups >= manyGroups && b.inBytes <= cacheBytes
}

func (d *indirect) run(b *Binding, buf Buffers, task, tasks int, s *Scratch) {
	pixels := interval{0, len(b.outOff)}
	if d.byChannel(b) {
		d.runPanels(b, buf, share(len(d.panels), task, tasks), pixels, s)
		return
	}
	tiles := share(pixels.to/d.tile, task, tasks)
	pixels.from = tiles.from * d.tile
	if task < tasks-1 {
		pixels.to = tiles.to * d.tile
	}
	d.runPanels(b, buf, interval{0, len(d.panels)}, pixels, s)
}

// runPanels runs some panels at some pixels, joining neighbours of one run into one call.
func (d *indirect) runPanels(b *Binding, buf Buffers, panels, pixels interval, s *Scratch) {
	for at := panels.from; at < panels.to; {
		first := d.panels[at]
		n := min(d.runs[first.run].panels-first.panel, panels.to-at)
		d.call(b, buf, &d.runs[first.run], interval{first.panel, first.panel + n}, pixels, s)
		at += n
	}
}

// call makes one kernel call: some panels of a run at some pixels.
func (d *indirect) call(b *Binding, buf Buffers, r *panelRun, panels, pixels interval, s *Scratch) {
	if pixels.from == pixels.to {
		return
	}
	channel := r.channel + panels.from*r.nr
	a := &s.igemm
	*a = asm.IGEMMArgs{
		In:    &buf.In[r.in],
		InOff: &b.inOff[pixels.from], TapOff: &b.tapOff[0],
		W: &d.weights[r.weights+panels.from*r.panel], Bias: &d.bias[channel], Mult: &d.mult[channel],
		Out: &buf.Out[channel], OutOff: &b.outOff[pixels.from],
		M: pixels.to - pixels.from, Taps: r.taps, K: r.k, NR: r.nr, Panels: panels.to - panels.from,
		ResMult: d.residual, Epilogue: d.epilogue, Depth: r.depth,
	}
	if buf.Residual != nil {
		a.Res, a.ResOff = &buf.Residual[channel], a.OutOff
	}
	if next := d.next(b, r.weights+panels.to*r.panel, pixels); len(next) > 0 {
		a.Next, a.NextBytes = &next[0], min(r.panel, len(next))
	}
	d.kernels.IGEMM(a)
}

// next are the weights that are wanted after those before at: those behind them, whoever runs them, and after the last
// ones the first of the next strip, or of the next convolution.
func (d *indirect) next(b *Binding, at int, pixels interval) []int8 {
	switch {
	case at < len(d.weights):
		return d.weights[at:]
	case d.byChannel(b) || pixels.to == len(b.outOff):
		return d.after
	}
	return d.weights
}
