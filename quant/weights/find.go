package weights

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/libresnext/libresnext/quant/checkpoint"
)

// candidate is a place in a file where a network is: the tensors of one state dict whose names begin with a prefix and go
// on as a dialect has them.
type candidate struct {
	c      *checkpoint.Checkpoint
	prefix string // empty, or with a dot at its end
	d      *dialect
	count  int // of tensors that the dialect knows
	expressions
	// siblings are all candidates of the state dict, and taken the tensors that are some network's.
	siblings []*candidate
	taken    map[string]*candidate
}

// isBody reports whether a tensor is the network's, by its name.
func (x *candidate) isBody(name string) bool {
	rest, ok := strings.CutPrefix(name, x.prefix)
	return ok && x.known.MatchString(rest)
}

// path names a candidate for people and for --key: "state_dict.module.encoder_q".
func (x *candidate) path() string {
	return strings.Trim(x.c.Wrapper+"."+x.prefix, ".")
}

// inBlock reports whether a tensor is in one of the network's blocks, whatever it is.
func (x *candidate) inBlock(name string) bool {
	rest, ok := strings.CutPrefix(name, x.prefix)
	return ok && x.block.MatchString(rest)
}

// The bounds of what is looked at: ResNet-200 has 1,200 tensors and counters, and copies of it as many again; no trainer
// keeps more than a few copies, or wraps them in more modules.
const (
	maxTensors    = 1 << 14
	maxCandidates = 32
	maxPrefix     = 16
)

// candidates finds every network of a state dict; at most one for each first block. State dicts with more than maxTensors
// have none, and of more than maxCandidates networks the others are left out: so many cannot be told apart anyway.
func candidates(c *checkpoint.Checkpoint) []*candidate {
	var all []*candidate
	if len(c.Order) > maxTensors {
		return nil
	}
	owner := map[string]*candidate{} // by the first of the tensors that show a block
	for i := range dialects {
		d, e := &dialects[i], compiled()[i]
		seen := map[string]bool{}
		for _, first := range c.Order {
			m := e.last.FindStringSubmatch(first)
			if m == nil || seen[m[1]] || strings.Count(m[1], ".") > maxPrefix || len(seen) == maxCandidates {
				continue
			}
			seen[m[1]] = true
			x := &candidate{c: c, prefix: m[1], d: d.from(c.Order, m[1], e), expressions: e}
			for _, name := range c.Order {
				if x.isBody(name) {
					x.count++
				}
			}
			// Of two that read the same blocks the one that knows more of the names is meant, then the longer ones.
			if other := owner[first]; other == nil || x.count > other.count || x.count == other.count && len(x.prefix) < len(other.prefix) {
				owner[first] = x
			}
		}
	}
	for _, name := range c.Order {
		if x := owner[name]; x != nil {
			all = append(all, x)
		}
	}
	all = all[:min(len(all), maxCandidates)]
	taken := map[string]*candidate{}
	for _, x := range all {
		for _, name := range c.Order {
			if x.isBody(name) {
				taken[name] = x
			}
		}
		x.siblings, x.taken = all, taken
	}
	return all
}

// from is the dialect with the first stage that the tensors with a prefix have, where that is not fixed.
func (d *dialect) from(tensors []string, prefix string, e expressions) *dialect {
	if d.first != anyFirst {
		return d
	}
	named := *d
	named.first = math.MaxInt
	for _, name := range tensors {
		rest, ok := strings.CutPrefix(name, prefix)
		if m := e.block.FindStringSubmatch(rest); ok && m != nil {
			number, _ := strconv.Atoi(m[1]) // at most three digits
			named.first = min(named.first, number)
		}
	}
	return &named
}

// expressions find the names of a dialect.
type expressions struct {
	// known are all tensors; last, behind any prefix, which is the first group, the weights of the last convolution of each
	// block; block the numbers of stage and block.
	known, last, block *regexp.Regexp
}

