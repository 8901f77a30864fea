package main

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/asm"
)

// A whole layer is millions of instructions of which a pipeline model takes a hundred thousand a second. So
// each kernel call that the library makes is put together from smaller ones with the same pointers, tables
// and packed weights, whose cost grows by equal steps. With S the cycles of a sample:
//
//	igemm, M pixels, P panels     S(m,1) + (P-1)*(S(m,2)-S(m,1)) + P*(M-m)/24*(S(48,1)-S(24,1)),
//	                              where m is 24 and what is left of M after whole tiles
//	grouped, R rows, P panels     R * (S(1,1) + (P-1)*(S(1,2)-S(1,1))), a sample being a row
//	pooling, scaling, R rows      R * S(1)
//	sum, C channels               S(c) + (C-c)/64*(S(128)-S(64)), where c is 64 and what is left of C after whole 64s
//	linear, N classes             S(n) + (N-n)/8*(S(16)-S(8)), likewise
const (
	pixelUnit   = 24 // a multiple of every kernel's tile height
	channelUnit = 64
	classUnit   = 8
)

// sampler replaces calls by samples and runs each sample once.
type sampler struct {
	kernels *asm.Kernels
	report  *Report
	known   map[string]int
	terms   terms // of the task at hand
}

func newSampler(k *asm.Kernels, r *Report) *sampler {
	return &sampler{kernels: k, report: r, known: map[string]int{}}
}

// recording is the kernel set with kernels that take samples instead.
func (s *sampler) recording() *asm.Kernels {
	k := *s.kernels
	k.IGEMM = s.igemm
	k.Group4.Run = func(a *asm.GroupArgs) { s.group(4, a) }
	k.Group8.Run = func(a *asm.GroupArgs) { s.group(8, a) }
	k.MaxPool = func(a *asm.PoolArgs) { s.pool("maxpool", s.kernels.MaxPool, a) }
	k.AveragePool = func(a *asm.PoolArgs) { s.pool("averagepool", s.kernels.AveragePool, a) }
	k.Sum, k.Linear, k.Scale = s.sum, s.linear, s.scale
	return &k
}

// sample adds weight times a sample to the task. A sample that is new is run.
func (s *sampler) sample(weight float64, run func(), format string, args ...any) {
	key := fmt.Sprintf(format, args...)
	i, ok := s.known[key]
	if !ok {
		i = len(s.report.Samples)
		s.known[key] = i
		s.report.Samples = append(s.report.Samples, key)
		begin()
		run()
		end()
	}
	s.terms[i] += weight
}

func (s *sampler) igemm(a *asm.IGEMMArgs) {
	part := func(weight float64, pixels, panels int) {
		b := *a
		b.M, b.Panels = pixels, panels
		s.sample(weight, func() { s.kernels.IGEMM(&b) }, "igemm pixels=%d panels=%d taps=%d k=%d nr=%d mode=%d chain=%d",
			pixels, panels, b.Taps, b.K, b.NR, b.Epilogue, b.Depth)
	}
	least, units := a.M, 0.0
	if tile := slices.Max(s.kernels.MR); a.M >= pixelUnit+tile {
		least = pixelUnit + a.M%tile
		units = float64(a.M-least) / pixelUnit
	}
	further := float64(a.Panels - 1)
	part(1-further, least, 1)
	if further > 0 {
		part(further, least, 2)
	}
	if slope := float64(a.Panels) * units; slope > 0 {
		part(-slope, pixelUnit, 1)
		part(slope, 2*pixelUnit, 1)
	}
}

func (s *sampler) group(width int, a *asm.GroupArgs) {
	part := func(weight float64, panels int) {
		b := *a
		b.Rows, b.Panels = 1, panels
		s.sample(weight*float64(a.Rows), func() { s.kernels.Group(width).Run(&b) }, "group%d cols=%d panels=%d chain=%d",
			width, b.Cols, panels, b.Depth)
	}
	further := float64(a.Panels - 1)
	part(1-further, 1)
	if further > 0 {
		part(further, 2)
	}
}

func (s *sampler) pool(name string, run func(*asm.PoolArgs), a *asm.PoolArgs) {
	b := *a
	b.Rows = 1
	s.sample(float64(a.Rows), func() { run(&b) }, "%s cols=%d channels=%d", name, b.Cols, b.Channels)
}

func (s *sampler) scale(a *asm.ScaleArgs) {
	b := *a
	b.Rows = 1
	s.sample(float64(a.Rows), func() { s.kernels.Scale(&b) }, "scale cols=%d channels=%d mode=%d", b.Cols, b.Channels, b.Epilogue)
}

func (s *sampler) sum(a *asm.SumArgs) {
	stretch(a.Channels, channelUnit, func(weight float64, channels int) {
		b := *a
		b.Channels = channels
		s.sample(weight, func() { s.kernels.Sum(&b) }, "sum pixels=%d channels=%d signed=%t", b.Pixels, channels, b.Signed)
	})
}

func (s *sampler) linear(a *asm.LinearArgs) {
	stretch(a.N, classUnit, func(weight float64, classes int) {
		b := *a
		b.N = classes
		s.sample(weight, func() { s.kernels.Linear(&b) }, "linear classes=%d k=%d", classes, b.K)
	})
}

// stretch puts n together from parts of at most two units, or takes it as it is where it is less.
func stretch(n, unit int, part func(weight float64, n int)) {
	least := min(n, unit+n%unit)
	part(1, least)
	if slope := float64(n-least) / float64(unit); slope > 0 {
		part(-slope, unit)
		part(slope, 2*unit)
	}
}
