// Package procfs reads what Linux tells in /proc. Where there is no /proc its answers are empty.
package procfs

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Fields of a process's status: the most physical memory that it ever had, and what it has now.
const (
	PeakMemory = "VmHWM"
	Memory     = "VmRSS"
)

// Field gives the value of the first line "name: value" of a file such as /proc/cpuinfo, or "".
func Field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if field, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(field) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Bytes gives a field of a process's status that is an amount of memory, such as PeakMemory, in bytes; 0 where
// there is none.
func Bytes(pid int, field string) int64 {
	number, unit, _ := strings.Cut(Field(fmt.Sprintf("/proc/%d/status", pid), field), " ")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || unit != "kB" {
		return 0
	}
	return n << 10
}

// Load is how many processes wanted the CPU in the last 1, 5 and 15 minutes, on average, as one text; or "".
func Load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if words := strings.Fields(string(text)); err == nil && len(words) > 3 {
		return strings.Join(words[:3], " ")
	}
	return ""
}
