package web

import (
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

var _ live.Sink = (*Server)(nil)

// fetch makes a request on a connection of its own and returns the answer with its whole body.
func fetch(t *testing.T, s *Server, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, s.URLs()[0]+strings.TrimPrefix(path, "/"), nil)
	require.NoError(t, err)
	r.Close = true
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestRoutes(t *testing.T) {
	s := serve(t, patient)
	s.Publish(update(1, ""))
	for _, c := range []struct {
		method, path string
		status       int
		mediaType    string
		body         string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "<title>"},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/page.js", 200, "text/javascript; charset=utf-8", "import"},
		{"GET", "/page.css", 200, "text/css; charset=utf-8", ":root"},
		{"GET", "/icon.svg", 200, "image/svg+xml", "<svg"},
		{"GET", "/state.json", 200, "application/json", `"kit fox`},
		{"GET", "/healthz", 200, "text/plain; charset=utf-8", "ok"},
		{"HEAD", "/stream.mjpg", 200, "multipart/x-mixed-replace; boundary=libresnext-frame", ""},
		{"HEAD", "/snapshot.jpg", 200, "image/jpeg", ""},
		{"HEAD", "/events", 200, "text/event-stream", ""},
		{"GET", "/nothing", 404, "text/plain; charset=utf-8", "not found"},
		{"GET", "/static/index.html", 404, "text/plain; charset=utf-8", "not found"},
		{"GET", "/..%2fserver.go", 404, "text/plain; charset=utf-8", "not found"},
		{"POST", "/", 405, "text/plain; charset=utf-8", "Not Allowed"},
		{"PUT", "/stream.mjpg", 405, "text/plain; charset=utf-8", "Not Allowed"},
		{"DELETE", "/state.json", 405, "text/plain; charset=utf-8", "Not Allowed"},
	} {
		resp, body := fetch(t, s, c.method, c.path)
		name := c.method + " " + c.path
		require.Equal(t, c.status, resp.StatusCode, name)
		require.Equal(t, c.mediaType, resp.Header.Get("Content-Type"), name)
		require.Contains(t, body, c.body, name)
		require.Equal(t, c.method == "HEAD", body == "", name)
		require.Equal(t, c.status == 405, resp.Header.Get("Allow") == "GET, HEAD", name)
		require.Contains(t, resp.Header.Get("Content-Security-Policy"), "default-src 'self'", name)
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"), name)
		require.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"), name)
		require.Equal(t, "same-origin", resp.Header.Get("Cross-Origin-Resource-Policy"), name)
	}
	require.False(t, s.Wanted())
}

func TestUnchangedFilesAreNotSentAgain(t *testing.T) {
	s := serve(t, patient)
	resp, _ := fetch(t, s, "GET", "/")
	resp, body := fetch(t, s, "GET", "/", "If-None-Match", resp.Header.Get("ETag"))
	require.Equal(t, http.StatusNotModified, resp.StatusCode)
	require.Empty(t, body)
}

func TestForeignNames(t *testing.T) {
	s := serve(t, patient)
	s.AllowHost("Camera.Example.org")
	for host, status := range map[string]int{
		"192.168.1.5:8080": 200, "10.0.0.1": 200, "[::1]:8080": 200, "[fd00::1]": 200, "localhost": 200, "raspberrypi": 200,
		"raspberrypi.local:8080": 200, "pi.lan": 200, "pi.home.arpa": 200, "PI.LOCAL.": 200,
		"camera.example.org": 200, "camera.example.org:8080": 200,
		"attacker.example": 421, "192.168.1.5.attacker.example:8080": 421, "local.attacker.example": 421,
		"xlocal.example": 421, "raspberrypi.local.attacker.example": 421, ":8080": 421, ".": 421,
	} {
		for _, path := range []string{"/", "/state.json", "/healthz"} {
			resp, body := fetch(t, s, "GET", path, "Host", host)
			if status == 200 {
				require.NotEqual(t, 421, resp.StatusCode, host)
				continue
			}
			require.Equal(t, status, resp.StatusCode, host)
			require.Contains(t, body, s.URLs()[0])
			require.NotContains(t, body, "attacker")
		}
	}
}

