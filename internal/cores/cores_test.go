package cores

import (
	"math"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestGranted(t *testing.T) {
	type files = map[string]string
	none := math.MaxInt
	for name, c := range map[string]struct {
		files files
		want  int
	}{
		"no /proc":        {files{}, none},
		"version 1 alone": {files{"proc/self/cgroup": "4:cpu,cpuacct:/a\n1:name=systemd:/a\n", "sys/fs/cgroup/a/cpu.max": "100000 100000"}, none},
		"a container":     {files{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2},
		"half a CPU":      {files{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1},
		"no quota":        {files{"proc/self/cgroup": "0::/a.slice/b\n", "sys/fs/cgroup/a.slice/b/cpu.max": "max 100000\n"}, none},
		"the tightest of the groups around": {files{
			"proc/self/cgroup": "0::/a/b/c\n", "sys/fs/cgroup/a/cpu.max": "300000 100000\n",
			"sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "sys/fs/cgroup/a/b/c/cpu.max": "800000 100000\n",
		}, 3},
		"both versions":     {files{"proc/self/cgroup": "1:cpu:/x\n0::/y\n", "sys/fs/cgroup/y/cpu.max": "400000 200000"}, 2},
		"out of the mount":  {files{"proc/self/cgroup": "0::/../../b\n", "sys/fs/cgroup/b/cpu.max": "100000 100000"}, 1},
		"an empty file":     {files{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": ""}, none},
		"no period":         {files{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "1000 0"}, none},
		"rubbish":           {files{"proc/self/cgroup": "0::/a\n::\n\n", "sys/fs/cgroup/a/cpu.max": "-1 x"}, none},
		"a number too long": {files{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "99999999999999999999 1"}, none},
	} {
		root := fstest.MapFS{}
		for file, text := range c.files {
			root[file] = &fstest.MapFile{Data: []byte(text)}
		}
		require.Equal(t, c.want, grantedBy(root), name)
	}
}

func TestUsable(t *testing.T) {
	n := Usable()
	require.GreaterOrEqual(t, n, 1)
	require.LessOrEqual(t, n, runtime.GOMAXPROCS(0))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	require.Equal(t, 1, Usable())
}
