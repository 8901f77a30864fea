//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

// process is the program as a user starts it.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout *bufio.Reader
	pipe   io.Closer
	mu     sync.Mutex
	stderr bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(b)
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// launch starts the program with a camera program in its path that is the given shell script.
func launch(t *testing.T, camera string, env []string, args ...string) *process {
	t.Helper()
	folder := filepath.Dir(save(t, "rpicam-vid", []byte("#!/bin/sh\n"+camera)))
	p := &process{t: t, cmd: exec.Command(made.program, append([]string{made.model}, args...)...)}
	p.cmd.Env = append(append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH")), env...)
	p.cmd.Stderr = p
	out, in, err := os.Pipe()
	require.NoError(t, err)
	// A pipe of one page fills up soon.
	_, err = unix.FcntlInt(in.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize())
	require.NoError(t, err)
	p.cmd.Stdout, p.stdout, p.pipe = in, bufio.NewReader(out), out
	require.NoError(t, p.cmd.Start())
	require.NoError(t, in.Close())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// update reads the next update, whatever comes before it.
func (p *process) update() live.Update {
	p.t.Helper()
	for {
		line, err := p.stdout.ReadBytes('\n')
		require.NoError(p.t, err, p.said())
		var u live.Update
		require.NoError(p.t, json.Unmarshal(line, &u))
		if u.Frame > 0 {
			return u
		}
	}
}

// end waits for the program, as long as it takes.
func (p *process) end() (code int) {
	p.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	await.True(p.t, func() bool { return len(ended) > 0 }, "it ends; it said:", p.said)
	<-ended
	return p.cmd.ProcessState.ExitCode()
}

// says waits until the program has said something.
func (p *process) says(text string) {
	p.t.Helper()
	await.True(p.t, func() bool { return strings.Contains(p.said(), text) }, text, "is said; it said:", p.said)
}

// shows is a camera script that shows pictures one after the other, for ever.
func shows(t *testing.T, labels ...string) string {
	t.Helper()
	text := "echo $$ >>\"$PIDS\"\nwhile :; do\n"
	for _, l := range labels {
		text += fmt.Sprintf("cat '%s' || exit 1; sleep 0.02\n", save(t, l+".jpg", stream(t, l)))
	}
	return text + "done\n"
}

func pids(t *testing.T) (env string, list func() []string) {
	path := filepath.Join(t.TempDir(), "pids")
	return "PIDS=" + path, func() []string {
		b, _ := os.ReadFile(path) // it may not be there yet
		return strings.Fields(string(b))
	}
}

func TestCameraProgram(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			env, list := pids(t)
			p := launch(t, shows(t, "bag"), []string{env}, "--json")
			for range 5 {
				require.Equal(t, "bag", p.update().Shown.Label)
			}
			require.Len(t, list(), 1)
			require.NoError(t, p.cmd.Process.Signal(signal))
			go io.Copy(io.Discard, p.stdout)
			require.Zero(t, p.end(), p.said())
			require.Empty(t, p.said())
			_, err := os.Stat("/proc/" + list()[0])
			require.ErrorIs(t, err, os.ErrNotExist, "the camera's program goes on")
		})
	}
}

// TestNohup closes the terminal of a program that is not to care.
func TestNohup(t *testing.T) {
	nohup := exec.Command("nohup", made.program, made.model, fashion+"sample", "--loop", "--fps", "100", "--threads", "1", "--json")
	out, err := nohup.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, nohup.Start())
	defer nohup.Process.Kill()
	lines := bufio.NewScanner(out)
	for i := range 20 {
		require.True(t, lines.Scan())
		if i == 5 {
			require.NoError(t, nohup.Process.Signal(syscall.SIGHUP))
		}
	}
	require.NoError(t, nohup.Process.Signal(syscall.SIGTERM))
	go io.Copy(io.Discard, out)
	require.NoError(t, nohup.Wait())
}

