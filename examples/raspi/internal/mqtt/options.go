package mqtt

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

// The environment variables that hold the user and the password where the broker's URL has none. A URL on the
// command line can be seen by everybody on the computer.
const (
	UserVariable     = "RESNEXT_MQTT_USER"
	PasswordVariable = "RESNEXT_MQTT_PASSWORD"
)

// Options say where and how to publish. Only Broker is needed.
type Options struct {
	// Broker is a URL such as mqtt://homeassistant.local: mqtt or tcp (port 1883), mqtts, ssl or tls (8883), ws (80)
	// or wss (443); it may hold USER:PASSWORD@. Without a scheme it is mqtt.
	Broker string
	// CAFile is a PEM file with the certificates of the authorities that may vouch for the broker, in place of the
	// system's.
	CAFile string
	// Prefix begins every topic: by default resnext/HOSTNAME.
	Prefix string
	// ClientID is by default made from the host's name and four random letters. No two clients of a broker may
	// share one.
	ClientID string
	// QoS is 0 (at most once, the default), 1 or 2.
	QoS byte
	// Retain makes the broker keep the last state and label for those who come later.
	Retain bool
	// Every is the least time between two states: 1 s by default.
	Every time.Duration
	// OnChange publishes a state only when the label is another, or when a minute has passed.
	OnChange bool
	// Discovery announces the sensors to Home Assistant, below DiscoveryPrefix, by default "homeassistant".
	Discovery       bool
	DiscoveryPrefix string
}

// settings are checked Options with every default filled in.
type settings struct {
	broker             *url.URL // without user and password
	shown              string   // the broker in messages
	username, password string
	tls                *tls.Config // nil without encryption
	prefix, clientID   string
	qos                byte
	retain, onChange   bool
	every              time.Duration
	discovery          string // the prefix, or empty
}

// who names the user in messages.
func (s *settings) who() string {
	if s.username == "" {
		return "clients without a user name"
	}
	return fmt.Sprintf("user %q with this password", s.username)
}

func (o Options) check() (s settings, err error) {
	s = settings{prefix: o.Prefix, clientID: o.ClientID, qos: o.QoS, retain: o.Retain, every: o.Every, onChange: o.OnChange}
	if err := s.setBroker(o.Broker); err != nil {
		return s, err
	}
	if err := s.setTLS(o.CAFile); err != nil {
		return s, err
	}
	host := hostName()
	if s.prefix == "" {
		s.prefix = "resnext/" + host
	}
	if s.clientID == "" { // 23 letters, digits and the like are what every broker takes
		s.clientID = "resnext-" + host[:min(len(host), 10)] + "-" + strings.ToLower(rand.Text()[:4])
	}
	if s.every == 0 {
		s.every = time.Second
	}
	if o.Discovery {
		s.discovery = o.DiscoveryPrefix
		if s.discovery == "" {
			s.discovery = "homeassistant"
		}
		if err := checkTopic("discovery prefix", s.discovery); err != nil {
			return s, err
		}
	}
	switch {
	case s.every < 0:
		return s, fmt.Errorf("mqtt: the interval is %v, expected a positive one such as 1s", s.every)
	case s.qos > 2:
		return s, fmt.Errorf("mqtt: the quality of service is %d, expected 0, 1 or 2", s.qos)
	case len(s.clientID) > 128 || !utf8.ValidString(s.clientID) || strings.ContainsFunc(s.clientID, isControl):
		return s, fmt.Errorf("mqtt: client id %q: expected up to 128 printable characters", s.clientID)
	}
	return s, checkTopic("topic prefix", s.prefix)
}

// defaultPorts of the schemes.
var defaultPorts = map[string]string{
	"mqtt": "1883", "tcp": "1883", "mqtts": "8883", "ssl": "8883", "tls": "8883", "ws": "80", "wss": "443",
}

