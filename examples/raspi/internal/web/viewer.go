package web

import (
	"net/http"
	"time"
)

// viewer is a connection that is written to until one side has enough.
type viewer struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	last    time.Time // when the last send began
}

func newViewer(s *Server, w http.ResponseWriter, r *http.Request) *viewer {
	return &viewer{s: s, w: w, r: r, control: http.NewResponseController(w)}
}

func (v *viewer) gone() <-chan struct{} { return v.r.Context().Done() }

// begin sends the headers and lifts the limit on reading, which would end the connection. It reports whether a
// body is wanted: not for HEAD.
func (v *viewer) begin() bool {
	v.w.Header().Set("X-Accel-Buffering", "no") // proxies are to hand on what comes at once
	if v.r.Method == http.MethodHead {
		return false
	}
	return v.control.SetReadDeadline(time.Time{}) == nil && v.send(nil)
}

// send writes b at once and reports whether the viewer took it in time.
func (v *viewer) send(b []byte) bool {
	v.last = time.Now()
	if v.control.SetWriteDeadline(v.last.Add(v.s.times.stall)) != nil {
		return false
	}
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
