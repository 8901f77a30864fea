package web

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
)

// hostNames are the names by which the page may be asked for. A foreign web page can let its own name point to
// an address in the local network (DNS rebinding) and so read the camera with its visitor's browser; such a name
// has to be one of the public name system. Addresses and names that exist only in a local network are safe.
type hostNames struct {
	mu    sync.Mutex
	extra []string
}

// localDomains are reserved for, or by custom used in, local networks.
var localDomains = []string{".local", ".localhost", ".lan", ".home", ".home.arpa", ".internal", ".localdomain", ".fritz.box"}

// allow admits one more name.
func (h *hostNames) allow(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.extra = append(h.extra, strings.ToLower(strings.TrimSuffix(name, ".")))
}

// allowed judges the Host header of a request.
func (h *hostNames) allowed(header string) bool {
	name := header
	if host, _, err := net.SplitHostPort(header); err == nil {
		name = host
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "" {
		return false
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	if !strings.Contains(name, ".") {
		return true
	}
	for _, domain := range localDomains {
		if strings.HasSuffix(name, domain) {
			return true
		}
	}
	if own, err := os.Hostname(); err == nil && name == strings.ToLower(own) {
		return true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.extra {
		if name == e {
			return true
		}
	}
	return false
}

// AllowHost lets the page be opened under a public name too, such as that of a proxy before it. Without this
// only addresses, names of local networks, and the host that was given to New are answered.
func (s *Server) AllowHost(name string) { s.hosts.allow(name) }

// guard sets the headers that keep a page harmless, and refuses requests under foreign names.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.admit() {
			http.Error(w, "The program is ending.", http.StatusServiceUnavailable)
			return
		}
		defer s.running.Done()
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; object-src 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin") // no other site may show the camera
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if !s.hosts.allowed(r.Host) {
			http.Error(w, "This page is not served under that name. Open it by the computer's address instead: "+
				strings.Join(s.URLs(), " or "), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
