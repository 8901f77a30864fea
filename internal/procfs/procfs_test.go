package procfs

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestField(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cpuinfo")
	require.NoError(t, os.WriteFile(file, []byte("processor\t: 0\nmodel name\t: A  CPU: fast \nmodel name: second\nempty:\nno colon\n"), 0o600))
	for name, want := range map[string]string{
		"model name": "A  CPU: fast", "processor": "0", "empty": "", "Model": "", "no colon": "", "": "",
	} {
		require.Equal(t, want, Field(file, name))
	}
	require.Empty(t, Field(file+"x", "processor"))
	require.Empty(t, Field(t.TempDir(), "processor"))
}

// On other systems the answers are empty.
func TestThisProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		require.Zero(t, Bytes(os.Getpid(), PeakMemory))
		require.Empty(t, Load())
		return
	}
	now, peak := Bytes(os.Getpid(), Memory), Bytes(os.Getpid(), PeakMemory)
	require.Greater(t, now, int64(1<<20))
	require.GreaterOrEqual(t, peak, now)
	require.Zero(t, Bytes(os.Getpid(), "Name"), "no amount of memory")
	require.Zero(t, Bytes(os.Getpid(), "Threads"), "a number without a unit")
	require.Zero(t, Bytes(-1, PeakMemory))
	require.Regexp(t, `^[0-9.]+ [0-9.]+ [0-9.]+$`, Load())
}
