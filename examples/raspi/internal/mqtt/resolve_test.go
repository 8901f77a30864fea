package mqtt

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
)

// fakeGetent is first in the path, in place of a network with mDNS.
func fakeGetent(t *testing.T, script string) {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "getent"), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
}

func TestLocalName(t *testing.T) {
	fakeGetent(t, `[ "$*" = "ahostsv4 homeassistant.local" ] || exit 2
echo '127.0.0.1       STREAM homeassistant.local'; echo '127.0.0.1       DGRAM'`)
	b := startBroker(t)
	_, port, err := net.SplitHostPort(b.addr)
	require.NoError(t, err)
	o := observe(t, b)
	_, l := start(t, Options{Broker: "mqtt://homeassistant.local:" + port, Prefix: "p"})
	o.await(t, "p/status", "online")
	require.Contains(t, l.all(), "connected to mqtt://homeassistant.local:"+port)
}

func TestFind(t *testing.T) {
	for _, c := range []struct{ name, script, broker, want, server string }{
		{"by TLS", "echo 192.168.1.9 STREAM x", "mqtts://ha.local", "mqtts://192.168.1.9:8883", "ha.local"},
		{"in capitals, with a dot", "echo 192.168.1.9 STREAM x", "mqtts://HA.Local.:1", "mqtts://192.168.1.9:1", "HA.Local"},
		{"by WebSocket", "echo 192.168.1.9 STREAM x", "ws://ha.local/x?y", "ws://192.168.1.9:80/x?y", ""},
		{"another name", "echo 192.168.1.9 STREAM x", "mqtts://ha.example", "mqtts://ha.example:8883", ""},
		{"a number", "echo 192.168.1.9 STREAM x", "mqtt://10.0.0.1", "mqtt://10.0.0.1:1883", ""},
		{"unknown", "exit 2", "mqtt://ha.local", "mqtt://ha.local:1883", ""},
		{"no number", "echo 'nonsense\033[2J'", "mqtt://ha.local", "mqtt://ha.local:1883", ""},
		{"endless", "exec yes 192.168.1.9", "mqtt://ha.local", "mqtt://ha.local:1883", ""},
		{"nothing", "exit 0", "mqtt://ha.local", "mqtt://ha.local:1883", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeGetent(t, c.script)
			s, err := Options{Broker: c.broker}.check()
			require.NoError(t, err)
			a := s.find(t.Context(), patient.lookup)
			require.Equal(t, c.want, a.url.String())
			if c.server != "" {
				require.Equal(t, c.server, a.tls.ServerName)
			}
			if a.url.Host != s.broker.Host {
				require.Equal(t, s.broker.Host, a.headers.Get("Host"))
			}
		})
	}
}

// A search that hangs must not hold up the end.
func TestLocalNameThatHangs(t *testing.T) {
	begun := filepath.Join(t.TempDir(), "begun")
	fakeGetent(t, ">'"+begun+"'; exec sleep 1000000")
	c, _ := start(t, Options{Broker: "mqtt://ha.local"})
	await.True(t, func() bool { _, err := os.Stat(begun); return err == nil })
	require.NoError(t, c.Close())
}
