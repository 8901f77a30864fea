package web

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

// open starts a request whose answer has no end, and ends it with the test.
func open(t *testing.T, s *Server, path string) *http.Response {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Get(s.URLs()[0] + path)
	require.NoError(t, err)
	t.Cleanup(func() { resp.Body.Close(); client.CloseIdleConnections() })
	return resp
}

// event is one server-sent event.
type event struct {
	name string
	data string
}

func readEvent(r *bufio.Scanner) (e event, err error) {
	for r.Scan() {
		field, value, _ := strings.Cut(r.Text(), ": ")
		switch {
		case field == "" && e.name != "":
			return e, nil
		case field == "event":
			e.name = value
		case field == "data":
			e.data += value
		default:
			return e, fmt.Errorf("line %q", r.Text())
		}
	}
	return e, io.ErrUnexpectedEOF
}

func frameOf(t *testing.T, e event) int {
	t.Helper()
	var u struct{ Frame int }
	require.NoError(t, json.Unmarshal([]byte(e.data), &u))
	return u.Frame
}

func TestEvents(t *testing.T) {
	quick := patient
	quick.beat = 150 * time.Millisecond
	s := serve(t, quick)
	s.Publish(update(1, "a\nb"))
	events := bufio.NewScanner(open(t, s, "events").Body)
	for _, want := range []struct{ name, data string }{
		{"about", `"kernels":"neondot"`}, {"history", `[[0`}, {"state", `"label":"a\nb"`}, {"beat", "{}"}, {"beat", "{}"},
	} {
		e, err := readEvent(events)
		require.NoError(t, err)
		require.Equal(t, want.name, e.name)
		require.Contains(t, e.data, want.data)
	}
	s.Publish(update(2, ""))
	e := event{name: "beat"}
	for e.name == "beat" {
		var err error
		e, err = readEvent(events)
		require.NoError(t, err)
	}
	require.Equal(t, 2, frameOf(t, e))
}

// Of a thousand updates a second a viewer gets about ten, each the newest, and the last.
func TestEventsAreLimitedAndNewest(t *testing.T) {
	s := serve(t, patient)
	events := bufio.NewScanner(open(t, s, "events").Body)
	u, published, last := update(0, ""), 0, 0
	stop := publish(s, time.Millisecond, func(frame int) *live.Update {
		next := *u
		next.Frame, published = uint64(frame), frame
		return &next
	})
	var frames []int
	start := time.Now()
	for last == 0 || frames[len(frames)-1] < last {
		e, err := readEvent(events)
		require.NoError(t, err)
		if e.name != "state" {
			continue
		}
		if frames = append(frames, frameOf(t, e)); len(frames) == 5 {
			stop()
			last = published
		}
	}
	require.LessOrEqual(t, len(frames), 2+int(time.Since(start)/patient.frame))
	require.IsIncreasing(t, frames)
}

func parts(t *testing.T, resp *http.Response) *multipart.Reader {
	t.Helper()
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/x-mixed-replace", kind)
	return multipart.NewReader(resp.Body, params["boundary"])
}

func readPart(t *testing.T, r *multipart.Reader) []byte {
	t.Helper()
	p, err := r.NextRawPart()
	require.NoError(t, err)
	require.Equal(t, "image/jpeg", p.Header.Get("Content-Type"))
	body, err := io.ReadAll(p)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(len(body)), p.Header.Get("Content-Length"))
	return body
}

func TestStream(t *testing.T) {
	s := serve(t, patient)
	require.False(t, s.Wanted())
	resp := open(t, s, "stream.mjpg")
	await.True(t, s.Wanted)
	stream := parts(t, resp)
	blind := update(1, "")
	blind.JPEG = nil
	s.Publish(blind)
	for frame := 2; frame < 5; frame++ {
		u := update(frame, "")
		s.Publish(u)
		got := readPart(t, stream) // it ends before the next picture exists, or this would hang
		require.Equal(t, u.JPEG, got)
		_, err := jpeg.Decode(bytes.NewReader(got))
		require.NoError(t, err)
	}
	resp.Body.Close()
	await.True(t, func() bool { return !s.Wanted() })
}

// Whoever reads nothing for a while holds nobody up and goes on with the newest picture, not with all it missed.
func TestSlowViewer(t *testing.T) {
	quick := patient
	quick.frame = time.Millisecond
	s := serve(t, quick)
	c, err := net.Dial("tcp", s.listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.(*net.TCPConn).SetReadBuffer(32<<10))
	_, err = io.WriteString(c, "GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	await.True(t, s.Wanted)
	const frames = 300
	for frame := 1; frame <= frames; frame++ {
		u := new(live.Update)
		u.Frame, u.JPEG = uint64(frame), bytes.Repeat([]byte{byte(frame), byte(frame >> 8)}, 50_000)
		s.Publish(u)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	stream, got, last := parts(t, resp), 0, 0
	for ; last < frames; got++ {
		b := readPart(t, stream)
		last = int(b[0]) | int(b[1])<<8
	}
	require.Less(t, got, 100, "pictures queued up")
}

func TestStuckViewerIsDropped(t *testing.T) {
	quick := patient
	quick.stall = 100 * time.Millisecond
	s := serve(t, quick)
	c, err := net.Dial("tcp", s.listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET /stream.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	await.True(t, s.Wanted)
	u := update(1, "")
	u.JPEG = make([]byte, 32<<20)
	s.Publish(u)
	await.True(t, func() bool { return !s.Wanted() })
}

func TestViewerLimit(t *testing.T) {
	s := serve(t, patient)
	for _, path := range []string{"stream.mjpg", "events"} {
		var all []*http.Response
		for range maxViewers {
			resp := open(t, s, path)
			require.Equal(t, http.StatusOK, resp.StatusCode)
			all = append(all, resp)
		}
		resp, body := fetch(t, s, "GET", path)
		require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
		require.Equal(t, "text/plain; charset=utf-8", resp.Header.Get("Content-Type"))
		require.Equal(t, "5", resp.Header.Get("Retry-After"))
		require.Contains(t, body, "All 16 places are taken: close this page on another screen")
		if path == "events" {
			resp, _ := fetch(t, s, "HEAD", path)
			require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode, "the page asks so whether it is full")
		}
		all[3].Body.Close()
		await.True(t, func() bool { return open(t, s, path).StatusCode == http.StatusOK })
	}
}

func TestSnapshot(t *testing.T) {
	quick := patient
	quick.snapshot = time.Millisecond
	s := serve(t, quick)
	s.Publish(update(1, ""))
	resp, body := fetch(t, s, "GET", "/snapshot.jpg")
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode, "a picture from before the request is old")
	require.Equal(t, "text/plain; charset=utf-8", resp.Header.Get("Content-Type"))
	require.Contains(t, body, "is the camera running?")

	s = serve(t, patient)
	s.Publish(update(1, ""))
	fresh := update(2, "")
	go func() {
		await.True(t, s.Wanted)
		s.Publish(fresh)
	}()
	resp, body = fetch(t, s, "GET", "/snapshot.jpg")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "image/jpeg", resp.Header.Get("Content-Type"))
	require.Equal(t, string(fresh.JPEG), body)
}
