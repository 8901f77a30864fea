package main

import (
	"fmt"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// strides are the values of --stride-on.
var strides = map[string]topology.Role{"1x1": topology.Reduce, "3x3": topology.Transform}

func (s *settings) readStride() error {
	if _, ok := strides[s.strideOn]; !ok && s.strideOn != "" {
		return cli.Usage("--stride-on is %q, expected 1x1 or 3x3", s.strideOn)
	}
	return nil
}

// setStride puts the strides where --stride-on says; "" leaves them where they are.
func (n *floatNetwork) setStride(where string) error {
	role, ok := strides[where]
	if !ok {
		return nil
	}
	bottlenecks := false
	for _, s := range n.Config.Stages {
		if s.Kind != resnext.Bottleneck {
			continue
		}
		bottlenecks = true
		if n.from != nil && n.from.Graph && s.Stride != 1 && s.StrideRole() != role {
			return fmt.Errorf("--stride-on %s: %s says itself where the strides are, and it is elsewhere: leave --stride-on out", where, n.source)
		}
	}
	if !bottlenecks {
		return fmt.Errorf("--stride-on %s: %s has no bottlenecks: leave --stride-on out", where, n.source)
	}
	return n.SetStrideOn(role)
}
