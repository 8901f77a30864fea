package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant/evidence"
	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// readingOptions say what names and shapes of tensors do not tell of a network; empty ones nothing.
type readingOptions struct{ strideOn, antiAlias, stem, shortcutPad, channels string }

// The values of the options.
var (
	strides     = map[string]topology.Role{"1x1": topology.Reduce, "3x3": topology.Transform}
	antiAliases = map[string]topology.Pool{"none": topology.NoPool, "average": topology.Average2x2, "blur": topology.Blur3x3}
	paddings    = map[string]bool{"around": true, "behind": false}
	channels    = map[string]bool{"rgb": false, "bgr": true} // whether they are turned
	stems       = regexp.MustCompile(`^([1-9]\d?)x([1-9]\d?)(?:/([12]))?(,pool)?$`)
)

func (o *readingOptions) check() error {
	if _, ok := strides[o.strideOn]; !ok && o.strideOn != "" {
		return cli.Usage("--stride-on is %q, expected 1x1 or 3x3", o.strideOn)
	}
	if _, ok := antiAliases[o.antiAlias]; !ok && o.antiAlias != "" {
		return cli.Usage("--anti-alias is %q, expected none, average or blur", o.antiAlias)
	}
	if o.antiAlias != "" && o.antiAlias != "none" && o.strideOn != "" {
		return cli.Usage("--anti-alias %s has no strides in the blocks: leave --stride-on out", o.antiAlias)
	}
	if _, ok := paddings[o.shortcutPad]; !ok && o.shortcutPad != "" {
		return cli.Usage("--shortcut-pad is %q, expected around or behind", o.shortcutPad)
	}
	if _, ok := channels[o.channels]; !ok && o.channels != "" {
		return cli.Usage("--channels is %q, expected rgb or bgr", o.channels)
	}
	if m := stems.FindStringSubmatch(o.stem); o.stem != "" && (m == nil || m[1] != m[2]) {
		return cli.Usage("--stem is %q, expected the kernel, /2 for a stride and ,pool for a pooling behind it, such as 7x7/2,pool or 3x3", o.stem)
	}
	return nil
}

// read reads the network as the options say. What they say is open no more.
func (n *floatNetwork) read(o *readingOptions) error {
	for _, r := range []struct {
		flag, value string
		read        func(value string) (*float.Net, error)
	}{
		{"stem", o.stem, n.withStem}, {"stride-on", o.strideOn, n.withStrideOn}, {"anti-alias", o.antiAlias, n.withAntiAlias},
		{"shortcut-pad", o.shortcutPad, n.withPadding},
		{"channels", o.channels, func(value string) (*float.Net, error) {
			if !channels[value] {
				return n.Net, nil
			}
			return n.WithChannelsTurned(), nil
		}},
	} {
		if r.value == "" {
			continue
		}
		net, err := r.read(r.value)
		if err != nil {
			return fmt.Errorf("--%s %s: %s %w: leave --%s out", r.flag, r.value, n.source, err, r.flag)
		}
		n.Net = net
	}
	if n.from != nil {
		open := &n.from.Open
		open.Channels = open.Channels && o.channels == ""
		open.Strides = open.Strides && o.strideOn == "" && o.antiAlias == ""
		open.Stem = open.Stem && o.stem == ""
		open.Padding = open.Padding && o.shortcutPad == ""
	}
	return nil
}

// isGraph reports whether the network's file says where strides and poolings are.
func (n *floatNetwork) isGraph() bool { return n.from != nil && n.from.Graph }

// has reports whether a stage is as wanted.
func (n *floatNetwork) has(wanted func(s resnext.Stage) bool) bool {
	return slices.ContainsFunc(n.Config.Stages, wanted)
}

func (n *floatNetwork) withStrideOn(where string) (*float.Net, error) {
	role := strides[where]
	if !n.has(func(s resnext.Stage) bool { return s.Kind == resnext.Bottleneck }) {
		return nil, fmt.Errorf("has no bottlenecks")
	}
	if n.isGraph() && n.has(func(s resnext.Stage) bool {
		return s.Kind == resnext.Bottleneck && s.Stride != 1 && s.StrideRole() != role
	}) {
		return nil, fmt.Errorf("says itself where the strides are, and it is elsewhere")
	}
	return n.WithStrideOn(role)
}

func (n *floatNetwork) withAntiAlias(how string) (*float.Net, error) {
	pool := antiAliases[how]
	if n.isGraph() && n.has(func(s resnext.Stage) bool { return s.Stride != 1 && s.AntiAlias != pool }) {
		return nil, fmt.Errorf("says itself how maps are halved, and it is otherwise")
	}
	return n.WithAntiAlias(pool)
}

func (n *floatNetwork) withStem(text string) (*float.Net, error) {
	m := stems.FindStringSubmatch(text)
	kernel, _ := strconv.Atoi(m[1]) // two digits
	stride, pool := 1, topology.NoPool
	if m[3] == "2" {
		stride = 2
	}
	if m[4] != "" {
		pool = topology.Max3x3
	}
	if err := n.CheckStem(kernel); err != nil {
		return nil, fmt.Errorf("has another: %w", err)
	}
	if now := n.Config.Stem; n.isGraph() && (now.Convs[0].Stride != stride || now.Pool != pool) {
		return nil, fmt.Errorf("says itself how the stem is, which is %s", evidence.StemText(kernel, now.Convs[0].Stride, now.Pool))
	}
	return n.WithStem(stride, pool)
}

func (n *floatNetwork) withPadding(where string) (*float.Net, error) {
	if n.isGraph() {
		return nil, fmt.Errorf("says itself what is in the shortcuts")
	}
	if !n.has(func(s resnext.Stage) bool { return s.Shortcut == topology.Padded }) {
		return nil, fmt.Errorf("has no shortcuts that are padded")
	}
	return n.WithPadding(paddings[where])
}
