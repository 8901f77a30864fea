package web

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
	"github.com/libresnext/libresnext/examples/raspi/internal/wire"
)

// openBrowser starts a headless Chromium with an empty profile.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "the page is tested in a browser: install Debian's package chromium (apt-get install chromium)")
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "Chromium does not start")
	return ctx
}

// openTab opens a tab that closes with the test.
func openTab(t *testing.T, browser context.Context) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	require.NoError(t, chromedp.Do(ctx))
	complaints := make(chan string, 100)
	go func() {
		defer close(complaints)
		for message, err := range chromedp.Console(ctx) {
			if err == nil && message.Source != "network" && len(complaints) < cap(complaints) {
				complaints <- message.String()
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		for c := range complaints {
			t.Errorf("the browser's console: %s", c)
		}
	})
	return ctx
}

func TestPage(t *testing.T) {
	browser := openBrowser(t)
	for name, test := range map[string]func(t *testing.T, tab context.Context){
		"screens": screens, "follows": pageFollows, "pause": pausing, "full": fullPage, "network": silentNetwork,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, openTab(t, browser))
		})
	}
}

// eventually waits until a JavaScript expression is true, as long as it takes.
func eventually(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Poll[chromedp.Void](expression,
		chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(0))
}

// display sets the size of the window and the colour scheme.
func display(width, height int64, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.EmulateViewport(width, height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// screens looks at the page in the sizes and colours that people use. "go test -artifacts" keeps the pictures.
func screens(t *testing.T, ctx context.Context) {
	s := serve(t, patient)
	for ago := time.Minute; ago > 0; ago -= 100 * time.Millisecond {
		s.newest.remember(latency{time.Now().Add(-ago), update(int(ago/time.Second), "").TotalMS})
	}
	for _, screen := range []struct {
		name          string
		width, height int64
		scheme, label string
		throttled     []string
	}{
		{"desktop-light", 1280, 800, "light", "", nil},
		{"desktop-dark", 1280, 800, "dark", "West Highland white terrier, Westie", nil},
		{"phone-light", 390, 844, "light", "soft-coated wheaten terrier", []string{"under-voltage", "CPU frequency capped"}},
		{"phone-dark", 390, 844, "dark", "", []string{}},
		{"narrow", 320, 568, "light", "American Staffordshire terrier, Staffordshire terrier, American pit bull terrier, pit bull terrier", nil},
		{"hostile", 320, 568, "dark", strings.Repeat("W", 500), []string{strings.Repeat("V", 100)}},
	} {
		stop := publish(s, 70*time.Millisecond, func(frame int) *live.Update {
			u := update(frame, screen.label)
			u.Board.Throttled, u.Board.Slowed = screen.throttled, screen.throttled != nil
			u.Board.ThrottledBefore = screen.throttled
			return u
		})
		require.NoError(t, chromedp.Do(ctx,
			display(screen.width, screen.height, screen.scheme),
			chromedp.Navigate(s.URLs()[0]),
			eventually(`document.querySelector("#frame").dataset.shows === "picture" && document.querySelectorAll("#bars li").length === 5`),
			eventually(`document.querySelector("#curve .line").getAttribute("d").length > 50`),
		))
		overflow, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
		require.NoError(t, err)
		require.False(t, overflow, "%s: the page is wider than the screen", screen.name)
		keep(t, ctx, screen.name)
		stop()
	}
}

// The page shows what is published, says when the server is gone, and comes back when it is.
func pageFollows(t *testing.T, ctx context.Context) {
	quick := patient
	quick.beat = 300 * time.Millisecond
	s := serve(t, quick)
	addr := s.listener.Addr().String()
	var label atomic.Value
	label.Store("first, of its kind")
	next := func(frame int) *live.Update { return update(frame, label.Load().(string)) }
	stop := publish(s, 50*time.Millisecond, next)

	const picture = `document.querySelector("#frame").dataset.shows === "picture"`
	require.NoError(t, chromedp.Do(ctx, display(390, 844, "light"), chromedp.Navigate(s.URLs()[0]),
		eventually(text("label", "first")), eventually(text("also", "of its kind")), eventually(text("link", "Live")), eventually(picture),
		eventually(text("kernels", "neondot, 4 threads")), eventually(`document.querySelector("#temperature").textContent.includes("°C")`),
		eventually(`document.querySelector("#spoken").textContent.startsWith("first, ")`), eventually(`document.querySelector("#curve .line").getAttribute("d").length > 50`)))
	require.True(t, s.Wanted())

	hostile := `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`
	label.Store(hostile)
	require.NoError(t, chromedp.Do(ctx, eventually(text("label", hostile)), eventually(`document.title === "libresnext · Raspberry Pi 5 Model B Rev 1.0"`)))

	stop()
	require.NoError(t, s.Close())
	require.NoError(t, chromedp.Do(ctx, eventually(text("link", "Reconnecting…")), eventually(`document.querySelector("#frame").dataset.shows === "still"`)))
	keep(t, ctx, "reconnecting")

	s, err := newServer(testAbout, addr, quick, t.Logf)
	require.NoError(t, err)
	defer s.Close()
	label.Store("second")
	stop = publish(s, 50*time.Millisecond, next)
	require.NoError(t, chromedp.Do(ctx, eventually(text("link", "Live")), eventually(text("label", "second")), eventually(picture)))

	stop()
	require.NoError(t, chromedp.Do(ctx, eventually(text("link", "No new frames"))))
	u := update(1000, "third")
	u.Shown = u.Top[1] // the program has not yet changed its mind
	s.Publish(u)
	require.NoError(t, chromedp.Do(ctx, eventually(text("link", "Live")), eventually(text("label", "red fox")), eventually(text("also", "Vulpes vulpes")),
		eventually(`document.querySelector("#bars li[data-shown] .name").textContent === "red fox"`)))
}

// Pause ends both connections, and the picture stays; Resume brings all back.
func pausing(t *testing.T, ctx context.Context) {
	s := serve(t, patient)
	stop := publish(s, 50*time.Millisecond, func(frame int) *live.Update { return update(frame, "") })
	defer stop()
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.URLs()[0]), eventually(`document.querySelector("#frame").dataset.shows === "picture"`),
		chromedp.Focus(chromedp.CSS("#pause")), chromedp.KeyEvent(" "), eventually(text("link", "Paused")), eventually(text("pause", "Resume"))))
	await.True(t, func() bool { return !s.Wanted() && s.feeds.count() == 0 })
	require.NoError(t, chromedp.Do(ctx, eventually(`document.querySelector("#frame").dataset.shows === "still"`),
		chromedp.KeyEvent(" "), eventually(text("link", "Live")), eventually(`document.querySelector("#frame").dataset.shows === "picture"`)))

	// A page that nobody sees holds no connection either.
	hidden := func(yes bool) chromedp.Action[chromedp.Void] {
		return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`Object.defineProperty(document, "hidden", { value: %v, configurable: true });
			document.dispatchEvent(new Event("visibilitychange"))`, yes))
	}
	require.NoError(t, chromedp.Do(ctx, hidden(true)))
	await.True(t, func() bool { return !s.Wanted() && s.feeds.count() == 0 })
	require.NoError(t, chromedp.Do(ctx, hidden(false), eventually(text("link", "Live")), eventually(`document.querySelector("#frame").dataset.shows === "picture"`)))
}

