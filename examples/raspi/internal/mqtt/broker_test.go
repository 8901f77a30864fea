package mqtt

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
)

// broker is a mosquitto of the test's own.
type broker struct {
	addr string // HOST:PORT
	conf string
	path string
	cmd  *exec.Cmd
	over chan struct{} // closed when it has ended
	log  logbook
}

// startBroker runs mosquitto on a free port of this computer with more lines of configuration: anonymous clients
// are allowed where none are given.
func startBroker(t *testing.T, lines ...string) *broker {
	t.Helper()
	if len(lines) == 0 {
		lines = []string{"allow_anonymous true"}
	}
	me, err := user.Current()
	require.NoError(t, err)
	b := &broker{conf: filepath.Join(t.TempDir(), "mosquitto.conf"), path: findMosquitto(t, "mosquitto")}
	for started := false; !started; {
		port := fmt.Sprint(lastPort.Add(1))
		b.addr = net.JoinHostPort("127.0.0.1", port)
		conf := append([]string{"user " + me.Username, "persistence false", "listener " + port + " 127.0.0.1"}, lines...)
		require.NoError(t, os.WriteFile(b.conf, []byte(strings.Join(conf, "\n")+"\n"), 0o600))
		started = b.try(t)
	}
	t.Cleanup(b.stop)
	return b
}

// lastPort is the port that a broker got last. They are below those that the system gives to whoever asks for any, which
// might take one between a broker's stop and its start; and no two brokers get the same.
var lastPort = func() *atomic.Int32 {
	var p atomic.Int32
	p.Store(10_000 + mathrand.Int32N(10_000))
	return &p
}()

// findMosquitto looks in /usr/sbin too, which is not in everybody's PATH.
func findMosquitto(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	require.FailNow(t, "install mosquitto", "MQTT is tested with a real broker: Debian's package mosquitto (apt-get install mosquitto) has %s", name)
	return ""
}

func (b *broker) start(t *testing.T) {
	t.Helper()
	require.True(t, b.try(t), "somebody has taken the port %s", b.addr)
}

// try starts mosquitto and waits until it says that it runs; it reports false if the port is somebody else's. A
// connection would prove nothing: it may be somebody else who takes it.
func (b *broker) try(t *testing.T) (started bool) {
	t.Helper()
	cmd, over := exec.Command(b.path, "-c", b.conf), make(chan struct{})
	cmd.Stdout, cmd.Stderr = &b.log, &b.log
	before := len(b.log.all())
	require.NoError(t, cmd.Start())
	go func() {
		_ = cmd.Wait() // it is killed
		close(over)
	}()
	b.cmd, b.over = cmd, over
	said := func(text string) bool { return strings.Contains(b.log.all()[before:], text) }
	taken := false
	await.True(t, func() bool {
		select {
		case <-over:
			taken = said("Address already in use")
			require.True(t, taken, "mosquitto does not start: %s", b.log.all())
			return true
		default:
			return said(" running")
		}
	}, "mosquitto runs", b.log.all)
	return !taken
}

func (b *broker) stop() {
	_ = b.cmd.Process.Kill()
	<-b.over
}

// observer sees everything that clients publish.
type observer struct {
	mu   sync.Mutex
	seen []paho.Message
	paho.Client
}

func observe(t *testing.T, b *broker, credentials ...string) *observer {
	t.Helper()
	o := &observer{}
	options := paho.NewClientOptions().AddBroker("tcp://" + b.addr).SetClientID("observer-" + rand.Text()).SetAutoReconnect(false)
	if len(credentials) == 2 {
		options.SetUsername(credentials[0]).SetPassword(credentials[1])
	}
	o.Client = paho.NewClient(options)
	require.NoError(t, wait(o.Connect()))
	t.Cleanup(func() { o.Disconnect(0) })
	require.NoError(t, wait(o.Subscribe("#", 1, func(_ paho.Client, m paho.Message) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.seen = append(o.seen, m)
	})))
	return o
}

func wait(token paho.Token) error {
	<-token.Done()
	return token.Error()
}

// all lists what was seen of a topic.
func (o *observer) all(topic string) (found []paho.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.seen {
		if m.Topic() == topic {
			found = append(found, m)
		}
	}
	return found
}

// await waits until the last message of a topic is the given one.
func (o *observer) await(t *testing.T, topic, payload string) paho.Message {
	t.Helper()
	last := func() (m paho.Message, text string) {
		if found := o.all(topic); len(found) > 0 {
			m = found[len(found)-1]
			return m, string(m.Payload())
		}
		return nil, "nothing"
	}
	await.True(t, func() bool { m, text := last(); return m != nil && text == payload },
		fmt.Sprintf("%s: expected %q, the last is", topic, payload), func() string { _, text := last(); return text })
	m, _ := last()
	return m
}

// logbook collects what a client logs.
type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (l *logbook) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *logbook) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func (l *logbook) await(t *testing.T, text string) {
	t.Helper()
	await.True(t, func() bool { return strings.Contains(l.all(), text) }, fmt.Sprintf("%q; the log:", text), l.all)
}

// Write takes what a program says.
func (l *logbook) Write(b []byte) (int, error) {
	l.add("%s", b)
	return len(b), nil
}
