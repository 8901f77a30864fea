package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// cpuTime is a reading of the system's clocks, in their ticks: how long all cores together were there, how long
// they worked, and for how much of that a process is to blame. All are 0 where there is no /proc.
type cpuTime struct{ all, busy, own int64 }

// readCPUTime reads the clocks for the process pid.
func readCPUTime(pid int) cpuTime {
	var t cpuTime
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t
	}
	line, _, _ := strings.Cut(string(text), "\n")
	// cpu user nice system idle iowait irq softirq steal; what follows is part of these.
	for i, n := range numbers(strings.TrimPrefix(line, "cpu"), 8) {
		t.all += n
		if i != 3 && i != 4 {
			t.busy += n
		}
	}
	text, err = os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return t
	}
	// The process's name is in brackets; the 12th and 13th number behind it are the user and system time.
	if words := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])); len(words) > 12 {
		for _, n := range numbers(strings.Join(words[11:13], " "), 2) {
			t.own += n
		}
	}
	return t
}

// numbers reads up to n numbers.
func numbers(s string, n int) []int64 {
	var v []int64
	for _, word := range strings.Fields(s) {
		x, err := strconv.ParseInt(word, 10, 64)
		if err != nil || len(v) == n {
			break
		}
		v = append(v, x)
	}
	return v
}

// quiet reports whether, since the reading before, other processes left the cores alone: whether they worked for at
// most a tenth of the time on one core, give or take a tick.
func (t cpuTime) quiet(before cpuTime, cores int) bool {
	others := t.busy - before.busy - (t.own - before.own)
	elapsed := (t.all - before.all) / int64(cores)
	return others <= elapsed/10+1
}
