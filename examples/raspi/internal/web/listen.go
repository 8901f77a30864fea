package web

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// checkAddress returns the host part of addr.
func checkAddress(addr string) (host string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("web: address %q: expected HOST:PORT, or :PORT for every network, such as :8080", addr)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("web: address %q: the port is %q, expected a number from 1 to 65535, such as :8080", addr, port)
	}
	return host, nil
}

// listenError says what to do about the usual reasons why an address cannot be had.
func listenError(addr string, err error) error {
	_, port, _ := net.SplitHostPort(addr)
	var notFound *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("web: another program already listens on %s; give another port, or stop that program "+
			"(sudo ss -tlnp 'sport = :%s' names it): %w", addr, port, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("web: ports below 1024, such as %s, are for root; give a higher one, such as :8080: %w", port, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("web: %s is no address of this computer (ip address lists them); give :%s for all of them: %w", addr, port, err)
	case errors.As(err, &notFound):
		return fmt.Errorf("web: no address is known for the name in %s; give :%s for every network: %w", addr, port, err)
	}
	return fmt.Errorf("web: cannot listen on %s: %w", addr, err)
}

// tuned bounds the send buffer of each connection: pictures do not queue up in the kernel, the writer waits and
// then takes the newest. Where the system refuses, pictures may come late and nothing else.
type tuned struct{ net.Listener }

func (l tuned) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	return c, err
}

// shared takes no more than maxOfOne connections from one address, so that one host cannot have all that there are.
type shared struct {
	net.Listener
	mu   sync.Mutex
	open map[netip.Prefix]int
}

func (l *shared) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := origin(c.RemoteAddr().String())
		if l.add(from, 1) <= maxOfOne {
			return &member{Conn: c, end: sync.OnceFunc(func() { l.add(from, -1) })}, nil
		}
		_ = c.Close() // nothing was read
		l.add(from, -1)
	}
}

// add counts connections and returns their number.
func (l *shared) add(from netip.Prefix, n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[netip.Prefix]int{}
	}
	n += l.open[from]
	l.open[from] = n
	if n == 0 {
		delete(l.open, from)
	}
	return n
}

// member is a connection that is counted until it is closed.
type member struct {
	net.Conn
	end func()
}

func (m *member) Close() error {
	m.end()
	return m.Conn.Close()
}

// URLs are the addresses under which the page can be opened, the best first: by the computer's name, which
// needs mDNS (Raspberry Pi OS has it), then by number.
func (s *Server) URLs() []string {
	bound := s.listener.Addr().(*net.TCPAddr)
	if !bound.IP.IsUnspecified() {
		return []string{pageURL(bound.IP.String(), bound.Port)}
	}
	var urls []string
	if name := localName(); name != "" {
		urls = append(urls, pageURL(name, bound.Port))
	}
	for _, ip := range lanAddresses() {
		urls = append(urls, pageURL(ip.String(), bound.Port))
	}
	if len(urls) == 0 {
		urls = append(urls, pageURL("localhost", bound.Port))
	}
	return urls
}

func pageURL(host string, port int) string {
	if port == 80 {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return "http://" + host + "/"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/"
}

// localName is the computer's name in the local network, or empty where it has none of use.
func localName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	name, _, _ = strings.Cut(name, ".")
	if name == "" || name == "localhost" {
		return ""
	}
	return name + ".local"
}

// lanAddresses lists the IPv4 addresses that others in the network may know; containers' bridges are left out.
func lanAddresses() []net.IP {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var ips []net.IP
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || isBridge(i.Name) {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsGlobalUnicast() {
				ips = append(ips, n.IP)
			}
		}
	}
	return ips
}

func isBridge(name string) bool {
	for _, prefix := range []string{"docker", "br-", "veth", "virbr", "lxc", "podman", "cni"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
