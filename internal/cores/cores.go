// Package cores counts the CPU cores that this process may really use.
package cores

import (
	"io/fs"
	"math"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// Usable returns how many threads of this process can run at once without slowing each other down: GOMAXPROCS, but no
// more than the CPUs that the calling thread is bound to (taskset, cpusets), nor than the whole CPUs that the quotas of
// its cgroups (version 2) grant, for example those of a container. It is at least 1. Linux alone has bindings and
// quotas.
func Usable() int { return max(1, min(runtime.GOMAXPROCS(0), bound(), granted())) }

// grantedBy returns the whole CPUs that quotas grant to the process whose /proc/self/cgroup and cgroup file system lie
// in root, a view of the file system's root: at least 1, and math.MaxInt where no quota is.
func grantedBy(root fs.FS) int {
	const mount = "sys/fs/cgroup"
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return math.MaxInt
	}
	least := math.Inf(1)
	for line := range strings.Lines(string(text)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::/") // version 2
		if !ok {
			continue
		}
		// A group has no more than the groups that it lies in. A path that leads out of the namespace ends at its root.
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			if max, err := fs.ReadFile(root, path.Join(mount, group, "cpu.max")); err == nil {
				least = math.Min(least, quota(string(max)))
			}
			if group == "/" {
				break
			}
		}
	}
	if math.IsInf(least, 1) {
		return math.MaxInt
	}
	return max(1, int(least))
}

// quota reads a cpu.max, "50000 100000" for half a CPU, "max 100000" for no quota.
func quota(text string) float64 {
	words := strings.Fields(text)
	if len(words) != 2 {
		return math.Inf(1)
	}
	time, err1 := strconv.ParseUint(words[0], 10, 32)
	period, err2 := strconv.ParseUint(words[1], 10, 32)
	if err1 != nil || err2 != nil || period == 0 {
		return math.Inf(1)
	}
	return float64(time) / float64(period)
}
