package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
)

// from connects to the server from another of this computer's addresses.
func from(t *testing.T, s *Server, address string) net.Conn {
	t.Helper()
	small := func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048) }
	d := net.Dialer{
		LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)},
		Control:   func(_, _ string, c syscall.RawConn) error { return c.Control(small) },
	}
	c, err := d.Dial("tcp", s.listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// staller asks for a path and never reads.
func staller(t *testing.T, s *Server, address, path string) net.Conn {
	t.Helper()
	c := from(t, s, address)
	_, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	return c
}

// look asks for a path from an address.
func look(t *testing.T, s *Server, address, path string) *http.Response {
	t.Helper()
	dial := func(context.Context, string, string) (net.Conn, error) { return from(t, s, address), nil }
	client := &http.Client{Transport: &http.Transport{DialContext: dial}}
	resp, err := client.Get(s.URLs()[0] + path)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close(); client.CloseIdleConnections() })
	return resp
}

// Somebody who takes every place and reads nothing keeps nobody away, however often he comes again.
func TestGreedyViewers(t *testing.T) {
	s := serve(t, patient)
	all := func() bool {
		return s.streams.count() == maxViewers && s.feeds.count() == maxViewers && s.snapshots.count() == maxSnapshots
	}
	for range maxViewers {
		staller(t, s, "127.0.0.1", "/stream.mjpg")
		staller(t, s, "127.0.0.1", "/events")
	}
	for range maxSnapshots {
		staller(t, s, "127.0.0.1", "/snapshot.jpg")
	}
	await.True(t, all, "every place is taken")

	// The stalled ones from the same address give way only where they have stalled for long; another address has its
	// share.
	require.Equal(t, http.StatusServiceUnavailable, look(t, s, "127.0.0.1", "stream.mjpg").StatusCode)
	stream, events := look(t, s, "127.0.0.2", "stream.mjpg"), look(t, s, "127.0.0.2", "events")
	require.Equal(t, http.StatusOK, stream.StatusCode)
	require.Equal(t, http.StatusOK, events.StatusCode)
	snapshot := make(chan *http.Response)
	go func() { snapshot <- look(t, s, "127.0.0.2", "snapshot.jpg") }()
	mine := func() bool {
		s.snapshots.mu.Lock()
		defer s.snapshots.mu.Unlock()
		for k := range s.snapshots.taken {
			if k.address == origin("127.0.0.2:1") {
				return true
			}
		}
		return false
	}
	await.True(t, mine, "the snapshot has a place")

	for range 5 { // again and again
		staller(t, s, "127.0.0.1", "/stream.mjpg")
	}
	u := update(1, "")
	s.Publish(u)
	require.Equal(t, u.JPEG, readPart(t, parts(t, stream)))
	got := <-snapshot
	require.Equal(t, http.StatusOK, got.StatusCode)
	body, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	require.Equal(t, u.JPEG, body)
}

// Who has stalled gives way even to a newcomer of the same address.
func TestStalledViewersGiveWay(t *testing.T) {
	quick := patient
	quick.giveWay = 1 // at once
	s := serve(t, quick)
	for range maxViewers {
		staller(t, s, "127.0.0.1", "/stream.mjpg")
	}
	await.True(t, func() bool { return s.streams.count() == maxViewers }, "every place is taken")
	u := update(1, "")
	u.JPEG = make([]byte, 8<<20) // more than buffers take
	s.Publish(u)
	await.True(t, func() bool { return s.streams.sending() == maxViewers }, "all have stalled")
	require.Equal(t, http.StatusOK, look(t, s, "127.0.0.1", "stream.mjpg").StatusCode)
	require.Equal(t, maxViewers, s.streams.count())
}

// One host cannot have all connections: more than its share are closed at once, and others come in.
func TestConnectionsAreShared(t *testing.T) {
	s := serve(t, patient)
	s.Publish(update(1, ""))
	served := func(c net.Conn) bool {
		_, err := io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if err == nil {
			_, err = c.Read(make([]byte, 1))
		}
		return err == nil
	}
	var all []net.Conn
	for range maxOfOne {
		c := from(t, s, "127.0.0.1")
		require.True(t, served(c))
		all = append(all, c)
	}
	require.False(t, served(from(t, s, "127.0.0.1")), "one too many")
	require.True(t, served(from(t, s, "127.0.0.2")))

	all[0].Close()
	await.True(t, func() bool {
		c := from(t, s, "127.0.0.1")
		defer c.Close()
		return served(c)
	}, "a place that is given back can be had")
}
