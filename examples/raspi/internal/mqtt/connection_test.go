package mqtt

import (
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
	"github.com/libresnext/libresnext/examples/raspi/internal/wire"
)

// A connection that breaks without a word: the broker tells everybody by the will, and the client comes back.
func TestLastWill(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	o := observe(t, b)
	w := wire.New(t, b.addr)
	c, l := start(t, Options{Broker: w.Addr().String(), Prefix: "p", Every: time.Millisecond})
	o.await(t, "p/status", "online")
	w.Frozen.Lock() // so that it cannot be back before all is seen and published
	w.Cut()
	o.await(t, "p/status", "offline")
	c.Publish(update(1, "lost"))
	c.Publish(update(2, "kept"))
	w.Frozen.Unlock()
	o.await(t, "p/status", "online")
	o.await(t, "p/label", "kept")
	require.Len(t, o.all("p/label"), 1, "only the newest is kept")
	require.Contains(t, l.all(), "was closed from there; trying again")
}

func TestBrokerRestart(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	// Retained, because the client may be back before the observer is there.
	c, l := start(t, Options{Broker: b.addr, Prefix: "p", Every: time.Millisecond, Retain: true})
	l.await(t, "connected")
	b.stop()
	l.await(t, "; trying again")
	for frame := range 1000 {
		c.Publish(update(frame, "while away"))
	}
	l.await(t, "is the broker running")
	b.start(t)
	o := observe(t, b)
	o.await(t, "p/label", "while away")
	o.await(t, "p/status", "online")
	require.LessOrEqual(t, strings.Count(l.all(), "\n"), 3, l.all())
}

func TestPasswords(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passwords")
	out, err := exec.Command(findMosquitto(t, "mosquitto_passwd"), "-b", "-c", file, "pi", "p@ss/#%").CombinedOutput()
	require.NoError(t, err, string(out))
	b := startBroker(t, "allow_anonymous false", "password_file "+file)
	o := observe(t, b, "pi", "p@ss/#%")

	_, l := start(t, Options{Broker: "tcp://pi:secret-but-wrong@" + b.addr})
	l.await(t, `refuses user "pi" with this password: give the right`)
	_, anonymous := start(t, Options{Broker: b.addr})
	anonymous.await(t, "refuses clients without a user name")
	refused := func() bool { return strings.Count(b.log.all(), "not authorised") > 6 }
	await.True(t, refused, "both have tried again", b.log.all)
	require.Equal(t, 0, strings.Count(l.all(), "\n"), "said once: %s", l.all())
	require.NotContains(t, l.all(), "secret")

	_, l = start(t, Options{Broker: "mqtt://pi:p%40ss%2F%23%25@" + b.addr, Prefix: "url"})
	o.await(t, "url/status", "online")
	require.NotContains(t, l.all(), "p@ss")
	t.Setenv(UserVariable, "pi")
	t.Setenv(PasswordVariable, "p@ss/#%")
	start(t, Options{Broker: b.addr, Prefix: "environment"})
	o.await(t, "environment/status", "online")
}

// A broker that takes the connection and never answers holds up neither Publish nor Close.
func TestSilentBroker(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()
	c, _ := start(t, Options{Broker: silent.Addr().String()})
	conn, err := silent.Accept()
	require.NoError(t, err)
	defer conn.Close()
	for frame := range 10_000 {
		c.Publish(update(frame, "cat"))
	}
	require.NoError(t, c.Close())
}

// A network that swallows everything: Close leaves in time all the same.
func TestFrozenNetwork(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	w := wire.New(t, b.addr)
	o := observe(t, b)
	c, _ := start(t, Options{Broker: w.Addr().String(), Prefix: "p", QoS: 2, Every: time.Millisecond})
	c.Publish(update(1, "dog"))
	o.await(t, "p/label", "dog")
	w.Frozen.Lock()
	defer w.Frozen.Unlock()
	c.Publish(update(2, "cat"))
	await.True(t, func() bool { return len(c.fresh) == 0 }, "the update is under way")
	require.NoError(t, c.Close())
}

// Two clients with one id throw each other out for ever; that fills no log.
func TestSameClientID(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	_, l1 := start(t, Options{Broker: b.addr, ClientID: "twin"})
	_, l2 := start(t, Options{Broker: b.addr, ClientID: "twin"})
	thrown := func() bool { return strings.Count(b.log.all(), "already connected") > 4 }
	await.True(t, thrown, "they throw each other out", b.log.all)
	require.LessOrEqual(t, strings.Count(l1.all()+l2.all(), "\n"), 4, l1.all()+"\n"+l2.all())
}

func TestNothingIsLeftBehind(t *testing.T) {
	b := startBroker(t)
	before := runtime.NumGoroutine()
	c, l := start(t, Options{Broker: b.addr, Discovery: true})
	l.await(t, "connected")
	c.Publish(update(1, "cat"))
	require.NoError(t, c.Close())
	await.True(t, func() bool { return runtime.NumGoroutine() <= before }, "no goroutine is left")
}
