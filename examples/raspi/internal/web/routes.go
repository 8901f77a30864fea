package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed static
var embedded embed.FS

// mediaTypes of the embedded files: the computer's own table may lack them.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stream.mjpg", s.serveStream)
	mux.HandleFunc("GET /snapshot.jpg", s.serveSnapshot)
	mux.HandleFunc("GET /events", s.serveEvents)
	mux.HandleFunc("GET /state.json", s.serveState)
	mux.HandleFunc("GET /healthz", s.serveHealth)
	names, err := fs.Glob(embedded, "static/*")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for _, name := range names {
		route := "GET /" + path.Base(name)
		if path.Base(name) == "index.html" {
			route = "GET /{$}"
		}
		mux.Handle(route, embeddedFile(name))
	}
	return s.guard(mux)
}

// embeddedFile serves one file; browsers ask each time whether it changed, and mostly it did not.
func embeddedFile(name string) http.Handler {
	content, err := embedded.ReadFile(name)
	if err != nil {
		panic(err) // it was listed a moment ago
	}
	sum := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaTypes[path.Ext(name)])
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(content) // a browser that left is no error
	})
}

func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	age, ok := s.newest.age()
	switch {
	case !ok:
		http.Error(w, "no frame has been classified yet", http.StatusServiceUnavailable)
	case age > s.times.stale:
		http.Error(w, fmt.Sprintf("the last frame was classified %v ago", age.Round(time.Second)), http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ok")
	}
}

// refuse answers the viewer for whom there is no room.
func refuse(w http.ResponseWriter, places int) {
	w.Header().Set("Retry-After", "5")
	http.Error(w, fmt.Sprintf("All %d places are taken: close this page on another screen, or try again later.", places),
		http.StatusServiceUnavailable)
}
