package mqtt

import (
	"bufio"
	"errors"
	"fmt"
	"net"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// maxMessage bounds a message from the broker, its topic included. The only ones that are asked for say that Home
// Assistant is there.
const maxMessage = 4 << 10

// sizes are the packets that a broker sends to a client which publishes and has subscribed once, at quality 0, and the
// least and most bytes that follow their fixed headers (MQTT 3.1.1, chapter 3).
var sizes = map[byte]struct{ least, most int }{
	packets.Connack:  {2, 2},
	packets.Publish:  {2, maxMessage},
	packets.Puback:   {2, 2},
	packets.Pubrec:   {2, 2},
	packets.Pubcomp:  {2, 2},
	packets.Suback:   {3, 3},
	packets.Pingresp: {0, 0},
}

// errNoBroker is what bounded refuses: paho takes whatever a length says that a few bytes state, keeps messages of the
// higher qualities, and trusts that a SUBACK answers what was asked.
var errNoBroker = errors.New("it sent what no broker should")

// bounded is a connection to a broker that lets only packets through that a broker may send here. The first other one
// ends it, before its content is read.
type bounded struct {
	net.Conn
	r      *bufio.Reader
	header []byte // of the packet that begins, as far as it was not given out
	left   int    // bytes of the packet behind its header
}

func newBounded(c net.Conn) *bounded { return &bounded{Conn: c, r: bufio.NewReader(c)} }

// Read gives out one part of a packet.
func (b *bounded) Read(p []byte) (int, error) {
	if len(b.header) == 0 && b.left == 0 {
		if err := b.begin(); err != nil {
			if errors.Is(err, errNoBroker) {
				_ = b.Close() // nothing of it is wanted any more
			}
			return 0, err
		}
	}
	if len(b.header) > 0 {
		n := copy(p, b.header)
		b.header = b.header[n:]
		return n, nil
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// begin reads a packet's fixed header: the type with its flags, and the length in groups of 7 bits.
func (b *bounded) begin() error {
	first, err := b.r.ReadByte()
	if err != nil {
		return err
	}
	header, length := append(b.header[:0], first), 0
	for shift := 0; ; shift += 7 {
		if shift == 28 {
			return fmt.Errorf("%w: a length of more than four bytes", errNoBroker)
		}
		digit, err := b.r.ReadByte()
		if err != nil {
			return err
		}
		header = append(header, digit)
		length |= int(digit&0x7f) << shift
		if digit < 0x80 {
			break
		}
	}
	if err := permit(first, length); err != nil {
		return err
	}
	b.header, b.left = header, length
	return nil
}

// permit judges a fixed header.
func permit(first byte, length int) error {
	kind, flags := first>>4, first&0xf
	size, known := sizes[kind]
	switch {
	case !known:
		return fmt.Errorf("%w: a packet of the type %d", errNoBroker, kind)
	case length < size.least || length > size.most:
		return fmt.Errorf("%w: a %s packet of %d bytes, expected %d to %d",
			errNoBroker, packets.PacketNames[kind], length, size.least, size.most)
	case kind == packets.Publish && flags&0b0110 != 0:
		return fmt.Errorf("%w: a message of a higher quality of service than was asked for", errNoBroker)
	}
	return nil
}
