package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// profiler gathers the time of every operator over the runs of a measurement.
type profiler struct {
	names []string // in the order in which they run
	times map[string][]time.Duration
}

// attach makes a session report to p.
func (p *profiler) attach(s *resnext.Session) {
	p.times = make(map[string][]time.Duration)
	s.Timed = func(name string, took time.Duration) {
		if _, ok := p.times[name]; !ok {
			p.names = append(p.names, name)
		}
		p.times[name] = append(p.times[name], took)
	}
}

// layerTime is the median time of one operator. Share is its part (0 to 1) of the sum of all medians.
type layerTime struct {
	Name           string  `json:"name"`
	MedianUS       float64 `json:"median_us"`
	Share          float64 `json:"share"`
	MACs           int64   `json:"macs,omitempty"`
	GMACsPerSecond float64 `json:"gmacs_per_second,omitempty"`
}

// layers lists the operators in the order in which they run.
func (p *profiler) layers(cfg resnext.Config) []layerTime {
	macs := map[string]int64{}
	for _, s := range topology.Lower(cfg).Layers() {
		macs[s.Name] = s.MACs()
	}
	var list []layerTime
	var sum float64
	for _, name := range p.names {
		slices.Sort(p.times[name])
		us := float64(p.times[name][len(p.times[name])/2].Nanoseconds()) / 1e3
		sum += us
		list = append(list, layerTime{Name: name, MedianUS: us, MACs: macs[name], GMACsPerSecond: float64(macs[name]) / max(us, 1e-3) / 1e3})
	}
	for i := range list {
		list[i].Share = list[i].MedianUS / sum
	}
	return list
}

// kinds adds up operators of one kind: all reduce layers, all transform layers, ..., the slowest first.
func kinds(layers []layerTime) []layerTime {
	var list []layerTime
	for _, l := range layers {
		kind := l.Name[strings.LastIndexByte(l.Name, '.')+1:]
		i := slices.IndexFunc(list, func(k layerTime) bool { return k.Name == kind })
		if i < 0 {
			i = len(list)
			list = append(list, layerTime{Name: kind})
		}
		list[i].MedianUS += l.MedianUS
		list[i].Share += l.Share
		list[i].MACs += l.MACs
	}
	for i := range list {
		list[i].GMACsPerSecond = float64(list[i].MACs) / max(list[i].MedianUS, 1e-3) / 1e3
	}
	slices.SortStableFunc(list, func(a, b layerTime) int { return int(b.MedianUS - a.MedianUS) })
	return list
}

// printProfile prints the layers and their kinds.
func printProfile(w io.Writer, layers []layerTime) {
	fmt.Fprintln(w)
	t := cli.Table{Right: []bool{false, true, true, true, true}}
	t.Row("layer", "median us", "share", "MACs", "GMAC/s")
	row := func(l layerTime) {
		macs, rate := "", ""
		if l.MACs > 0 {
			macs, rate = cli.Count(l.MACs), fmt.Sprintf("%.1f", l.GMACsPerSecond)
		}
		t.Row(l.Name, fmt.Sprintf("%.1f", l.MedianUS), fmt.Sprintf("%.1f%%", 100*l.Share), macs, rate)
	}
	for _, l := range layers {
		row(l)
	}
	t.Row("")
	for _, l := range kinds(layers) {
		row(l)
	}
	t.Print(w)
}
