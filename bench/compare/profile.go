package main

import (
	"context"
	"errors"
	"strings"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// profileRuns is how many inferences a profile is the median of.
const profileRuns = 20

// The kinds of operators that a profile tells apart, in the order in which they are printed.
const (
	kindStem    = "stem"
	kindPlain   = "1x1 convolutions"
	kindGrouped = "3x3 convolutions"
	kindAdd     = "residual adds"
	kindPool    = "max pooling"
	kindHead    = "average and classifier"
	kindOther   = "other"
)

var kinds = []string{kindStem, kindPlain, kindGrouped, kindAdd, kindPool, kindHead, kindOther}

// Profile tells where one inference's time goes, on one thread.
type Profile struct {
	Runtime string             `json:"runtime"`
	Network string             `json:"network"`
	MS      map[string]float64 `json:"ms"`
}

func profile(ctx context.Context, e entry, in *inputs) (p Profile, err error) {
	c, err := e.engine.load(ctx, e.network, in, 1)
	if err != nil {
		return Profile{}, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	r, err := c.ask(request{Do: "profile", Runs: profileRuns})
	if err != nil {
		return Profile{}, err
	}
	kind := kindsOf(e.network.q.Config)
	p = Profile{Runtime: c.name, Network: e.network.label, MS: map[string]float64{}}
	for node, ns := range r.Layers {
		p.MS[kindOf(kind, node)] += ns / 1e6
	}
	return p, nil
}

// kindsOf gives the kind of each node by how its name begins.
func kindsOf(cfg resnext.Config) map[string]string {
	kind := map[string]string{
		resnext.StemName: kindStem, resnext.PoolName: kindPool, resnext.AverageName: kindHead,
		resnext.ClassifierName: kindHead, "logits": kindHead,
	}
	for _, s := range topology.Lower(cfg).Steps {
		if s.Block == "" {
			continue
		}
		kind[s.Block] = kindAdd // what is not one of its convolutions
		kind[s.Name] = kindPlain
		if s.Conv.Kernel > 1 {
			kind[s.Name] = kindGrouped
		}
	}
	return kind
}

// kindOf finds the longest beginning of a node's name, up to a separator, that is known: runtimes put words of
// their own behind the names, and before them where they add nodes of their own.
func kindOf(kind map[string]string, node string) string {
	for node != "" {
		if k, ok := kind[node]; ok {
			return k
		}
		node = node[:max(0, strings.LastIndexAny(node, "./_"))]
	}
	return kindOther
}

// macs gives the multiply-accumulates of each kind.
func macs(cfg resnext.Config) map[string]int64 {
	n := map[string]int64{kindHead: int64(cfg.Features()) * int64(cfg.Classes)}
	kind := kindsOf(cfg)
	for _, s := range cfg.Convs() {
		n[kind[s.Name]] += s.MACs()
	}
	return n
}
