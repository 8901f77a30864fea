package main

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

// shareLine is a row for the table of measured speeds in examples/raspi/README.md: what ran, where, how fast.
func shareLine(m *resnext.Model, results []benchResult) string {
	cfg := m.Config()
	var times []string
	memory := "-"
	for _, r := range results {
		times = append(times, fmt.Sprintf("%s %.1f (%.1f)", cli.Plural(r.Threads, "thread"), r.MedianMS, r.MinMS))
		if r.PeakRSSBytes > 0 {
			memory = cli.Bytes(r.PeakRSSBytes)
		}
	}
	cells := []string{
		machineName(), m.Kernels(),
		fmt.Sprintf("%s %dx%d", cli.ArchName(cfg), cfg.Width, cfg.Height),
		strings.Join(times, ", ") + " ms", memory,
		fmt.Sprintf("%s, %s/%s", resnext.Version, runtime.GOOS, runtime.GOARCH),
	}
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(cli.Printable(c), "|", "/")
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// machineName is what the computer calls itself, such as "Raspberry Pi 5 Model B Rev 1.0", or its CPU.
func machineName() string {
	if board := strings.TrimSpace(deviceTreeModel()); board != "" {
		return board
	}
	return cpuName()
}
