package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/procfs"
)

// Report is the outcome of a comparison, and the object of --json.
type Report struct {
	Network string   `json:"network"`
	MACs    int64    `json:"macs"`
	CPU     string   `json:"cpu"`
	Cores   int      `json:"cores"`
	Kernels string   `json:"kernels"`
	Load    []string `json:"load_before_and_after"`
	// Busy is the number of programs that burnt CPU time meanwhile, on purpose.
	Busy       int         `json:"busy_loops"`
	Quiet      []Quiet     `json:"rounds"`
	Images     string      `json:"images"`
	Timings    []*Timing   `json:"timings"`
	Ratios     []Ratio     `json:"ratios"`
	Agreements []Agreement `json:"agreements"`
	Profiles   []Profile   `json:"profiles,omitempty"`
	// MACsByKind are the multiply-accumulates of each line of a profile.
	MACsByKind map[string]int64 `json:"macs_by_kind"`
}

func newReport(n *network, in *inputs) *Report {
	cfg := n.q.Config
	r := &Report{
		Network: fmt.Sprintf("%s, %dx%d pixels", cli.ArchName(cfg), cfg.Width, cfg.Height),
		MACs:    cfg.MACs(), CPU: strings.Join(strings.Fields(cpuid.CPU.BrandName), " "), Cores: runtime.NumCPU(),
		Load: []string{procfs.Load()}, Images: in.about,
		MACsByKind: macs(cfg),
	}
	if k, _, err := asm.Select(""); err == nil {
		r.Kernels = k.Name
	}
	return r
}

func (r *Report) printJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *Report) print(w io.Writer, threads []int) {
	about := cli.Table{}
	about.Row("network", fmt.Sprintf("%s, %s multiply-accumulates", r.Network, cli.Count(r.MACs)))
	about.Row("machine", fmt.Sprintf("%s, %s; this library's kernels: %s", r.CPU, cli.Plural(r.Cores, "core"), r.Kernels))
	about.Row("load", strings.Join(r.Load, " before, ")+" after")
	if r.Busy > 0 {
		about.Row("beside", cli.Plural(r.Busy, "busy loop"))
	}
	for _, q := range r.Quiet {
		text := fmt.Sprintf("%d of %d were undisturbed by other processes, and count", q.Quiet, q.Rounds)
		if r.Busy > 0 {
			text = fmt.Sprintf("all %d count", q.Rounds)
		} else if q.Quiet < leastQuiet {
			text = fmt.Sprintf("all %d, but DISTURBED by other processes: only %d were quiet", q.Rounds, q.Quiet)
		}
		about.Row("rounds", fmt.Sprintf("%s: %s", threadsText(q.Threads), text))
	}
	about.Print(w)
	for _, n := range threads {
		r.printTimings(w, n)
	}
	r.printThreads(w, threads)
	r.printAgreements(w)
	r.printProfiles(w)
}

func right(n int) []bool {
	columns := make([]bool, n)
	for i := 2; i < n; i++ {
		columns[i] = true
	}
	return columns
}

func (r *Report) printTimings(w io.Writer, threads int) {
	fmt.Fprintf(w, "\n%s\n", cli.Plural(threads, "thread"))
	t := cli.Table{Right: right(8)}
	t.Row("runtime", "network", "median ms", "min ms", "GMAC/s", "peak memory", "before load", "load ms")
	for _, x := range r.Timings {
		if x.Threads == threads {
			t.Row(x.Runtime+" "+x.Version, x.Network, two(x.MedianMS), two(x.MinMS), fmt.Sprintf("%.1f", x.GMACs),
				cli.Bytes(x.PeakBytes), cli.Bytes(x.IdleBytes), fmt.Sprintf("%.0f", x.LoadMS))
		}
	}
	t.Print(w)
	fmt.Fprintf(w, "\nspeed-up of %s over other runtimes, on %s\n", ourName, cli.Plural(threads, "thread"))
	t = cli.Table{Right: right(5)}
	t.Row("network", "over", "by medians", "by minima", "by round")
	for _, x := range r.Ratios {
		if x.Threads == threads {
			t.Row(x.Network, x.Other, two(x.ByMedian), two(x.ByMin), two(x.ByRound))
		}
	}
	t.Print(w)
}

// printThreads compares each runtime's times on several threads with its own on the first number of them.
func (r *Report) printThreads(w io.Writer, threads []int) {
	if len(threads) < 2 {
		return
	}
	fmt.Fprintf(w, "\nspeed-up over %s, by medians (by minima)\n", cli.Plural(threads[0], "thread"))
	t := cli.Table{Right: right(1 + len(threads))}
	head := []any{"runtime", "network"}
	for _, n := range threads[1:] {
		head = append(head, cli.Plural(n, "thread"))
	}
	t.Row(head...)
	for _, first := range r.Timings {
		if first.Threads != threads[0] {
			continue
		}
		row := []any{first.Runtime, first.Network}
		for _, x := range r.Timings {
			if x.Runtime == first.Runtime && x.Network == first.Network && x.Threads != first.Threads {
				row = append(row, fmt.Sprintf("%.2f (%.2f)", first.MedianMS/x.MedianMS, first.MinMS/x.MinMS))
			}
		}
		t.Row(row...)
	}
	t.Print(w)
}

func (r *Report) printAgreements(w io.Writer) {
	if len(r.Agreements) == 0 {
		return
	}
	fmt.Fprintf(w, "\nanswers beside this library's on the same network, %s\n", r.Images)
	t := cli.Table{Right: right(6)}
	t.Row("runtime", "network", "same class", "logits SQNR dB", "largest difference of logits", "top-1")
	for _, a := range r.Agreements {
		top1 := "-"
		if a.Correct != nil {
			top1 = percent(*a.Correct)
		}
		if a.Runtime == ourName {
			t.Row(a.Runtime, a.Network, "-", "-", "-", top1)
			continue
		}
		t.Row(a.Runtime, a.Network, percent(a.Equal), fmt.Sprintf("%.1f", a.SQNR), fmt.Sprintf("%.3g of %.3g", a.Largest, a.Highest), top1)
	}
	t.Print(w)
}

func (r *Report) printProfiles(w io.Writer) {
	if len(r.Profiles) == 0 {
		return
	}
	fmt.Fprint(w, "\nwhere the time goes, ms on 1 thread\n")
	t := cli.Table{Right: append([]bool{false, true}, right(len(r.Profiles) + 2)[2:]...)}
	names, networks, sums := []any{"runtime", ""}, []any{"network", "MACs"}, []any{"sum", cli.Count(r.MACs)}
	for _, p := range r.Profiles {
		sum := 0.0
		for _, ms := range p.MS {
			sum += ms
		}
		names, networks, sums = append(names, p.Runtime), append(networks, p.Network), append(sums, two(sum))
	}
	t.Row(names...)
	t.Row(networks...)
	for _, k := range kinds {
		row := []any{k, cli.Count(r.MACsByKind[k])}
		for _, p := range r.Profiles {
			row = append(row, two(p.MS[k]))
		}
		t.Row(row...)
	}
	t.Row(sums...)
	t.Print(w)
}

func two(v float64) string     { return fmt.Sprintf("%.2f", v) }
func percent(v float64) string { return fmt.Sprintf("%.2f%%", 100*v) }
