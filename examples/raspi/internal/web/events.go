package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

// about is what the page says of the program. It leaves out the labels: a thousand names that it does not show.
type about struct {
	live.About
	Labels  []string `json:"labels,omitempty"` // hides About.Labels
	Classes int      `json:"classes"`
	BeatS   float64  `json:"beat_s"` // in an event stream nothing is silent for longer
}

// state is an update as the page and scripts get it.
type state struct {
	*live.Update         // nil before the first frame
	UptimeS      float64 `json:"uptime_s"`
}

func (s *Server) aboutNow() about {
	return about{About: s.about, Classes: len(s.about.Labels), BeatS: s.times.beat.Seconds()}
}

func (s *Server) stateOf(u *live.Update) state {
	return state{Update: u, UptimeS: time.Since(s.started).Seconds()}
}

// serveState answers {"about": ..., "state": ...}; before the first frame state has no more than "uptime_s".
func (s *Server) serveState(w http.ResponseWriter, r *http.Request) {
	u, _ := s.newest.get()
	body, err := json.Marshal(struct {
		About about `json:"about"`
		State state `json:"state"`
	}{s.aboutNow(), s.stateOf(u)})
	if err != nil {
		http.Error(w, "the newest update is not valid JSON: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// serveEvents sends one "about", one "history" ([seconds ago, milliseconds] pairs), then each newest update as "state", and
// "beat" while there is none. The source of the format: WHATWG HTML, section 9.2, server-sent events.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	v := s.newViewer(&s.feeds, w, r)
	if v == nil {
		return
	}
	defer v.close()
	w.Header().Set("Content-Type", "text/event-stream")
	if !v.open() || !v.event("about", s.aboutNow()) || !v.event("history", s.newest.history()) {
		return
	}
	beat := time.NewTicker(s.times.beat)
	defer beat.Stop()
	u, changed := s.newest.get()
	for {
		if u != nil && (!v.event("state", s.stateOf(u)) || !v.pause()) {
			return
		}
		for u = nil; u == nil; {
			select {
			case <-v.gone():
				return
			case <-s.done:
				return
			case <-changed:
				u, changed = s.newest.get()
			case <-beat.C:
				if !v.event("beat", struct{}{}) {
					return
				}
			}
		}
	}
}

// event sends one event and reports whether the viewer took it. What JSON cannot say is logged and left out.
func (v *viewer) event(name string, data any) bool {
	body, err := json.Marshal(data)
	if err != nil {
		v.s.log("web page: an update cannot be shown: %v", err)
		return true
	}
	return v.send(fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, body))
}
