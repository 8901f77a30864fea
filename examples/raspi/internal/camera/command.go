package camera

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/board"
	"github.com/libresnext/libresnext/examples/raspi/internal/group"
)

// graceTime is how long a program may take to end.
const graceTime = 300 * time.Millisecond

// command is a Source that reads a program's standard output.
type command struct {
	*stream
	cmd    *exec.Cmd
	end    context.CancelFunc
	stderr tail
	once   sync.Once
	status error // how the program ended
}

// openCommand starts a program, on the CPUs that are not kept for the network.
func openCommand(f Format, name string, args ...string) (*command, error) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &command{cmd: group.Command(ctx, graceTime, name, args...), end: cancel}
	c.cmd.Stderr = &c.stderr
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		c.stream, err = newStream(out, f, func() { c.stop(0) })
	}
	if err != nil {
		cancel()
		return nil, err
	}
	if err := board.Elsewhere(c.cmd.Start); err != nil {
		cancel()
		return nil, fmt.Errorf("cannot start %s: %w", name, startError(err))
	}
	return c, nil
}

// Next reads a frame; at the end of the output it says how the program ended.
func (c *command) Next(ctx context.Context) (*Frame, error) {
	f, err := c.stream.Next(ctx)
	if err == nil {
		return f, nil
	}
	c.stop(graceTime) // it is about to end by itself
	return nil, c.describe(err)
}

// stop ends the program and all that it started, unless it ends by itself within the time patience, and waits for it.
func (c *command) stop(patience time.Duration) {
	c.once.Do(func() {
		defer time.AfterFunc(patience, c.end).Stop()
		c.status = group.Wait(c.cmd)
		c.end()
	})
}

// describe tells why the frames ended.
func (c *command) describe(err error) error {
	said := c.stderr.last()
	if strings.Contains(said, "no cameras available") {
		said += " (is the ribbon cable in its place? a USB camera needs --source /dev/video0)"
	}
	switch {
	case said != "":
		said = ": " + said
	case !errors.Is(err, io.EOF):
		said = ": " + err.Error()
	}
	if c.status != nil {
		return fmt.Errorf("%w%s", c.status, said)
	}
	if errors.Is(err, io.EOF) && said == "" {
		return io.EOF
	}
	return errors.New("it ended" + said)
}

// startError takes the words of package exec off.
func startError(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	return err
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytes = 2 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b[max(0, len(b)-tailBytes):]...)
	t.b = t.b[max(0, len(t.b)-tailBytes):]
	return len(b), nil
}

// last is the last line with "error" in it, or without one the last line.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var last, failure string
	for line := range bytes.Lines(bytes.ReplaceAll(t.b, []byte("\r"), []byte("\n"))) {
		if s := strings.TrimSpace(string(line)); s != "" {
			last = s
			if strings.Contains(strings.ToLower(s), "error") {
				failure = s
			}
		}
	}
	if failure != "" {
		return failure
	}
	return last
}

// stallTime is how long a camera program may give nothing: they need some seconds to begin.
const stallTime = 15 * time.Second

// Command is a camera that is a shell command writing frames to its standard output. It is started again when it ends.
func Command(line string, f Format) Camera {
	return Camera{Name: line, Restart: true, Stall: stallTime, Open: func(context.Context) (Source, error) {
		return openCommand(f, "sh", "-c", line)
	}}
}

// programs are Raspberry Pi's camera programs, new name first.
var programs = []string{"rpicam-vid", "libcamera-vid"}

// Program is Raspberry Pi's camera program, asked for pictures of the given size; false if there is none.
func Program(z Size, fps float64) (Camera, bool) {
	for _, name := range programs {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		args := []string{"--timeout", "0", "--codec", "mjpeg", "--width", fmt.Sprint(z.W), "--height", fmt.Sprint(z.H),
			"--framerate", fmt.Sprint(fps), "--nopreview", "--flush", "--output", "-"}
		return Camera{Name: fmt.Sprintf("%s %s", name, z), Restart: true, Stall: stallTime,
			Open: func(context.Context) (Source, error) { return openCommand(Format{}, path, args...) }}, true
	}
	return Camera{}, false
}
