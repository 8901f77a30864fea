package mqtt

import (
	"bytes"
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
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"
)

// broker is a mosquitto of the test's own.
type broker struct {
	addr string // HOST:PORT
	conf string
	path string
	cmd  *exec.Cmd
	log  bytes.Buffer
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
	b.log.Reset()
	b.cmd = exec.Command(b.path, "-c", b.conf)
	b.cmd.Stdout, b.cmd.Stderr = &b.log, &b.log
	require.NoError(t, b.cmd.Start())
	for range 200 {
		if c, err := net.Dial("tcp", b.addr); err == nil {
			c.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	b.stop()
	require.FailNow(t, "mosquitto does not listen", b.log.String())
}

func (b *broker) stop() {
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
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
	if !token.WaitTimeout(5 * time.Second) {
		return fmt.Errorf("timeout")
	}
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
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		found := o.all(topic)
		if n := len(found); n > 0 && string(found[n-1].Payload()) == payload {
			return found[n-1]
		}
		if time.Now().After(deadline) {
			last := "nothing"
			if n := len(found); n > 0 {
				last = string(found[n-1].Payload())
			}
			require.FailNow(t, "no such message", "%s: expected %q, the last was %q", topic, payload, last)
		}
	}
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
	require.Eventually(t, func() bool { return strings.Contains(l.all(), text) }, 10*time.Second, 5*time.Millisecond, "%q; the log: %s", text, l.all())
}