func TestCameraThatDies(t *testing.T) {
	env, list := pids(t)
	picture := save(t, "p.jpg", stream(t, "trouser"))
	p := launch(t, fmt.Sprintf("echo $$ >>\"$PIDS\"\ncat '%s'; sleep 0.3; cat '%s'; echo 'ERROR: lost' >&2; exit 255\n", picture, picture), []string{env}, "--json")
	for i := range 3 {
		require.EqualValues(t, i+1, p.update().Frame)
	}
	require.GreaterOrEqual(t, len(list()), 2)
	p.says("rpicam-vid 640x480: exit status 255: ERROR: lost; starting it again in 500ms")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, p.end())

	p = launch(t, "exit 3", nil, "--once", "--quiet")
	require.Equal(t, 1, p.end())
	require.Contains(t, p.said(), "exit status 3")
}

func TestReaderThatGoesAway(t *testing.T) {
	env, _ := pids(t)
	p := launch(t, shows(t, "bag"), []string{env}, "--json")
	p.update()
	require.NoError(t, p.pipe.Close())
	require.Equal(t, 1, p.end())
	require.Equal(t, "raspi-live: standard output was closed by its reader, and nobody else listens\n", p.said())

	// With somebody else to tell it goes on.
	p = launch(t, shows(t, "bag", "trouser"), []string{env}, "--json", "--smooth", "0", "--cooldown", "0s", "--on-change", "echo now $RESNEXT_LABEL")
	p.update()
	require.NoError(t, p.pipe.Close())
	p.says("going on without it")
	n := strings.Count(p.said(), "now bag")
	await.True(t, func() bool { return strings.Count(p.said(), "now bag") > n+1 })
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, p.end(), p.said())
}

func TestReaderThatSleeps(t *testing.T) {
	env, _ := pids(t)
	seen := filepath.Join(t.TempDir(), "seen")
	p := launch(t, shows(t, "bag", "trouser"), []string{env, "SEEN=" + seen}, "--json", "--smooth", "0", "--cooldown", "0s",
		"--on-change", "echo $RESNEXT_FRAME >>$SEEN")
	last := func() (frame int) {
		b, _ := os.ReadFile(seen) // it may not be there yet
		for _, line := range strings.Fields(string(b)) {
			frame, _ = strconv.Atoi(line) // the last line may be half written
		}
		return frame
	}
	// Nobody reads: the pipe and the queue are full after some twenty updates, and the network must go on.
	await.True(t, func() bool { return last() > 40 }, p.said)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, p.end(), p.said())
}

func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	path := save(t, "video.mjpeg", stream(t, "bag", "trouser", "bag"))
	cmd := exec.Command(made.program, made.model, path, "--fps", "0", "--json")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = full, &stderr
	require.NoError(t, cmd.Run())
	require.Equal(t, 1, strings.Count(stderr.String(), "no space left on device"), stderr.String())
}

func TestSystemd(t *testing.T) {
	env, _ := pids(t)
	address := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	socket, err := net.ListenUnixgram("unixgram", address)
	require.NoError(t, err)
	defer socket.Close()
	p := launch(t, shows(t, "bag"), []string{env, "NOTIFY_SOCKET=" + address.Name, "WATCHDOG_USEC=200000"}, "--quiet")
	read := func() string {
		b := make([]byte, 100)
		n, err := socket.Read(b)
		require.NoError(t, err, p.said())
		return string(b[:n])
	}
	require.Equal(t, "READY=1", read())
	for range 3 {
		require.Equal(t, "WATCHDOG=1", read())
	}
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	for state := ""; state != "STOPPING=1"; {
		state = read()
	}
	require.Zero(t, p.end())
}

// TestModelBesideTheProgram installs the program with its model, and reaches it by a link.
func TestModelBesideTheProgram(t *testing.T) {
	for _, place := range []string{"bin/" + defaultModel, "share/resnext/" + defaultModel} {
		root := t.TempDir()
		program := filepath.Join(root, "bin", tool)
		for from, to := range map[string]string{made.program: program, made.model: filepath.Join(root, place)} {
			require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o700))
			require.NoError(t, os.Link(from, to))
		}
		link := filepath.Join(t.TempDir(), "link")
		require.NoError(t, os.Symlink(program, link))
		cmd := exec.Command(link, "-")
		cmd.Env = append(os.Environ(), modelVariable+"=")
		cmd.Stdin = bytes.NewReader(stream(t, "bag"))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "bag")
	}
}
