package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/libresnext/libresnext/resnext"
)

// model is an open model: the program's handle and every session are its users.
type model struct {
	net     *resnext.Model
	words   cStrings
	users   atomic.Int32
	name    int // of the architecture, in words
	kernels int
}

// names of model files that have none, in errors.
const (
	memoryName     = "model in memory"
	descriptorName = "model of file descriptor %d"
)

// roomForModel asks for memory to open a file of so many bytes: it is there as it was read, and packed. What is larger than
// any network is not read to its end.
func roomForModel(size int64) error { return room(3 * min(size, 4<<30)) }

// openPath opens a model file.
func openPath(path string, o resnext.Options) (*model, error) {
	if path == "" {
		return nil, fail(statusInvalid, "path is empty")
	}
	if info, err := os.Stat(path); err == nil {
		if err := roomForModel(info.Size()); err != nil {
			return nil, err
		}
	}
	return newModel(resnext.OpenWith(path, o))
}

// openMemory opens a model file in memory.
func openMemory(data []byte, o resnext.Options) (*model, error) {
	if err := roomForModel(int64(len(data))); err != nil {
		return nil, err
	}
	return newModel(resnext.OpenReaderAt(bytes.NewReader(data), int64(len(data)), memoryName, o))
}

// openDescriptor opens a model file that is open already.
func openDescriptor(fd int, o resnext.Options) (*model, error) {
	name := fmt.Sprintf(descriptorName, fd)
	var stat syscall.Stat_t
	if err := syscall.Fstat(fd, &stat); err != nil {
		return nil, fail(statusIO, "%s: %v", name, err)
	}
	if stat.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil, fail(statusIO, "%s: it is no regular file", name)
	}
	if err := roomForModel(stat.Size); err != nil {
		return nil, err
	}
	return newModel(resnext.OpenReaderAt(descriptor(fd), stat.Size, name, o))
}

// descriptor reads a file of the program's, at positions of its own.
type descriptor int

func (d descriptor) ReadAt(p []byte, at int64) (int, error) {
	done := 0
	for done < len(p) {
		n, err := syscall.Pread(int(d), p[done:], at+int64(done))
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return done, &fs.PathError{Op: "read", Path: fmt.Sprintf(descriptorName, int(d)), Err: err}
		case n == 0:
			return done, io.EOF
		default:
			done += n
		}
	}
	return done, nil
}

func newModel(net *resnext.Model, err error) (*model, error) {
	if err != nil {
		return nil, &failure{openStatus(err), err.Error()}
	}
	m := &model{net: net}
	for class := range net.Config().Classes {
		m.words.add(net.Label(class))
	}
	m.name = m.words.add(net.Config().Name)
	m.kernels = m.words.add(net.Kernels())
	m.words.pin()
	m.users.Store(1)
	return m, nil
}

// release is called by each user once. With the last one the memory goes back to the system: a C program expects that
// of a close, and the collector alone would take its time. It needs a little memory itself.
func (m *model) release() {
	if m.users.Add(-1) > 0 {
		return
	}
	m.words.unpin()
	m.net = nil
	if room(0) == nil {
		debug.FreeOSMemory()
	}
}

// cStrings are strings with a zero byte at the end, at addresses that stay until unpin.
type cStrings struct {
	text   []byte
	starts []int
	pinner runtime.Pinner
}

// add stores a string and returns its number. A zero byte would end it early and is left out.
func (c *cStrings) add(s string) int {
	c.starts = append(c.starts, len(c.text))
	for _, b := range []byte(s) {
		if b != 0 {
			c.text = append(c.text, b)
		}
	}
	c.text = append(c.text, 0)
	return len(c.starts) - 1
}

func (c *cStrings) pin()   { c.pinner.Pin(unsafe.SliceData(c.text)) }
func (c *cStrings) unpin() { c.pinner.Unpin() }

// at is the address of a string.
func (c *cStrings) at(number int) unsafe.Pointer { return unsafe.Pointer(&c.text[c.starts[number]]) }
