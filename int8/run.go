package int8

import "github.com/libresnext/libresnext/asm"

// Buffers are what a convolution reads and writes. Residual is nil unless the mode adds; it may be Out
// itself (the add in place).
type Buffers struct {
	In, Out, Residual []byte
}

// Strips that one task covers are kept so small that the rows they read stay in a core's first caches,
// while the weights stream through.
const (
	stripBytes = 24 << 10
	minPixels  = 12
)

// Tasks is the number of independent tasks into which the convolution at p is best cut for that many
// threads. Run executes one of them.
func (c *Conv) Tasks(p *Place, threads int) int {
	if c.group != nil {
		return p.out.H
	}
	if c.byChannel(p) {
		return min(len(c.units), 12*threads)
	}
	strips := p.inputBytes / stripBytes
	strips = max(strips, 8*threads)
	return max(1, min(strips, p.pixels/minPixels))
}

// byChannel tells to cut by output channels: where the weights outweigh the map, each core then reads only
// its share of them.
func (c *Conv) byChannel(p *Place) bool { return len(c.weights) > p.inputBytes }

// Run executes task number task of tasks; tasks of one convolution may run at the same time.
func (c *Conv) Run(p *Place, b Buffers, task, tasks int, s *Scratch) {
	switch {
	case c.group != nil:
		c.runGroup(p, b, share(p.out.H, task, tasks), s)
	case c.byChannel(p):
		c.runUnits(p, b, share(len(c.units), task, tasks), s)
	default:
		pixels := share(p.pixels/pixelUnit, task, tasks)
		pixels.from *= pixelUnit
		pixels.to *= pixelUnit
		if task == tasks-1 {
			pixels.to = p.pixels
		}
		for i := range c.runs {
			r := &c.runs[i]
			c.call(p, b, r, span{0, r.panels}, pixels, s)
		}
	}
}

// pixelUnit is a multiple of every kernel's tile height (2, 3, 4 and 6), so that only the last strip has a
// ragged tile.
const pixelUnit = 12

// span is a half-open range.
type span struct{ from, to int }

// share is the part of n that belongs to a task.
func share(n, task, tasks int) span { return span{n * task / tasks, n * (task + 1) / tasks} }

// runUnits runs panels of every pixel, joining neighbours of one run into one call.
func (c *Conv) runUnits(p *Place, b Buffers, units span, s *Scratch) {
	for at := units.from; at < units.to; {
		first := c.units[at]
		panels := min(c.runs[first.run].panels-first.panel, units.to-at)
		c.call(p, b, &c.runs[first.run], span{first.panel, first.panel + panels}, span{0, p.pixels}, s)
		at += panels
	}
}

// call makes one kernel call: some panels of a run at some pixels.
func (c *Conv) call(p *Place, b Buffers, r *run, panels, pixels span, s *Scratch) {
	if panels.from == panels.to || pixels.from == pixels.to {
		return
	}
	channel := r.channel + panels.from*r.nr
	a := &s.igemm
	*a = asm.IGEMMArgs{
		In:    &b.In[r.in],
		InOff: &p.inOff[pixels.from], TapOff: &p.tapOff[0],
		W: &c.weights[r.weights+panels.from*r.panel], Bias: &c.bias[channel], Mult: &c.mult[channel],
		Out: &b.Out[channel], OutOff: &p.outOff[pixels.from],
		M: pixels.to - pixels.from, Taps: r.taps, K: r.k, NR: r.nr, Panels: panels.to - panels.from,
		ResMult: c.res, Mode: c.mode, Chain: r.chain,
	}
	if b.Residual != nil {
		a.Res, a.ResOff = &b.Residual[channel], a.OutOff
	}
	c.kernels.IGEMM(a)
}

// runGroup runs every panel on some rows.
func (c *Conv) runGroup(p *Place, b Buffers, rows span, s *Scratch) {
	if rows.from == rows.to {
		return
	}
	a := &s.group
	*a = asm.GroupArgs{
		In: &b.In[p.inStart+rows.from*p.inRow], InRow: p.inRow, InCol: p.inCol, TapRow: p.tapRow, TapCol: p.tapCol,
		W: &c.weights[0], Bias: &c.bias[0], Mult: &c.mult[0],
		Out: &b.Out[p.out.Offset(rows.from, 0)], OutRow: p.out.Row(), OutCol: p.out.Layout.Total,
		Rows: rows.to - rows.from, Cols: p.out.W, Panels: c.group.panels, Chain: c.group.chain,
	}
	c.group.kernel.Run(a)
}