// setBroker reads the URL. No message quotes it: it may hold a password.
func (s *settings) setBroker(broker string) error {
	if broker == "" {
		return errors.New("mqtt: the broker is not given: expected a URL such as mqtt://homeassistant.local")
	}
	if !strings.Contains(broker, "://") {
		broker = "mqtt://" + broker
	}
	u, err := url.Parse(broker)
	if err != nil {
		return fmt.Errorf("mqtt: the broker's URL cannot be read: expected one such as mqtt://USER:PASSWORD@HOST:1883, with "+
			"%%40 for @, %%2F for /, %%23 for # and %%25 for %% in the password; or give the password in %s", PasswordVariable)
	}
	port, ok := defaultPorts[u.Scheme]
	if !ok {
		return fmt.Errorf("mqtt: the broker's URL begins with %q, expected mqtt, mqtts, ws or wss", u.Scheme+"://")
	}
	if u.Hostname() == "" {
		return errors.New("mqtt: the broker's URL names no host: expected one such as mqtt://homeassistant.local")
	}
	if p := u.Port(); p != "" {
		port = p
	}
	s.username, s.password = credentials(u.User)
	s.broker = &url.URL{Scheme: u.Scheme, Host: net.JoinHostPort(u.Hostname(), port)}
	if strings.HasPrefix(u.Scheme, "ws") {
		s.broker.Path, s.broker.RawQuery = u.Path, u.RawQuery
		if u.Path == "" || u.Path == "/" {
			s.broker.Path = "/mqtt" // where nearly every broker has it
		}
	} else if u.Path != "" && u.Path != "/" {
		return fmt.Errorf("mqtt: the broker's URL has the path %q, expected none; the topic prefix is an option of its own", u.Path)
	}
	s.shown = s.broker.String()
	return nil
}

// credentials prefers the URL's to the environment's.
func credentials(u *url.Userinfo) (user, password string) {
	user, password = os.Getenv(UserVariable), os.Getenv(PasswordVariable)
	if u.Username() != "" {
		user = u.Username()
	}
	if p, ok := u.Password(); ok {
		password = p
	}
	return user, password
}

// maxCAFile bounds a file of certificates: all of the world's authorities are less than a quarter of it.
const maxCAFile = 1 << 20

func (s *settings) setTLS(caFile string) error {
	encrypted := defaultPorts[s.broker.Scheme] == "8883" || s.broker.Scheme == "wss"
	if !encrypted {
		if caFile != "" {
			return fmt.Errorf("mqtt: %s: a CA file is of use only with mqtts:// or wss://, not with %s://", caFile, s.broker.Scheme)
		}
		return nil
	}
	// A certificate is for the name, whatever the address is found to be.
	s.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: strings.TrimSuffix(s.broker.Hostname(), ".")}
	if caFile == "" {
		return nil
	}
	f, err := os.Open(caFile)
	if err != nil {
		return fmt.Errorf("mqtt: CA file: %w", err)
	}
	defer f.Close()
	pem, err := io.ReadAll(io.LimitReader(f, maxCAFile+1))
	if err != nil {
		return fmt.Errorf("mqtt: CA file: %w", err)
	}
	if len(pem) > maxCAFile {
		return fmt.Errorf("mqtt: CA file %s: expected at most %d MB of certificates", caFile, maxCAFile>>20)
	}
	s.tls.RootCAs = x509.NewCertPool()
	if !s.tls.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("mqtt: CA file %s: expected certificates in PEM form (-----BEGIN CERTIFICATE-----)", caFile)
	}
	return nil
}

// checkTopic refuses what no topic may be, or what would be seen by nobody.
func checkTopic(what, topic string) error {
	fault := ""
	switch {
	case strings.ContainsAny(topic, "+#"):
		fault = "without + and #, which are for subscribers"
	case strings.HasPrefix(topic, "$"):
		fault = "not beginning with $, which is for the broker itself"
	case strings.HasPrefix(topic, "/") || strings.HasSuffix(topic, "/") || strings.Contains(topic, "//"):
		fault = "with words between the slashes, such as resnext/kitchen"
	case len(topic) > 256:
		fault = "of up to 256 bytes"
	case !utf8.ValidString(topic) || strings.ContainsFunc(topic, isControl):
		fault = "of printable characters"
	}
	if fault != "" {
		return fmt.Errorf("mqtt: %s %q: expected one %s", what, topic, fault)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// hostName is the computer's name as a word of a topic.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		name = ""
	}
	name, _, _ = strings.Cut(name, ".")
	if name = word(name); name == "" {
		return "device"
	}
	return name
}

// word replaces all but ASCII letters, digits, - and _, as Home Assistant wants ids to be.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, s)
}
