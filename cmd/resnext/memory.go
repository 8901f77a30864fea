package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// peakMemory is the most physical memory that this process ever had, in bytes; 0 where the system does not
// tell it in /proc (all but Linux).
func peakMemory() int64 {
	kilobytes, _, _ := strings.Cut(procField("/proc/self/status", "VmHWM"), " ")
	n, err := strconv.ParseInt(kilobytes, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n << 10
}

// procField gives the value of the first line "field: value" of a file such as /proc/cpuinfo, or "".
func procField(file, field string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == field {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
