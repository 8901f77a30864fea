//go:build unix

package group

import (
	"bufio"
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
)

func TestWait(t *testing.T) {
	for _, c := range []struct {
		name, script string
		cancel       bool
		want         string
	}{
		{"asked", "sleep 1000000 & echo $!; wait", true, "signal: terminated"},
		{"deaf", "trap '' TERM; sleep 1000000 & echo $!; while :; do sleep 1000000; done", true, "signal: killed"},
		{"by itself", "sleep 1000000 & echo $!; exit 3", false, "exit status 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			grace := time.Hour
			if c.name == "deaf" {
				grace = 20 * time.Millisecond
			}
			cmd := Command(ctx, grace, "sh", "-c", c.script)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			grandchild, err := strconv.Atoi(strings.TrimSpace(line))
			require.NoError(t, err)
			require.False(t, gone(grandchild))

			if c.cancel {
				cancel()
			}
			require.EqualError(t, Wait(cmd), c.want)
			await.True(t, func() bool { return gone(grandchild) })
		})
	}
}

// gone reports whether a process has ended; one that nobody has waited for yet has.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// TestEnviron: programs do not see what is meant for this one.
func TestEnviron(t *testing.T) {
	for _, name := range private {
		t.Setenv(name, "secret")
	}
	t.Setenv("OTHER", "seen")
	cmd := Command(context.Background(), time.Second, "env")
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "OTHER=seen")
	require.NotContains(t, string(out), "secret")
}

func TestOutput(t *testing.T) {
	text, err := Output(t.Context(), 100, "echo", "hello")
	require.NoError(t, err)
	require.Equal(t, "hello\n", text)
	_, err = Output(t.Context(), 5, "echo", "hello")
	require.ErrorIs(t, err, errTooLong)
	_, err = Output(t.Context(), 1000, "yes")
	require.EqualError(t, err, "signal: broken pipe", "it ends because nobody takes more")
	_, err = Output(t.Context(), 1000, "sh", "-c", "echo no; exit 3")
	require.ErrorContains(t, err, "exit status 3")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Output(ctx, 1000, "sleep", "1000000")
	require.ErrorIs(t, err, context.Canceled)
}
