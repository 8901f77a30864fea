package web

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// network passes connections on to a server, and nothing at all while down is locked.
type network struct {
	net.Listener
	down sync.RWMutex
	mu   sync.Mutex
	open []net.Conn
}

func newNetwork(t *testing.T, to string) *network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := &network{Listener: l}
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
			n.mu.Lock()
			n.open = append(n.open, near, far)
			n.mu.Unlock()
			go n.pass(near, far)
			go n.pass(far, near)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, c := range n.open {
			c.Close()
		}
	})
	return n
}

func (n *network) pass(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 16<<10)
	for {
		k, err := from.Read(buffer)
		n.down.RLock()
		if k > 0 {
			_, _ = to.Write(buffer[:k])
		}
		n.down.RUnlock()
		if err != nil {
			return
		}
	}
}
