package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// place is where the first block of a stage is called so in a file, both numbers from 0 on. A stage of a file whose gates
// differ is several of a Config.
type place struct{ stage, block int }

// places are those of a network whose stages are a file's.
func places(cfg resnext.Config) []place {
	var all []place
	for i := range cfg.Stages {
		all = append(all, place{stage: i})
	}
	return all
}

// prefix is that of all tensors of a block.
func (d *dialect) prefix(p place) string {
	return fmt.Sprintf(d.block, d.first+p.stage, d.firstBlock+p.block)
}

// layer gives the names of a layer of a role behind a prefix: the first whose weights are there, or the usual ones.
func (d *dialect) layer(has func(tensor string) bool, prefix string, role topology.Role) (n names, there bool) {
	for _, n := range d.layers[role] {
		if has(prefix + n.conv + ".weight") {
			return names{prefix + n.conv, prefix + n.norm, n.averaged}, true
		}
	}
	if len(d.layers[role]) > 0 {
		n = d.layers[role][0]
	}
	return names{prefix + n.conv, prefix + n.norm, n.averaged}, false
}

// stem gives the names of the stem's convolutions.
func (d *dialect) stem(has func(tensor string) bool) []names {
	i := slices.IndexFunc(d.stems, func(s []names) bool { return has(s[0].conv + ".weight") })
	convs := slices.Clone(d.stems[max(0, i)])
	if d.poolsByConv(has) {
		convs = append(convs, d.stemPool)
	}
	return convs
}

// poolsByConv reports whether the last convolution of the stem is in place of its pooling.
func (d *dialect) poolsByConv(has func(tensor string) bool) bool {
	return d.stemPool.conv != "" && has(d.stemPool.conv+".weight")
}

// showsAverage reports whether a shortcut behind an average pooling has other names than one without.
func (d *dialect) showsAverage() bool {
	return slices.ContainsFunc(d.layers[topology.Shortcut], func(n names) bool { return n.averaged })
}

// modules gives the names of every layer of a network by the layer's name; the classifier has its usual one.
func (d *dialect) modules(has func(tensor string) bool, cfg resnext.Config, places []place) map[string]names {
	all := map[string]names{}
	for i, n := range d.stem(has) {
		all[topology.StemConvName(i)] = n
	}
	for _, s := range topology.Lower(cfg).Steps {
		if s.Role == topology.StemRole {
			continue
		}
		prefix := ""
		if s.Block != "" {
			p := places[s.Stage]
			prefix = d.prefix(place{p.stage, p.block + s.Index})
		}
		for _, l := range s.Layers() {
			if l.Name == resnext.ClassifierName {
				all[l.Name] = names{conv: d.head}
				continue
			}
			role := topology.Role(strings.TrimPrefix(l.Name, s.Block+"."))
			all[l.Name], _ = d.layer(has, prefix, role)
		}
	}
	return all
}

// depths finds the number of blocks of every stage: one more than the highest index in a name.
func (d *dialect) depths(tensors []string) []int {
	pattern := regexp.MustCompile("^" + d.blockPattern)
	var blocks []int
	for _, t := range tensors {
		m := pattern.FindStringSubmatch(t)
		if m == nil {
			continue
		}
		number, _ := strconv.Atoi(m[1]) // at most three digits
		block, _ := strconv.Atoi(m[2])
		stage := number - d.first
		for len(blocks) <= stage {
			blocks = append(blocks, 0)
		}
		if stage >= 0 {
			blocks[stage] = max(blocks[stage], block-d.firstBlock+1)
		}
	}
	return blocks
}

// patterns are the modules of layers as regular expressions.
func patterns(list []names) []string {
	var all []string
	for _, n := range list {
		for _, module := range []string{n.conv, n.norm} {
			if module != "" {
				all = append(all, regexp.QuoteMeta(module))
			}
		}
	}
	return all
}

// lasts are the last convolutions of all kinds of blocks that the dialect has names for, as patterns.
func (d *dialect) lasts() []string {
	var all []string
	for _, k := range topology.Kinds() {
		for _, n := range d.layers[k.Last()] {
			all = append(all, regexp.QuoteMeta(n.conv))
		}
	}
	return all
}

// kind finds the kind of the block with a prefix: the one with the longest branch whose convolutions are all there.
func (d *dialect) kind(has func(tensor string) bool, prefix string) topology.Kind {
	for _, k := range topology.Kinds() {
		if !slices.ContainsFunc(k.Branch(), func(l topology.Link) bool {
			_, there := d.layer(has, prefix, l.Role)
			return !there
		}) {
			return k
		}
	}
	return "" // the usual one: what is missing is named later
}
