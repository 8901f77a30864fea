package mqtt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

func TestDefaults(t *testing.T) {
	t.Setenv(UserVariable, "")
	t.Setenv(PasswordVariable, "")
	s, err := Options{Broker: "pi.local", Discovery: true}.check()
	require.NoError(t, err)
	require.Equal(t, "mqtt://pi.local:1883", s.shown)
	require.Equal(t, "resnext/"+hostName(), s.prefix)
	require.Regexp(t, `^resnext-[0-9a-zA-Z_-]{1,10}-[a-z0-9]{4}$`, s.clientID)
	require.LessOrEqual(t, len(s.clientID), 23)
	require.Equal(t, time.Second, s.every)
	require.Equal(t, "homeassistant", s.discovery)
	require.Empty(t, s.username)
	require.Nil(t, s.tls)
}

func TestBrokerURLs(t *testing.T) {
	t.Setenv(UserVariable, "env-user")
	t.Setenv(PasswordVariable, "env-password")
	for broker, want := range map[string][3]string{
		"pi.local":                        {"mqtt://pi.local:1883", "env-user", "env-password"},
		"pi.local:2000":                   {"mqtt://pi.local:2000", "env-user", "env-password"},
		"tcp://u@pi":                      {"tcp://pi:1883", "u", "env-password"},
		"mqtt://u:p%40%2F@[fd00::1]:1/":   {"mqtt://[fd00::1]:1", "u", "p@/"},
		"mqtts://u:@pi":                   {"mqtts://pi:8883", "u", ""},
		"ssl://pi":                        {"ssl://pi:8883", "env-user", "env-password"},
		"ws://pi":                         {"ws://pi:80/mqtt", "env-user", "env-password"},
		"wss://pi/socket?x=1":             {"wss://pi:443/socket?x=1", "env-user", "env-password"},
		"MQTT://u:secret-in-url@PI.local": {"mqtt://PI.local:1883", "u", "secret-in-url"},
	} {
		s, err := Options{Broker: broker}.check()
		require.NoError(t, err, broker)
		require.Equal(t, want, [3]string{s.shown, s.username, s.password}, broker)
	}
}

func TestBadOptions(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(noPEM, []byte("hello"), 0o600))
	good := Options{Broker: "mqtt://pi"}
	for want, change := range map[string]func(*Options){
		"the broker is not given":                    func(o *Options) { o.Broker = "" },
		`begins with "http://", expected mqtt`:       func(o *Options) { o.Broker = "http://u:secret@pi" },
		"names no host":                              func(o *Options) { o.Broker = "mqtt://u:secret@:1883" },
		"with %40 for @":                             func(o *Options) { o.Broker = "mqtt://u:secret#/%zz@pi" },
		"URL cannot be read":                         func(o *Options) { o.Broker = "mqtt://u:secret@pi:port" },
		`has the path "/topic"`:                      func(o *Options) { o.Broker = "mqtt://u:secret@pi/topic" },
		"no such file":                               func(o *Options) { o.Broker, o.CAFile = "mqtts://pi", noPEM+".none" },
		"ca.pem: expected certificates in PEM":       func(o *Options) { o.Broker, o.CAFile = "mqtts://pi", noPEM },
		"a CA file is of use only with mqtts":        func(o *Options) { o.CAFile = noPEM },
		`topic prefix "a/#": expected one without`:   func(o *Options) { o.Prefix = "a/#" },
		`topic prefix "+": expected one without`:     func(o *Options) { o.Prefix = "+" },
		`topic prefix "$SYS": expected`:              func(o *Options) { o.Prefix = "$SYS" },
		`topic prefix "/a": expected one with words`: func(o *Options) { o.Prefix = "/a" },
		`topic prefix "a/": expected one with words`: func(o *Options) { o.Prefix = "a/" },
		`topic prefix "a\x00": expected`:             func(o *Options) { o.Prefix = "a\x00" },
		`topic prefix "\xff": expected`:              func(o *Options) { o.Prefix = "\xff" },
		"of up to 256 bytes":                         func(o *Options) { o.Prefix = strings.Repeat("a", 257) },
		`discovery prefix "a//b": expected`:          func(o *Options) { o.Discovery, o.DiscoveryPrefix = true, "a//b" },
		"quality of service is 3":                    func(o *Options) { o.QoS = 3 },
		"interval is -1s":                            func(o *Options) { o.Every = -time.Second },
		"client id":                                  func(o *Options) { o.ClientID = "a\nb" },
	} {
		o := good
		change(&o)
		c, err := New(testAbout, o, t.Logf)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
		require.Nil(t, c)
	}
}

// certificate makes a self-signed one for 127.0.0.1 and returns the files of it and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600))
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER)
}

func TestEncrypted(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	b := startBroker(t, "allow_anonymous true", "certfile "+cert, "keyfile "+key)
	_, l := start(t, Options{Broker: "mqtts://" + b.addr, CAFile: cert})
	l.await(t, "connected to mqtts://"+b.addr)
	_, l = start(t, Options{Broker: "mqtts://" + b.addr})
	l.await(t, "authority that this computer does not know: give its CA file")
	_, l = start(t, Options{Broker: "mqtts://" + strings.Replace(b.addr, "127.0.0.1", "localhost", 1), CAFile: cert})
	l.await(t, "has a certificate for another name")
}

// bridge is a WebSocket end of a broker: mosquitto's own does not start where IPv6 is switched off.
func bridge(to string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{Subprotocols: []string{"mqtt"}}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		tcp, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer tcp.Close()
		go func() {
			defer ws.Close()
			buffer := make([]byte, 4096)
			for {
				n, err := tcp.Read(buffer)
				if err != nil || ws.WriteMessage(websocket.BinaryMessage, buffer[:n]) != nil {
					return
				}
			}
		}()
		for {
			_, message, err := ws.ReadMessage()
			if err != nil {
				return
			}
			if _, err := tcp.Write(message); err != nil {
				return
			}
		}
	})
}

func TestWebSocket(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	o := observe(t, b)
	mux := http.NewServeMux()
	mux.Handle("/mqtt", bridge(b.addr))
	for scheme, server := range map[string]*httptest.Server{"ws": httptest.NewServer(mux), "wss": httptest.NewTLSServer(mux)} {
		defer server.Close()
		options := Options{Broker: scheme + "://" + server.Listener.Addr().String(), Prefix: scheme}
		if scheme == "wss" {
			options.CAFile = filepath.Join(t.TempDir(), "ca.pem")
			ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			require.NoError(t, os.WriteFile(options.CAFile, ca, 0o600))
		}
		_, l := start(t, options)
		o.await(t, scheme+"/status", "online")
		l.await(t, "connected to "+options.Broker+"/mqtt")
	}
}
