package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

// boundary parts the pictures of a stream; a line that begins with it is in no JPEG by chance that matters,
// for each part tells its length.
const boundary = "libresnext-frame"

// serveStream sends pictures, each replacing the one before (multipart/x-mixed-replace, RFC 2046 section 5.1 for
// the frame of it). Browsers show a part once they have seen the boundary behind it, so that goes along at once.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	v := s.newViewer(&s.streams, w, r)
	if v == nil {
		return
	}
	defer v.close()
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
	if !v.open() || !v.send([]byte("--"+boundary+"\r\n")) {
		return
	}
	last := uint64(0)
	for {
		u, err := s.picture(v.ctx, last)
		if err != nil || !v.send(part(u.JPEG)) || !v.pause() {
			return
		}
		last = u.Frame
	}
}

func part(jpeg []byte) []byte {
	b := make([]byte, 0, len(jpeg)+128)
	b = fmt.Appendf(b, "Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", len(jpeg))
	b = append(b, jpeg...)
	return append(b, "\r\n--"+boundary+"\r\n"...)
}

// serveSnapshot sends the first picture after the request.
func (s *Server) serveSnapshot(w http.ResponseWriter, r *http.Request) {
	v := s.newViewer(&s.snapshots, w, r)
	if v == nil {
		return
	}
	defer v.close()
	w.Header().Set("Content-Type", "image/jpeg")
	if r.Method == http.MethodHead {
		return
	}
	ctx, cancel := context.WithTimeout(v.ctx, s.times.snapshot)
	defer cancel()
	after := uint64(0)
	if u, _ := s.newest.get(); u != nil {
		after = u.Frame
	}
	u, err := s.picture(ctx, after)
	if err != nil {
		http.Error(w, "No picture came within "+s.times.snapshot.String()+": is the camera running?", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(u.JPEG)))
	v.send(u.JPEG)
}

// picture waits for an update that has a picture and is not the given frame's.
func (s *Server) picture(ctx context.Context, not uint64) (*live.Update, error) {
	for {
		u, changed := s.newest.get()
		if u != nil && u.JPEG != nil && u.Frame != not {
			return u, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.done:
			return nil, http.ErrServerClosed
		case <-changed:
		}
	}
}
