package board

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// allowed reads the CPUs of a process or thread from its status file.
func allowed(t *testing.T, status string) string {
	t.Helper()
	b, err := os.ReadFile(status)
	require.NoError(t, err)
	m := regexp.MustCompile(`Cpus_allowed_list:\s*(\S+)`).FindSubmatch(b)
	require.NotNil(t, m)
	return string(m[1])
}

func TestPin(t *testing.T) {
	var before unix.CPUSet
	require.NoError(t, unix.SchedGetaffinity(0, &before))
	all := allowed(t, "/proc/thread-self/status")
	first := 0
	for !before.IsSet(first) {
		first++
	}
	require.ErrorContains(t, Pin([]int{maxCPU}), "there is no CPU 1023")

	procs := runtime.GOMAXPROCS(0)
	require.NoError(t, Pin([]int{first}))
	t.Cleanup(func() {
		require.NoError(t, pinThreads(&before))
		affinity.pinned = false
		runtime.GOMAXPROCS(procs)
	})
	require.Equal(t, 1, runtime.GOMAXPROCS(0))
	want, err := ParseCPUs(allowed(t, "/proc/self/status"))
	require.NoError(t, err)
	require.Equal(t, []int{first}, want)
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	require.NoError(t, err)
	for _, task := range tasks {
		got, err := ParseCPUs(allowed(t, task))
		require.NoError(t, err)
		require.Equal(t, []int{first}, got)
	}

	// A program that is started elsewhere has all the CPUs.
	cmd := exec.Command("cat", "/proc/self/status")
	path := filepath.Join(t.TempDir(), "status")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	cmd.Stdout = f
	require.NoError(t, Elsewhere(cmd.Start))
	require.NoError(t, cmd.Wait())
	require.Equal(t, all, allowed(t, path))
}
