package mqtt

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/group"
)

// answerBytes bounds the answer to the search for a name of the local network: a line for each address.
const answerBytes = 16 << 10

// address is where to connect to: an address, and the name by which the broker still has to be called.
type address struct {
	url     url.URL
	tls     *tls.Config // nil without encryption
	headers http.Header // of WebSocket's request
}

// find replaces a name that ends in .local by its number. Such names are told by mDNS (RFC 6762), which Go's own resolver,
// the only one in a program without C, does not speak. glibc's getent asks what the computer's other programs ask. Where
// it knows nothing, the name stays.
func (s *settings) find(ctx context.Context, limit time.Duration) address {
	a := address{url: *s.broker, tls: s.tls}
	host := s.broker.Hostname()
	ip := localAddress(ctx, host, limit)
	if ip == "" {
		return a
	}
	a.url.Host = net.JoinHostPort(ip, s.broker.Port())
	a.headers = http.Header{"Host": {s.broker.Host}}
	return a
}

// localAddress looks a .local name up, within the limit; "" for other names and unknown ones.
func localAddress(ctx context.Context, host string, limit time.Duration) string {
	if !strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".local") {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, err := group.Output(ctx, answerBytes, "getent", "ahostsv4", host)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(out, " ")
	if _, err := netip.ParseAddr(first); err != nil {
		return ""
	}
	return first
}
