package mqtt

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// greet takes a client's CONNECT and the SUBSCRIBE behind it, as a broker does. It returns the id to acknowledge.
func greet(t *testing.T, c net.Conn) (id uint16) {
	t.Helper()
	_, err := packets.ReadPacket(c)
	require.NoError(t, err)
	require.NoError(t, packets.NewControlPacket(packets.Connack).Write(c))
	p, err := packets.ReadPacket(c)
	require.NoError(t, err)
	require.IsType(t, new(packets.SubscribePacket), p)
	return p.Details().MessageID
}

// A broker that is none, or means ill, takes no memory, and the client says what it did and tries again.
func TestHostileBroker(t *testing.T) {
	suback := func(id uint16, codes ...byte) []byte {
		return append([]byte{packets.Suback << 4, byte(2 + len(codes)), byte(id >> 8), byte(id)}, codes...)
	}
	always := func(b ...byte) func(uint16) []byte { return func(uint16) []byte { return b } }
	for _, c := range []struct {
		name, want string
		sends      func(id uint16) []byte
	}{
		{"a message of 256 MB", "a PUBLISH packet of 268435455 bytes, expected 2 to 4096", always(0x30, 0xff, 0xff, 0xff, 0x7f)},
		{"one byte too many", "a PUBLISH packet of 4097 bytes", always(0x30, 0x81, 0x20)},
		{"an endless length", "a length of more than four bytes", always(0x30, 0x80, 0x80, 0x80, 0x80, 0x80)},
		{"an acknowledgement of 256 MB", "a PUBACK packet of 268435455 bytes, expected 2 to 2", always(0x40, 0xff, 0xff, 0xff, 0x7f)},
		{"two answers to one question", "a SUBACK packet of 4 bytes, expected 3 to 3", func(id uint16) []byte {
			return suback(id, 0, 0)
		}},
		{"messages to keep", "a higher quality of service", func(id uint16) []byte {
			return append(suback(id, 0), 0x34, 6, 0, 1, 'a', 0, 1, 'b')
		}},
		{"a client's packet", "a packet of the type 1", always(0x10, 0)},
		{"a release", "a packet of the type 6", always(0x62, 2, 0, 1)},
		{"no type", "a packet of the type 15", always(0xf0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			defer l.Close()
			client, log := start(t, Options{Broker: l.Addr().String(), Discovery: true, Prefix: "p"})
			conn, err := l.Accept()
			require.NoError(t, err)
			_, err = conn.Write(c.sends(greet(t, conn)))
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, conn) // until the client has closed it
			conn.Close()
			log.await(t, c.want)
			require.Contains(t, log.all(), "closed from here: it sent what no broker should")

			conn, err = l.Accept()
			require.NoError(t, err, "it tries again")
			defer conn.Close()
			_, err = conn.Write(suback(greet(t, conn), 0))
			require.NoError(t, err)
			p, err := packets.ReadPacket(conn)
			require.NoError(t, err)
			require.Contains(t, p.(*packets.PublishPacket).TopicName, "homeassistant/sensor/p/", "all is as before")
			require.NoError(t, client.Close())
		})
	}
}

// The content of a packet that is refused is never read, and no memory is taken for it.
func TestLengthsAreNotBelieved(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	go far.Write([]byte{0x30, 0xff, 0xff, 0xff, 0x7f})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := packets.ReadPacket(newBounded(near))
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, errNoBroker)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	_, err = far.Write([]byte{0})
	require.ErrorIs(t, err, io.ErrClosedPipe, "it is closed from here")
}

// What a broker may send comes through as it is, however it is cut.
func TestBoundedPassesPackets(t *testing.T) {
	message := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	message.TopicName = "homeassistant/status"
	message.Payload = bytes.Repeat([]byte("x"), maxMessage-2-len(message.TopicName))
	ping := packets.NewControlPacket(packets.Pingresp)
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		for _, p := range []packets.ControlPacket{ping, message, ping} {
			var b bytes.Buffer
			if p.Write(&b) != nil {
				return
			}
			for _, c := range b.Bytes() {
				if _, err := far.Write([]byte{c}); err != nil {
					return
				}
			}
		}
	}()
	b := newBounded(near)
	for _, want := range []packets.ControlPacket{ping, message, ping} {
		got, err := packets.ReadPacket(b)
		require.NoError(t, err)
		require.IsType(t, want, got)
		if m, ok := got.(*packets.PublishPacket); ok {
			require.Equal(t, message.Payload, m.Payload)
		}
	}
	_, err := packets.ReadPacket(b)
	require.ErrorIs(t, err, io.EOF)
}

// A WebSocket's server may neither answer for ever nor send in its frames what a broker may not.
func TestHostileWebSocket(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]struct {
		want   string
		answer http.HandlerFunc
	}{
		"endless headers": {"its answer to the request for a WebSocket has no end", func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			defer c.Close()
			_, err = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n")
			for err == nil {
				_, err = io.WriteString(c, "X-Header: value\r\n")
			}
		}},
		"a large message": {"a PUBLISH packet of 268435455 bytes", func(w http.ResponseWriter, r *http.Request) {
			upgrader := websocket.Upgrader{Subprotocols: []string{"mqtt"}}
			c, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			defer c.Close()
			_ = c.WriteMessage(websocket.BinaryMessage, []byte{0x30, 0xff, 0xff, 0xff, 0x7f})
			_, _, _ = c.ReadMessage() // until the client has gone
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(server.answer)
			defer s.Close()
			c, l := start(t, Options{Broker: "ws://" + s.Listener.Addr().String()})
			l.await(t, server.want)
			require.NoError(t, c.Close())
		})
	}
}
