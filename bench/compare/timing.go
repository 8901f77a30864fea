package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// Timing is what one contestant measured on one number of threads.
type Timing struct {
	Runtime string `json:"runtime"`
	Version string `json:"version"`
	Network string `json:"network"`
	Threads int    `json:"threads"`
	// MedianMS and MinMS are of all inferences; GMACs is the speed by the median.
	MedianMS float64 `json:"median_ms"`
	MinMS    float64 `json:"min_ms"`
	GMACs    float64 `json:"gmacs_per_second"`
	// PeakBytes is the most memory that the process ever had, IdleBytes what it had before the model.
	PeakBytes int64   `json:"peak_bytes"`
	IdleBytes int64   `json:"idle_bytes"`
	LoadMS    float64 `json:"load_ms"`

	// RoundsMS are the medians of the rounds that count.
	RoundsMS []float64 `json:"rounds_ms"`

	all []float64 // every inference that counts, ms
}

// Quiet tells how many rounds on these numbers of threads were disturbed by other processes. The quiet ones count, or
// all if there are fewer than leastQuiet.
type Quiet struct {
	Threads []int `json:"threads"`
	Rounds  int   `json:"rounds"`
	Quiet   int   `json:"quiet"`
}

const (
	// patience is how many times as many rounds are run as quiet ones are wanted.
	patience   = 3
	leastQuiet = 5
	// leastRuns is how many inferences of a turn count at least.
	leastRuns = 3
)

// Ratio is the speed-up of this library over another contestant on one of the networks. ByMedian and
// ByMin are those of the medians and minima of all inferences; ByRound is the median over the rounds of the ratio of the
// two medians inside a round, which a machine that is slow for a while disturbs least.
type Ratio struct {
	Network  string  `json:"network"`
	Threads  int     `json:"threads"`
	Other    string  `json:"other"`
	ByMedian float64 `json:"by_median"`
	ByMin    float64 `json:"by_min"`
	ByRound  float64 `json:"by_round"`
}

// time measures all entries on each of these numbers of threads, in turns: each round lets every contestant infer some
// times. The timings are in the order of threads, then of entries.
func (c *comparison) time(ctx context.Context, threads ...int) (timings []*Timing, q Quiet, err error) {
	var contestants []*contestant
	defer func() {
		for _, x := range contestants {
			err = errors.Join(err, x.close())
		}
	}()
	for _, n := range threads {
		for _, e := range c.entries {
			x, err := e.engine.load(ctx, e.network, c.inputs, n)
			if err != nil {
				return nil, q, err
			}
			contestants = append(contestants, x)
			timings = append(timings, &Timing{
				Runtime: x.name, Version: x.version, Network: e.network.label, Threads: n,
				LoadMS: float64(x.loadNS) / 1e6, IdleBytes: x.idleBytes,
			})
		}
	}
	rounds, q, err := c.rounds(contestants)
	if err != nil {
		return nil, q, err
	}
	q.Threads = threads
	for i, t := range timings {
		t.PeakBytes = contestants[i].peakBytes()
		t.summarise(rounds, i, c.networks[0].q.Config.MACs())
	}
	return timings, q, nil
}

// round holds the times of every contestant's inferences, ms.
type round [][]float64

// rounds lets the contestants infer in turns until enough rounds were quiet, or patience ends, and gives the
// rounds that count.
func (c *comparison) rounds(contestants []*contestant) ([]round, Quiet, error) {
	var all, quiet []round
	for len(quiet) < c.wanted && len(all) < c.wanted*patience {
		r, still := round{}, true
		for _, x := range contestants {
			times, undisturbed, err := x.turn(c.options)
			if err != nil {
				return nil, Quiet{}, err
			}
			r, still = append(r, times), still && (undisturbed || c.busy > 0)
		}
		all = append(all, r)
		if still {
			quiet = append(quiet, r)
		}
	}
	q := Quiet{Rounds: len(all), Quiet: len(quiet)}
	if len(quiet) < leastQuiet {
		return all, q, nil
	}
	return quiet, q, nil
}

// turn lets a contestant infer, and reports whether other processes left it alone. The pause before it outlasts the
// time for which the other contestants' threads keep spinning after their turn; the first inference, which finds
// cold caches and sleeping threads, does not count.
func (x *contestant) turn(o *options) (ms []float64, quiet bool, err error) {
	time.Sleep(o.pause)
	before := readCPUTime(x.cmd.Process.Pid)
	if x.runs == 0 {
		r, err := x.time(2)
		if err != nil {
			return nil, false, err
		}
		x.runs = max(leastRuns, int(o.turn.Nanoseconds()/max(r[1], 1)))
	}
	ns, err := x.time(x.runs + 1)
	if err != nil {
		return nil, false, err
	}
	for _, v := range ns[1:] {
		ms = append(ms, float64(v)/1e6)
	}
	return ms, readCPUTime(x.cmd.Process.Pid).quiet(before, runtime.NumCPU()), nil
}

// time gives the nanoseconds of each of so many inferences.
func (x *contestant) time(runs int) ([]int64, error) {
	r, err := x.ask(request{Do: "time", Runs: runs})
	if err == nil && len(r.NS) != runs {
		err = fmt.Errorf("%s: %d times, expected %d", x.name, len(r.NS), runs)
	}
	return r.NS, err
}

// summarise fills in the figures of contestant i.
func (t *Timing) summarise(rounds []round, i int, macs int64) {
	for _, r := range rounds {
		t.all = append(t.all, r[i]...)
		t.RoundsMS = append(t.RoundsMS, median(r[i]))
	}
	t.MedianMS, t.MinMS = median(t.all), slices.Min(t.all)
	t.GMACs = float64(macs) / t.MedianMS / 1e6
}

// ratios compares this library's timings, of which there is one for each network, with the others, or without any
// with that of the first network.
func ratios(timings []*Timing, networks int) []Ratio {
	others := timings[networks:]
	if len(others) == 0 {
		others = timings[:1]
	}
	var all []Ratio
	for _, ours := range timings[:networks] {
		for _, other := range others {
			name := other.Runtime
			if other.Runtime == ours.Runtime {
				name = other.Network
			}
			byRound := make([]float64, len(ours.RoundsMS))
			for i := range byRound {
				byRound[i] = other.RoundsMS[i] / ours.RoundsMS[i]
			}
			all = append(all, Ratio{
				Network: ours.Network, Threads: ours.Threads, Other: name,
				ByMedian: other.MedianMS / ours.MedianMS, ByMin: other.MinMS / ours.MinMS, ByRound: median(byRound),
			})
		}
	}
	return all
}

// median gives the middle of at least one number.
func median(v []float64) float64 {
	sorted := slices.Sorted(slices.Values(v))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
