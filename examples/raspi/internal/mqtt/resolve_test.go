package mqtt

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
		{"nothing", "exit 0", "mqtt://ha.local", "mqtt://ha.local:1883", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeGetent(t, c.script)
			s, err := Options{Broker: c.broker}.check()
			require.NoError(t, err)
			a := s.find(t.Context())
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
	fakeGetent(t, "exec sleep 60")
	c, _ := start(t, Options{Broker: "mqtt://ha.local"})
	time.Sleep(50 * time.Millisecond)
	begin := time.Now()
	require.NoError(t, c.Close())
	require.Less(t, time.Since(begin), time.Second)
}