// compiled are the expressions of all dialects.
var compiled = sync.OnceValue(func() []expressions {
	var all []expressions
	for _, d := range dialects {
		var inner []string
		for _, list := range d.layers {
			inner = append(inner, patterns(list)...)
		}
		stems := patterns(append(slices.Concat(d.stems...), d.stemPool))
		all = append(all, expressions{
			known: regexp.MustCompile(fmt.Sprintf(`^(?:%s(?:%s)|%s)\.\w+$`, d.blockPattern, strings.Join(inner, "|"), strings.Join(stems, "|"))),
			last:  regexp.MustCompile(fmt.Sprintf(`^((?:.*\.)?)%s(?:%s)\.weight(?:_orig)?$`, d.blockPattern, strings.Join(d.lasts(), "|"))),
			block: regexp.MustCompile("^" + d.blockPattern),
		})
	}
	return all
})

// choose finds the one network that is meant among the state dicts of a file, and the notes to make of the others. key is
// that of Options.
func choose(all []*checkpoint.Checkpoint, o Options) (*candidate, []string, error) {
	var found []*candidate
	for _, c := range all {
		found = append(found, candidates(c)...)
	}
	if len(found) == 0 {
		largest := slices.MaxFunc(all, func(a, b *checkpoint.Checkpoint) int { return cmp.Compare(len(a.Order), len(b.Order)) })
		if n := len(largest.Order); n > maxTensors {
			return nil, nil, fmt.Errorf("has %d tensors in one state dict; a network of this family has at most %d", n, maxTensors)
		}
		return nil, nil, foreign(largest.Order)
	}
	if o.Key != "" {
		wanted := slices.DeleteFunc(slices.Clone(found), func(x *candidate) bool { return !contains(x.path(), o.Key) })
		switch len(wanted) {
		case 0:
			return nil, nil, fmt.Errorf("no network under the key %q; there are %s", o.Key, paths(found))
		case 1:
			return wanted[0], nil, nil
		}
		return nil, nil, fmt.Errorf("the key %q fits several networks: %s; give more of the name", o.Key, paths(wanted))
	}
	whole := slices.DeleteFunc(slices.Clone(found), func(x *candidate) bool { return !x.complete() })
	switch len(whole) {
	case 0: // what is missing is said of the one that has most
		return slices.MaxFunc(found, func(a, b *candidate) int { return cmp.Compare(a.count, b.count) }), nil, nil
	case 1:
		return whole[0], nil, nil
	}
	if x, note := averaged(whole); x != nil {
		return x, []string{note}, nil
	}
	return nil, nil, fmt.Errorf("holds several networks: %s; say which one with --key NAME", paths(whole))
}

// contains reports whether the parts of key follow one another in a path.
func contains(path, key string) bool {
	return strings.Contains("."+path+".", "."+strings.Trim(key, ".")+".")
}

// paths lists where candidates are.
func paths(list []*candidate) string {
	var all []string
	for _, x := range list {
		all = append(all, fmt.Sprintf("%.100q", x.path()))
	}
	return strings.Join(all, ", ")
}

// Names of state dicts whose weights are averages over the last steps of training, as a part of a path; but mmengine keeps
// under ema_state_dict what it trains on, and the averages in the place of the weights.
var (
	average  = regexp.MustCompile(`(^|[._])(ema|swa|averaged?)([._]|$)`)
	mmengine = "ema_state_dict"
)

// averaged finds the averages among networks: timm's rule, by which the weights that it would evaluate are taken.
func averaged(all []*candidate) (*candidate, string) {
	var averages, others []*candidate
	for _, x := range all {
		isAverage := average.MatchString(x.path())
		if slices.ContainsFunc(all, func(y *candidate) bool { return contains(y.path(), mmengine) }) {
			isAverage = !contains(x.path(), mmengine)
		}
		if isAverage {
			averages = append(averages, x)
		} else {
			others = append(others, x)
		}
	}
	if len(averages) != 1 {
		return nil, ""
	}
	return averages[0], fmt.Sprintf("took the averaged weights (EMA), %q; %s holds those of the last step (--key takes them)", averages[0].path(), paths(others))
}

// complete reports whether every convolution of the network is there.
func (x *candidate) complete() bool {
	n, err := x.inspect(Options{Embedding: true})
	return err == nil && n.complete()
}