func TestState(t *testing.T) {
	s := serve(t, patient)
	_, body := fetch(t, s, "GET", "/state.json")
	require.Contains(t, body, `"classes":6`)
	require.NotContains(t, body, "coyote", "a thousand labels are of no use here")
	require.NotContains(t, body, "frame\"")

	hostile := "</script><img src=x onerror=alert(1)>\x1b[31m\n\ndata: {}"
	u := update(7, hostile)
	s.Publish(u)
	_, body = fetch(t, s, "GET", "/state.json")
	require.NotContains(t, body, "<")
	require.NotContains(t, body, "\x1b")
	var got struct {
		About live.About
		State struct {
			live.Update
			UptimeS *float64 `json:"uptime_s"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Equal(t, hostile, got.State.Top[0].Label)
	require.Equal(t, uint64(7), got.State.Frame)
	require.Equal(t, u.Board, got.State.Board)
	require.NotNil(t, got.State.UptimeS)
	require.Equal(t, testAbout.Kernels, got.About.Kernels)

	s.Publish(&live.Update{Frame: 8, FramesPerSecond: math.NaN()})
	resp, body := fetch(t, s, "GET", "/state.json")
	require.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	require.Contains(t, body, "NaN")
}

func TestHealth(t *testing.T) {
	s := serve(t, patient)
	expect := func(status int, text string) {
		t.Helper()
		resp, body := fetch(t, s, "GET", "/healthz")
		require.Equal(t, status, resp.StatusCode)
		require.Contains(t, body, text)
	}
	expect(503, "no frame has been classified yet")
	s.Publish(update(1, ""))
	expect(200, "ok")
	s.newest.mu.Lock()
	s.newest.at = time.Now().Add(-2 * patient.stale)
	s.newest.mu.Unlock()
	expect(503, "the last frame was classified")
}

func TestAddressErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for addr, want := range map[string]string{
		taken.Addr().String(): "another program already listens",
		"8080":                "or :PORT for every network, such as :8080",
		"":                    "or :PORT for every network, such as :8080",
		":http":               "expected a number",
		":65536":              "expected a number",
		":-1":                 "expected a number",
		"192.0.2.1:8080":      "is no address of this computer",
		"nowhere.invalid:80":  "no address is known for the name",
	} {
		s, err := New(testAbout, addr, t.Logf)
		require.ErrorContains(t, err, want, addr)
		require.Nil(t, s)
	}
	err = listenError(":80", &net.OpError{Op: "listen", Err: syscall.EACCES})
	require.ErrorContains(t, err, "ports below 1024, such as 80, are for root; give a higher one")
}

func TestURLs(t *testing.T) {
	var logged string
	s, err := New(testAbout, ":0", func(format string, args ...any) { logged = strings.TrimSpace(args[0].(string)) })
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, strings.Join(s.URLs(), " or "), logged)
	for _, u := range s.URLs() {
		require.Regexp(t, `^http://[^/]+:\d+/$`, u)
	}
	require.Equal(t, "http://[::1]/", pageURL("::1", 80))
	require.Equal(t, "http://[::1]:81/", pageURL("::1", 81))
	require.Equal(t, "http://pi.local/", pageURL("pi.local", 80))
}

// A server with every kind of viewer, one of them stuck, closes in time and leaves nothing behind.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := newServer(testAbout, "127.0.0.1:0", patient, t.Logf)
	require.NoError(t, err)
	addr := s.listener.Addr().String()
	for _, path := range []string{"/stream.mjpg", "/events", "/snapshot.jpg", "/state.json"} {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer c.Close()
		_, err = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		require.NoError(t, err)
	}
	await.True(t, s.Wanted)
	big := update(1, "")
	big.JPEG = make([]byte, 32<<20) // more than buffers take: nobody reads
	s.Publish(big)
	await.True(t, func() bool { return s.streams.sending() > 0 }, "it is stuck")
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	s.Publish(update(2, ""))
	require.False(t, s.Wanted())
	await.True(t, func() bool { return runtime.NumGoroutine() <= before }, "no goroutine is left")

	again, err := New(testAbout, addr, t.Logf)
	require.NoError(t, err, "the address is free at once")
	require.NoError(t, again.Close())
}
