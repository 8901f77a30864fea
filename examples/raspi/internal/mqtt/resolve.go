package mqtt

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os/exec"
	"strings"
	"time"
)

// lookupLimit bounds the search for a name of the local network.
const lookupLimit = 5 * time.Second

// address is where to connect to: an address, and the name by which the broker still has to be called.
type address struct {
	url     url.URL
	tls     *tls.Config // nil without encryption
	headers http.Header // of WebSocket's request
}

// find replaces a name that ends in .local by its number. Such names are told by mDNS (RFC 6762), which Go's own resolver,
// the only one in a program without C, does not speak. glibc's getent asks what the computer's other programs ask. Where
// it knows nothing, the name stays.
func (s *settings) find(ctx context.Context) address {
	a := address{url: *s.broker, tls: s.tls}
	host := s.broker.Hostname()
	ip := localAddress(ctx, host)
	if ip == "" {
		return a
	}
	a.url.Host = net.JoinHostPort(ip, s.broker.Port())
	a.headers = http.Header{"Host": {s.broker.Host}}
	if s.tls != nil {
		a.tls = s.tls.Clone()
		a.tls.ServerName = strings.TrimSuffix(host, ".") // a certificate is for the name
	}
	return a
}

// localAddress looks a .local name up; "" for other names and unknown ones.
func localAddress(ctx context.Context, host string) string {
	if !strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".local") {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "getent", "ahostsv4", host)
	cmd.WaitDelay = 100 * time.Millisecond
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(out), " ")
	if _, err := netip.ParseAddr(first); err != nil {
		return ""
	}
	return first
}
