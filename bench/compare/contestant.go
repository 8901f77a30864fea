package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/libresnext/libresnext/internal/procfs"
)

// engine is a way to start a worker.
type engine struct {
	command []string
	onnx    bool // it takes ONNX files and padded images
}

// ownEngine is this program again, as a worker.
func ownEngine() (engine, error) {
	self, err := os.Executable()
	return engine{command: []string{self, workerArgument}}, err
}

// pythonEngine is NAME_worker.py among the scripts.
func pythonEngine(python, scripts, name string) engine {
	return engine{command: []string{python, filepath.Join(scripts, name+"_worker.py")}, onnx: true}
}

// contestant is a running worker. It computes only while it is asked, so that contestants do not disturb each
// other.
type contestant struct {
	name, version string
	loadNS        int64
	idleBytes     int64 // memory before a model is loaded
	runs          int   // inferences in a turn; 0 before the first
	cmd           *exec.Cmd
	in            io.WriteCloser
	replies       *json.Decoder
}

// start runs a worker and waits until it is ready.
func (e engine) start(ctx context.Context) (*contestant, error) {
	c := &contestant{cmd: exec.CommandContext(ctx, e.command[0], e.command[1:]...)}
	c.cmd.Stderr = os.Stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.replies = json.NewDecoder(out)
	hello, err := c.receive()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", strings.Join(e.command, " "), err), c.close())
	}
	c.name, c.version = hello.Name, hello.Version
	c.idleBytes = procfs.Bytes(c.cmd.Process.Pid, procfs.Memory)
	return c, nil
}

// load opens a network on so many threads.
func (e engine) load(ctx context.Context, n *network, in *inputs, threads int) (*contestant, error) {
	c, err := e.start(ctx)
	if err != nil {
		return nil, err
	}
	q := request{Do: "load", Model: n.path, Inputs: in.rgbFile, Threads: threads}
	if e.onnx {
		q.Model, q.Inputs = n.onnx, in.onnxFile
	}
	done, err := c.ask(q)
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	if len(done.NS) == 1 {
		c.loadNS = done.NS[0]
	}
	return c, nil
}

// ask sends one request and waits for its reply.
func (c *contestant) ask(q request) (reply, error) {
	err := json.NewEncoder(c.in).Encode(q)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %s: %w", c.name, q.Do, err)
	}
	r, err := c.receive()
	if err != nil {
		return reply{}, fmt.Errorf("%s: %s: %w", c.name, q.Do, err)
	}
	return r, nil
}

func (c *contestant) receive() (reply, error) {
	var r reply
	if err := c.replies.Decode(&r); err != nil {
		return reply{}, fmt.Errorf("no answer: %w", err)
	}
	if r.Error != "" {
		return reply{}, errors.New(r.Error)
	}
	return r, nil
}

// peakBytes is the most physical memory that the worker ever had.
func (c *contestant) peakBytes() int64 { return procfs.Bytes(c.cmd.Process.Pid, procfs.PeakMemory) }

// close ends the worker and waits for it.
func (c *contestant) close() error {
	return errors.Join(c.in.Close(), c.cmd.Wait())
}
