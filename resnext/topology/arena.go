package topology

// Arena places maps in memory: two maps share bytes only if the one is no longer needed when the other is written. size
// is what a map takes. Where a step adds a map of the size of its output for the last time, the output is written over it.
// The image shares its bytes with nobody. Arena returns the maps' offsets and the size of the whole.
func (p *Program) Arena(size func(MapID) int64) (offset []int64, total int64) {
	uses := p.Uses()
	uses[Image].Last = len(p.Steps)
	offset = make([]int64, len(p.Maps))
	type span struct {
		from, to int64
		last     int // the step that needs it last
	}
	var live []span
	place := func(id MapID, now int) {
		n := size(id)
		at := int64(0)
		for moved := true; moved; { // to the first gap that is wide enough
			moved = false
			for _, s := range live {
				if s.last >= now && at < s.to && s.from < at+n {
					at, moved = s.to, true
				}
			}
		}
		offset[id], total = at, max(total, at+n)
		live = append(live, span{at, at + n, uses[id].Last})
	}
	place(Image, 0)
	for i, s := range p.Steps {
		switch {
		case s.Out == None:
		case s.Add != None && uses[s.Add].Last == i && size(s.Add) == size(s.Out):
			at := offset[s.Add]
			offset[s.Out] = at
			live = append(live, span{at, at + size(s.Out), uses[s.Out].Last})
		default:
			place(s.Out, i)
		}
	}
	return offset, total
}
