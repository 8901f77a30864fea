// Command kernels measures the micro-kernels of this CPU, alone and in cache, beside the ceiling that its
// usual int8 instructions set. All cases run interleaved; the best and the median of many short runs are
// printed, because the machine may be shared.
//
//	go run ./bench/kernels [-rounds N] [-set NAME]
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/libresnext/libresnext/asm"
)

func main() {
	rounds := flag.Int("rounds", 200, "runs of each case")
	set := flag.String("set", "", "kernel set; the best of this CPU by default")
	flag.Parse()
	k, warning, err := asm.Select(*set)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
	if warning != "" {
		fmt.Fprintln(os.Stderr, "kernels:", warning)
	}
	cases := append(ceilings(), igemmCases(k)...)
	cases = append(cases, groupCases(k)...)
	measure(cases, *rounds)
	print(k.Name, cases)
}

// benchCase is one kernel at one shape.
type benchCase struct {
	name  string
	macs  int // of one run
	run   func()
	times []time.Duration
}

// measure runs all cases in turn, so that a slow moment of the machine meets all alike.
func measure(cases []*benchCase, rounds int) {
	for _, c := range cases {
		c.run()
	}
	for range rounds {
		for _, c := range cases {
			start := time.Now()
			c.run()
			c.times = append(c.times, time.Since(start))
		}
	}
	for _, c := range cases {
		slices.Sort(c.times)
	}
}

func (c *benchCase) rate(d time.Duration) float64 { return float64(c.macs) / d.Seconds() / 1e9 }

func (c *benchCase) best() float64 { return c.rate(c.times[0]) }

func (c *benchCase) median() float64 { return c.rate(c.times[len(c.times)/2]) }

func print(set string, cases []*benchCase) {
	ceiling := 0.0
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "kernel set %s\tbest GMAC/s\tmedian\tof the usual int8 loop\t\n", set)
	for _, c := range cases {
		if ceiling == 0 {
			ceiling = c.best()
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.2f\t\n", c.name, c.best(), c.median(), c.best()/ceiling)
	}
	_ = w.Flush()
}
