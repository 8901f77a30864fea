package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/net/proxy"
)

// dial connects to the broker, by the proxy that the environment names where there is one. What comes from there is
// bounded from the first byte on.
func (a address) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	connect := proxy.Dial
	if a.webSocket() {
		connect = a.dialWebSocket
	} else if a.tls != nil {
		connect = a.dialTLS
	}
	conn, err := connect(ctx, "tcp", a.url.Host)
	if err != nil {
		return nil, err
	}
	return newBounded(conn), nil
}

func (a address) webSocket() bool { return a.url.Scheme == "ws" || a.url.Scheme == "wss" }

func (a address) dialTLS(ctx context.Context, network, host string) (net.Conn, error) {
	plain, err := proxy.Dial(ctx, network, host)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(plain, a.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = plain.Close() // the first error tells more
		return nil, err
	}
	return conn, nil
}

// dialWebSocket makes a connection on which MQTT goes in WebSocket's messages (MQTT 3.1.1, section 6).
func (a address) dialWebSocket(ctx context.Context, _, _ string) (net.Conn, error) {
	var opening *greeting
	d := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: a.tls, Subprotocols: []string{"mqtt"},
		NetDialContext: func(ctx context.Context, network, host string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, host)
			if err != nil {
				return nil, err
			}
			opening = &greeting{Conn: c, left: maxGreeting}
			return opening, nil
		},
	}
	conn, _, err := d.DialContext(ctx, a.url.String(), a.headers)
	if err != nil && opening != nil && opening.left == 0 {
		return nil, errGreeting // what was cut off there looks damaged
	}
	if err != nil {
		return nil, err
	}
	opening.over = true
	return &messages{conn, websocket.JoinMessages(conn, "")}, nil
}

// maxGreeting is what a WebSocket's server may send until the connection stands: headers, and the certificates of TLS.
const maxGreeting = 256 << 10

var errGreeting = errors.New("its answer to the request for a WebSocket has no end")

// greeting is a connection of which no more than so much is read until it stands. HTTP's headers have no other bound.
type greeting struct {
	net.Conn
	left int
	over bool
}

func (g *greeting) Read(b []byte) (int, error) {
	if g.over {
		return g.Conn.Read(b)
	}
	if g.left == 0 {
		return 0, errGreeting
	}
	n, err := g.Conn.Read(b[:min(len(b), g.left)])
	g.left -= n
	return n, err
}

// messages is a WebSocket as a stream of bytes.
type messages struct {
	*websocket.Conn
	io.Reader
}

func (m *messages) Write(b []byte) (int, error) {
	if err := m.WriteMessage(websocket.BinaryMessage, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (m *messages) SetDeadline(t time.Time) error {
	return errors.Join(m.SetReadDeadline(t), m.SetWriteDeadline(t))
}