// A network that goes without a word, and comes back.
func silentNetwork(t *testing.T, ctx context.Context) {
	quick := patient
	quick.beat = 300 * time.Millisecond
	s := serve(t, quick)
	stop := publish(s, 50*time.Millisecond, func(frame int) *live.Update { return update(frame, "") })
	defer stop()
	n := wire.New(t, s.listener.Addr().String())
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("http://"+n.Addr().String()), eventually(text("link", "Live")),
		eventually(`document.querySelector("#frame").dataset.shows === "picture"`)))
	n.Frozen.Lock()
	err := chromedp.Do(ctx, eventually(text("link", "Reconnecting…")))
	n.Frozen.Unlock()
	require.NoError(t, err)
	require.NoError(t, chromedp.Do(ctx, eventually(text("link", "Live")), eventually(`document.querySelector("#frame").dataset.shows === "picture"`)))
}

// A page for which there is no room says so, and takes the first free place.
func fullPage(t *testing.T, ctx context.Context) {
	s := serve(t, patient)
	s.Publish(update(1, ""))
	var others []*http.Response
	for range maxViewers {
		others = append(others, open(t, s, "events"))
	}
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate(s.URLs()[0]), eventually(text("link", "Full; waiting"))))
	others[0].Body.Close()
	require.NoError(t, chromedp.Do(ctx, eventually(text("link", "Live")), eventually(text("label", "kit fox"))))
}

// text is a JavaScript expression: the element shows exactly this.
func text(id, want string) string {
	return fmt.Sprintf("document.getElementById(%q).textContent === %q", id, want)
}

// keep stores a picture of the page where the test's artefacts go, if they are kept: to draw one takes its time.
func keep(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if wanted := flag.Lookup("test.artifacts"); wanted == nil || wanted.Value.String() != "true" {
		return
	}
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), shot, 0o644))
}
