package mqtt

import (
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
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
	b := &broker{addr: freeAddress(t), conf: filepath.Join(t.TempDir(), "mosquitto.conf"), path: findMosquitto(t, "mosquitto")}
	_, port, err := net.SplitHostPort(b.addr)
	require.NoError(t, err)
	lines = append([]string{"user " + me.Username, "persistence false", "listener " + port + " 127.0.0.1"}, lines...)
	require.NoError(t, os.WriteFile(b.conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	b.start(t)
	t.Cleanup(b.stop)
	return b
}

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

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func (b *broker) start(t *testing.T) {
	t.Helper()
	cmd, over := exec.Command(b.path, "-c", b.conf), make(chan struct{})
	cmd.Stdout, cmd.Stderr = &b.log, &b.log
	require.NoError(t, cmd.Start())
	go func() {
		_ = cmd.Wait() // it is killed
		close(over)
	}()
	b.cmd, b.over = cmd, over
	await.True(t, func() bool {
		select {
		case <-over:
			require.FailNow(t, "mosquitto does not start", b.log.all())
		default:
		}
		c, err := net.Dial("tcp", b.addr)
		if err != nil {
			return false
		}
		c.Close()
		return true
	}, "mosquitto listens", b.log.all)
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
