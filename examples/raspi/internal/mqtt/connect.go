package mqtt

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

const (
	keepAlive = 20 * time.Second
	dialLimit = 10 * time.Second
)

var errTimeout = errors.New("the broker does not answer")

// work keeps a connection until ctx ends. Each attempt gets a paho client of its own, so that nothing is left in
// queues from before.
func (c *Client) work(ctx context.Context) {
	defer close(c.finished)
	patience := c.times.first
	told := "" // the failure that was logged last
	for ctx.Err() == nil {
		lost, lose := context.WithCancelCause(context.Background())
		s := session{Client: c, ctx: ctx, lost: lost}
		s.conn = paho.NewClient(c.pahoOptions(ctx, c.options.find(ctx, c.times.lookup), lose))
		err := s.connect()
		if err == nil {
			start := time.Now()
			hush := c.tellConnected(patience)
			err = s.cause(s.follow())
			hush()
			s.leave()
			if time.Since(start) > c.times.steady {
				patience, told = c.times.first, ""
			}
		}
		lose(nil)
		if ctx.Err() != nil {
			return
		}
		if text := c.explain(err); text != told {
			c.log("MQTT: %s; trying again", text)
			told = text
		}
		pause(ctx, patience/2+rand.N(patience/2)) // many devices do not come back in the same moment
		patience = min(2*patience, c.times.longest)
	}
}

// tellConnected logs that there is a connection: at once, or, after failures, when it has proved steady. The
// returned function keeps it from that.
func (c *Client) tellConnected(patience time.Duration) (hush func()) {
	tell := func() { c.log("MQTT: connected to %s, topics below %s", c.options.shown, c.options.prefix) }
	if patience == c.times.first {
		tell()
		return func() {}
	}
	timer := time.AfterFunc(c.times.steady, tell)
	return func() { timer.Stop() }
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (c *Client) pahoOptions(ctx context.Context, at address, lose context.CancelCauseFunc) *paho.ClientOptions {
	return paho.NewClientOptions().
		AddBroker(at.url.String()).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return at.dial(ctx) }).
		SetClientID(c.options.clientID).
		SetUsername(c.options.username).
		SetPassword(c.options.password).
		SetProtocolVersion(4). // 3.1.1
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetKeepAlive(keepAlive).
		SetConnectTimeout(dialLimit).
		SetWriteTimeout(sendLimit).
		SetBinaryWill(c.options.prefix+"/status", []byte(offline), c.options.qos, true).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lose(err) })
}

// explain says in words why there is no connection, and what to do where a person has to.
func (c *Client) explain(err error) string {
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var noName *net.DNSError
	at := c.options.shown
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return fmt.Sprintf("%s refuses %s: give the right user and password as in mqtt://USER:PASSWORD@HOST, or in %s and %s",
			at, c.options.who(), UserVariable, PasswordVariable)
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		return fmt.Sprintf("%s refuses the client id %q: give another", at, c.options.clientID)
	case errors.As(err, &unknown):
		return fmt.Sprintf("%s has a certificate of an authority that this computer does not know: give its CA file", at)
	case errors.As(err, &wrongName):
		return fmt.Sprintf("%s has a certificate for another name: %v", at, wrongName)
	case errors.As(err, &noName):
		return fmt.Sprintf("%s: no address is known for this name; if that stays so, give the number instead, as in mqtt://192.168.1.2", at)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("%s: nothing listens there: is the broker running, and open to other computers?", at)
	case errors.Is(err, errNoBroker), errors.Is(err, errGreeting):
		return fmt.Sprintf("the connection to %s was closed from here: %s; is it an MQTT broker, and which?",
			at, withoutPrefix(err))
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Sprintf("the connection to %s was closed from there", at)
	}
	return fmt.Sprintf("no connection to %s: %s", at, withoutPrefix(err))
}

// withoutPrefix takes off what paho puts before every error.
func withoutPrefix(err error) string { return strings.TrimPrefix(err.Error(), "network Error : ") }
