package topology

// Uses are the steps, by index, that touch a map.
type Uses struct {
	// Writer is -1 for the image.
	Writer int
	// Readers read the map as their input, Adders add it as a shortcut.
	Readers, Adders []int
	// Last is the last of all.
	Last int
}

// Uses lists the uses of every map.
func (p *Program) Uses() []Uses {
	uses := make([]Uses, len(p.Maps))
	uses[Image].Writer = -1
	for i, s := range p.Steps {
		uses[s.In].Readers = append(uses[s.In].Readers, i)
		uses[s.In].Last = i
		if s.Add != None {
			uses[s.Add].Adders = append(uses[s.Add].Adders, i)
			uses[s.Add].Last = i
		}
		if s.Out != None {
			uses[s.Out].Writer, uses[s.Out].Last = i, i
		}
	}
	return uses
}

// InsideBlock reports whether all steps that touch a map are of one block, and none adds it.
func (p *Program) InsideBlock(id MapID) bool { return p.insideBlock(p.Uses()[id]) }

func (p *Program) insideBlock(u Uses) bool {
	for _, r := range u.Readers {
		if u.Writer < 0 || p.Steps[r].Block != p.Steps[u.Writer].Block {
			return false
		}
	}
	return len(u.Adders) == 0
}

// ResidualGroups parts the maps but the image into groups whose channels must have the same scales: maps that are added
// up, and what pooling or a gate makes of one. Groups that lie inside one block come first, each kind in the order of the
// first maps.
func (p *Program) ResidualGroups() [][]MapID {
	group := make([]MapID, len(p.Maps)) // of each map: the group's first
	for i := range group {
		group[i] = MapID(i)
	}
	join := func(a, b MapID) {
		from, to := max(group[a], group[b]), min(group[a], group[b])
		for i := range group {
			if group[i] == from {
				group[i] = to
			}
		}
	}
	for _, s := range p.Steps {
		if s.Add != None {
			join(s.Out, s.Add)
		}
		if s.Pools() || s.Op == Gated {
			join(s.Out, s.In)
		}
	}
	members := map[MapID][]MapID{}
	for i := range p.Maps[1:] {
		id := MapID(i + 1)
		members[group[id]] = append(members[group[id]], id)
	}
	uses := p.Uses()
	var inside, across [][]MapID
	for i := range p.Maps[1:] {
		switch g := members[MapID(i+1)]; {
		case g == nil:
		case len(g) == 1 && p.insideBlock(uses[g[0]]):
			inside = append(inside, g)
		default:
			across = append(across, g)
		}
	}
	return append(inside, across...)
}

// Writer returns the step that writes a map, which is not the image.
func (p *Program) Writer(id MapID) Step { return p.Steps[p.Uses()[id].Writer] }
