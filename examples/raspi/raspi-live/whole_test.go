//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

// freePort is a port of this computer that nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startBroker runs a mosquitto of the test's own and returns its URL.
func startBroker(t *testing.T) string {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin") // where Debian has it
	me, err := user.Current()
	require.NoError(t, err)
	port := freePort(t)
	conf := save(t, "mosquitto.conf", fmt.Appendf(nil, "user %s\nlistener %d 127.0.0.1\nallow_anonymous true\n", me.Username, port))
	cmd := exec.Command("mosquitto", "-c", conf)
	require.NoError(t, cmd.Start(), "Debian's package mosquitto is needed")
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return fmt.Sprintf("mqtt://127.0.0.1:%d", port)
}

// subscribe keeps the last message of every topic.
func subscribe(t *testing.T, broker string) (last func(topic string) string) {
	t.Helper()
	var all sync.Map
	var c paho.Client
	await.True(t, func() bool {
		c = paho.NewClient(paho.NewClientOptions().AddBroker(broker).SetClientID("subscriber"))
		token := c.Connect()
		return token.Wait() && token.Error() == nil
	}, "mosquitto answers")
	t.Cleanup(func() { c.Disconnect(0) })
	token := c.Subscribe("#", 0, func(_ paho.Client, m paho.Message) { all.Store(m.Topic(), string(m.Payload())) })
	require.True(t, token.Wait())
	require.NoError(t, token.Error())
	return func(topic string) string {
		text, _ := all.Load(topic)
		s, _ := text.(string)
		return s
	}
}

func get(t *testing.T, url string) (status int, kind, body string) {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, r.Header.Get("Content-Type"), string(b)
}

// TestPageAndBroker runs the program with everything that it can tell: the page, a real broker, a command and JSON.
func TestPageAndBroker(t *testing.T) {
	broker := startBroker(t)
	last := subscribe(t, broker)
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	env, _ := pids(t)
	p := launch(t, shows(t, "bag"), []string{env}, "--json", "--web", address, "--mqtt", broker, "--mqtt-discovery", "--mqtt-prefix", "here/pi",
		"--mqtt-every", "10ms", "--on", "bag>0.5 echo seen $RESNEXT_LABEL")
	require.Equal(t, "bag", p.update().Shown.Label)
	go io.Copy(io.Discard, p.stdout)

	await.True(t, func() bool { return last("here/pi/label") == "bag" }, p.said)
	require.Equal(t, "online", last("here/pi/status"))
	var state live.Update
	require.NoError(t, json.Unmarshal([]byte(last("here/pi/state")), &state))
	require.Equal(t, "bag", state.Shown.Label)
	require.Contains(t, last("homeassistant/sensor/here_pi/label/config"), `"state_topic":"here/pi/label"`)

	status, _, body := get(t, "http://"+address+"/state.json")
	require.Equal(t, http.StatusOK, status)
	var page struct{ State live.Update }
	require.NoError(t, json.Unmarshal([]byte(body), &page))
	require.Equal(t, "bag", page.State.Shown.Label)
	status, kind, body := get(t, "http://"+address+"/snapshot.jpg")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "image/jpeg", kind)
	require.True(t, strings.HasPrefix(body, "\xff\xd8\xff"))
	status, kind, _ = get(t, "http://"+address+"/")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, kind, "text/html")
	p.says("bag>0.5: seen bag")

	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, p.end(), p.said())
	await.True(t, func() bool { return last("here/pi/status") == "offline" })
}

// TestWithoutNetwork starts as at a boot before the network and without a camera: it is ready nevertheless.
func TestWithoutNetwork(t *testing.T) {
	address := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	socket, err := net.ListenUnixgram("unixgram", address)
	require.NoError(t, err)
	defer socket.Close()
	p := launch(t, "echo 'ERROR: *** no cameras available ***' >&2; exit 255\n", []string{"NOTIFY_SOCKET=" + address.Name},
		"--web", fmt.Sprintf("127.0.0.1:%d", freePort(t)), "--mqtt", "mqtt://broker.invalid")
	b := make([]byte, 100)
	n, err := socket.Read(b)
	require.NoError(t, err, p.said())
	require.Equal(t, "READY=1", string(b[:n]))
	p.says("a USB camera needs")
	p.says("broker.invalid")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, p.end(), p.said())
}
