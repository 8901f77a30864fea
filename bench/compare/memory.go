package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// memory gives a field of a process's /proc status in bytes, such as VmHWM; 0 where the system has none (all
// but Linux).
func memory(pid int, field string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if words := strings.Fields(value); name == field && len(words) == 2 {
			n, err := strconv.ParseInt(words[0], 10, 64)
			if err == nil && words[1] == "kB" {
				return n << 10
			}
		}
	}
	return 0
}

// load is how many processes wanted the CPU lately: the averages of /proc/loadavg, or "" without it.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if words := strings.Fields(string(text)); err == nil && len(words) > 3 {
		return strings.Join(words[:3], " ")
	}
	return ""
}
