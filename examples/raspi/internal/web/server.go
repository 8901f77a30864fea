// Package web serves a page that shows what the camera sees and what the network makes of it, to browsers in
// the local network. Nothing on it comes from elsewhere, and it can only be looked at.
//
//	/              the page
//	/stream.mjpg   the picture as motion JPEG: multipart/x-mixed-replace
//	/snapshot.jpg  one picture, taken after the request
//	/events        updates as server-sent events
//	/state.json    the newest update, for scripts
//	/healthz       200 while frames are being classified, else 503
package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
	"github.com/libresnext/libresnext/internal/cli"
)

const (
	maxViewers     = 16  // of the picture, and as many of the updates
	maxSnapshots   = 8   // that wait for their picture at the same time
	maxConnections = 256 // of any kind; more wait until others end
	maxOfOne       = 64  // of these, from one address
	// sendBuffer bounds what the kernel holds for a slow viewer, and so how old a picture can get on its way.
	sendBuffer = 64 << 10
)

// times are the server's patience.
type times struct {
	frame    time.Duration // between two updates or pictures for one viewer, at least
	beat     time.Duration // between signs of life while there is no update
	stall    time.Duration // a viewer that takes nothing for so long has gone
	giveWay  time.Duration // and after so long gives way to others
	snapshot time.Duration // a snapshot waits so long for a picture, less than stall
	close    time.Duration // the end waits so long for viewers to take the last bytes
	stale    time.Duration // without a frame for so long the camera is stuck; slow boards need seconds for one
}

var usualTimes = times{
	frame: 100 * time.Millisecond, beat: 2 * time.Second, stall: 10 * time.Second, giveWay: 2 * time.Second,
	snapshot: 8 * time.Second, close: 800 * time.Millisecond, stale: 30 * time.Second,
}

// Server is a live.Sink that shows the updates to browsers. Its methods may be called from any goroutine.
type Server struct {
	about   live.About
	started time.Time
	log     func(format string, args ...any)
	times   times

	newest    newest
	streams   seats // of the picture
	snapshots seats // of one picture each
	feeds     seats // of updates
	listener  net.Listener
	http      *http.Server
	hosts     hostNames
	mu        sync.Mutex
	done      chan struct{}  // closed by Close, under mu: viewers leave
	running   sync.WaitGroup // the accepting goroutine and every request
}

// New listens on addr (HOST:PORT, or :PORT for every network of the computer; port 0 picks a free one), tells
// log where the page is, and serves it until Close. The page shows about and, from the first Publish, updates.
func New(about live.About, addr string, log func(format string, args ...any)) (*Server, error) {
	return newServer(about, addr, usualTimes, log)
}

func newServer(about live.About, addr string, t times, log func(format string, args ...any)) (*Server, error) {
	host, err := checkAddress(addr)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, listenError(addr, err)
	}
	s := &Server{
		about: about, started: time.Now(), log: log, times: t,
		newest:  newest{changed: make(chan struct{}), apart: t.frame},
		streams: seats{limit: maxViewers, giveWay: t.giveWay}, feeds: seats{limit: maxViewers, giveWay: t.giveWay},
		snapshots: seats{limit: maxSnapshots, giveWay: t.giveWay},
		listener:  l, done: make(chan struct{}),
	}
	s.hosts.allow(host)
	s.http = s.newHTTP()
	s.running.Go(func() {
		err := s.http.Serve(netutil.LimitListener(&shared{Listener: tuned{l}}, maxConnections))
		if !errors.Is(err, http.ErrServerClosed) {
			s.log("the web page is gone: %v", err)
		}
	})
	s.log("web page: %s", strings.Join(s.URLs(), " or "))
	return s, nil
}

func (s *Server) newHTTP() *http.Server {
	return &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second, // viewers lift this and the next
		WriteTimeout:      s.times.stall,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(logWriter(s.log), "", 0),
	}
}

// logWriter hands on what package http logs.
type logWriter func(format string, args ...any)

func (w logWriter) Write(b []byte) (int, error) {
	w("web page: %s", cli.Printable(strings.TrimSpace(string(b))))
	return len(b), nil
}

// Publish shows u to whoever looks.
func (s *Server) Publish(u *live.Update) { s.newest.set(u) }

// Wanted tells whether somebody looks at the picture, so that Update.JPEG is worth its making.
func (s *Server) Wanted() bool { return s.streams.count()+s.snapshots.count() > 0 }

// admit counts a request in, unless the server is closing.
func (s *Server) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.running.Add(1)
	return true
}

func (s *Server) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Close ends every connection and frees the address. It takes at most a second; further calls do nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed() {
		s.mu.Unlock()
		return nil
	}
	close(s.done)
	s.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), s.times.close)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) { // somebody takes too long to read the last bytes
		err = s.http.Close()
	}
	s.running.Wait()
	if err != nil {
		return fmt.Errorf("web: closing: %w", err)
	}
	return nil
}
