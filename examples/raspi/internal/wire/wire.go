// Package wire is a network for tests: TCP connections that can be cut or frozen.
package wire

import (
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Wire passes the connections that its Listener gets on to a server, and nothing at all while Frozen is locked.
type Wire struct {
	net.Listener
	Frozen sync.RWMutex
	mu     sync.Mutex
	open   []net.Conn
}

// New makes a wire to the server at the address to. The test's end cuts it.
func New(t *testing.T, to string) *Wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &Wire{Listener: l}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			w.mu.Lock()
			w.open = append(w.open, near, far)
			w.mu.Unlock()
			go w.pass(near, far)
			go w.pass(far, near)
		}
	}()
	t.Cleanup(func() { l.Close(); w.Cut() })
	return w
}

func (w *Wire) pass(to, from net.Conn) {
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		w.Frozen.RLock()
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); err == nil {
				err = failed
			}
		}
		w.Frozen.RUnlock()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) { // else it is cut, which is not to look like an end
				_ = to.Close()
			}
			return
		}
	}
}

// Cut resets every connection: neither side says goodbye.
func (w *Wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	w.open = nil
}
