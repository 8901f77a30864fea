package web

import (
	"context"
	"net/http"
	"time"
)

// viewer is a connection that is written to until one side has enough.
type viewer struct {
	seat
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	ctx     context.Context // until the viewer has gone, or has to go
	last    time.Time       // when the last send began
}

// newViewer finds a place for a request; nil if there is none, and the request is answered. Only who asks for a body
// takes one. End the viewer with close.
func (s *Server) newViewer(of *seats, w http.ResponseWriter, r *http.Request) *viewer {
	v := &viewer{s: s, w: w, r: r, control: http.NewResponseController(w)}
	v.ctx, v.leave = context.WithCancel(r.Context())
	v.address, v.since, v.deadline = origin(r.RemoteAddr), time.Now(), v.control.SetWriteDeadline
	found := false
	if r.Method == http.MethodHead {
		found = of.room(v.address, v.since)
	} else {
		found = of.enter(&v.seat)
	}
	if !found {
		v.leave()
		refuse(w, of.limit)
		return nil
	}
	return v
}

func (v *viewer) close() {
	v.exit()
	v.leave()
}

func (v *viewer) gone() <-chan struct{} { return v.ctx.Done() }

// open sends the headers and lifts the limit on reading, which would end the connection. It reports whether a
// body is wanted: not for HEAD.
func (v *viewer) open() bool {
	v.w.Header().Set("X-Accel-Buffering", "no") // proxies are to hand on what comes at once
	if v.r.Method == http.MethodHead {
		return false
	}
	return v.control.SetReadDeadline(time.Time{}) == nil && v.send(nil)
}

// send writes b at once and reports whether the viewer took it in time.
func (v *viewer) send(b []byte) bool {
	v.last = time.Now()
	if !v.begin(v.last, v.last.Add(v.s.times.stall)) {
		return false
	}
	defer v.done()
	if _, err := v.w.Write(b); err != nil {
		return false
	}
	return v.control.Flush() == nil
}

// pause waits until a viewer's interval after the last send began is over, and reports whether the viewer stays.
func (v *viewer) pause() bool {
	timer := time.NewTimer(time.Until(v.last.Add(v.s.times.frame)))
	defer timer.Stop()
	select {
	case <-v.gone():
		return false
	case <-v.s.done:
		return false
	case <-timer.C:
		return true
	}
}
