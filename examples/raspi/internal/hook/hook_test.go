//go:build unix

package hook

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/examples/raspi/internal/await"
	"github.com/libresnext/libresnext/examples/raspi/internal/live"
)

var labels = []string{"cat", "dog", "hot dog", "crane", "crane, bird", "Tabby, tabby cat", "crane, machine", "a<b"}

func TestParseCondition(t *testing.T) {
	for text, want := range map[string]struct {
		condition string
		class     int
		command   string
	}{
		"cat>0.8 ./feed.sh":                  {"cat>0.8", 0, "./feed.sh"},
		"  hot dog  >=  80% echo a > b":      {"hot dog>0.8", 2, "echo a > b"},
		"CAT<.2 ./gone.sh 'x y'":             {"cat<0.2", 0, "./gone.sh 'x y'"},
		"tabby cat>0.5 x":                    {"Tabby, tabby cat>0.5", 5, "x"},
		"3>0.5 x":                            {"crane>0.5", 3, "x"},
		"crane>0.5 x":                        {"crane>0.5", 3, "x"},
		"a<b>0.5 x":                          {"a<b>0.5", 7, "x"},
		"dog>0.5 pinctrl set 17 op dh; true": {"dog>0.5", 1, "pinctrl set 17 op dh; true"},
		"dog>0.5 multi\nline":                {"dog>0.5", 1, "multi\nline"},
	} {
		c, command, err := parseCondition(text, labels)
		require.NoError(t, err, text)
		require.Equal(t, want.condition, c.String())
		require.Equal(t, want.class, c.Class)
		require.Equal(t, want.command, command)
	}
	for text, want := range map[string]string{
		"":                "no condition",
		"cat":             "no condition",
		">0.8 x":          "no condition",
		"cat>much x":      "no condition",
		"cat>0.8.1 x":     "threshold",
		"cat>1.5 x":       "between 0 and 1",
		"cat>0 x":         "between 0 and 1",
		"cat>0.8":         "not what to run",
		"mouse>0.8 x":     `no class "mouse"`,
		"tabb>0.8 x":      "did you mean Tabby",
		"bird>0.8 x":      "",
		"machine>0.5 x":   "",
		"8>0.5 x":         "no class",
		"-1>0.5 x":        "no class",
		"cat>0.8./run.sh": "no condition",
	} {
		_, err := New([]string{text}, nil, labels, Options{})
		if want == "" {
			require.NoError(t, err, text)
			continue
		}
		require.ErrorContains(t, err, want, text)
	}
	_, _, err := parseCondition("crane>0.5 x", []string{"crane, bird", "crane, machine"})
	require.ErrorContains(t, err, "2 classes, 0 and 1")
	_, err = New(nil, []string{""}, labels, Options{})
	require.ErrorContains(t, err, "empty")
}

func TestCrossing(t *testing.T) {
	for _, c := range []struct {
		condition string
		p         []float64
		fires     []int // at which of p
	}{
		{"cat>0.8", []float64{0.1, 0.81, 0.9, 0.79, 0.85, 0.71, 0.9, 0.69, 0.8, 0.81}, []int{1, 9}},
		{"cat>0.8", []float64{0.9, 0.9}, []int{0}}, // there from the start
		{"cat<0.2", []float64{0.1, 0.0, 0.25, 0.1, 0.31, 0.19, 0.1, 0.29, 0.1, 0.5, 0.1}, []int{5, 10}},
		{"cat>0.05", []float64{0.06, 0.03, 0.06, 0.02, 0.06}, []int{0, 4}}, // 0.05-0.1 would never be reached
		{"cat<0.95", []float64{0.98, 0.9, 0.97, 0.9, 0.98, 0.9}, []int{1, 5}},
	} {
		condition, _, err := parseCondition(c.condition+" x", labels)
		require.NoError(t, err)
		var fires []int
		for i, p := range c.p {
			if condition.crossed(p) {
				condition.fired()
				fires = append(fires, i)
			}
		}
		require.Equal(t, c.fires, fires, c.condition)
	}
}

// bench is a set of hooks with a clock and a folder that commands write into.
type bench struct {
	*Hooks
	t     *testing.T
	dir   string
	clock time.Time
	frame uint64
	mu    sync.Mutex
	said  []string
}

func newBench(t *testing.T, on, onChange []string, timeout time.Duration) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), clock: time.Unix(1e9, 0)}
	t.Setenv("OUT", b.dir)
	var err error
	b.Hooks, err = New(on, onChange, labels, Options{Timeout: timeout, Cooldown: time.Second, Report: func(f string, args ...any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.said = append(b.said, fmt.Sprintf(f, args...))
	}})
	require.NoError(t, err)
	b.now = func() time.Time { return b.clock }
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// see publishes a frame two seconds after the last, with the cat's probability and the shown class.
func (b *bench) see(cat float64, shown int) {
	b.clock = b.clock.Add(2 * time.Second)
	b.frame++
	all := make([]float64, len(labels))
	all[0] = cat
	b.Publish(&live.Update{Time: b.clock, Frame: b.frame, All: all, Shown: live.Guess{Class: shown, Label: labels[shown], Probability: 0.5}})
}

func (b *bench) file(name string) string {
	text, _ := os.ReadFile(filepath.Join(b.dir, name)) // it may not be there yet
	return string(text)
}

func (b *bench) messages() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.said, "\n")
}

func (b *bench) eventually(condition func() bool) {
	b.t.Helper()
	await.True(b.t, condition, "said:", b.messages)
}

func TestHookRuns(t *testing.T) {
	b := newBench(t, []string{`cat>0.8 echo "$RESNEXT_HOOK|$RESNEXT_LABEL|$RESNEXT_CLASS|$RESNEXT_PROBABILITY|$RESNEXT_FRAME|$RESNEXT_TIME" >>"$OUT/log"; echo fed; echo hungry >&2; printf part`}, nil, time.Hour)
	require.Equal(t, 1, b.Len())
	for _, p := range []float64{0.1, 0.9, 0.95} {
		b.see(p, 1)
	}
	b.running.Wait()
	require.Equal(t, "cat>0.8|cat|0|0.9000|2|2001-09-09T01:46:44Z\n", b.file("log"))
	require.Equal(t, "cat>0.8: fed\ncat>0.8: hungry\ncat>0.8: part", b.messages())
	b.see(0.1, 1)
	b.see(0.9, 1)
	b.running.Wait()
	require.Equal(t, 2, strings.Count(b.file("log"), "\n"))
}

func TestHookOnChange(t *testing.T) {
	b := newBench(t, nil, []string{`echo "$RESNEXT_LABEL" >>"$OUT/log"`}, time.Hour)
	for _, shown := range []int{1, 1, 2, 2, 1} {
		b.see(0, shown)
		b.running.Wait()
	}
	require.Equal(t, "dog\nhot dog\ndog\n", b.file("log"))
}

func TestHookNeverRunsTwiceAtATime(t *testing.T) {
	b := newBench(t, nil, []string{`echo "$RESNEXT_LABEL" >>"$OUT/log"; while [ ! -e "$OUT/go" ]; do sleep 0.01; done`}, time.Hour)
	b.see(0, 1)
	b.eventually(func() bool { return b.file("log") != "" })
	b.see(0, 2)
	b.see(0, 0)
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "go"), nil, 0o600))
	b.running.Wait()
	require.Equal(t, "dog\n", b.file("log"))
	b.see(0, 0) // still so: what was missed is told now
	b.running.Wait()
	require.Equal(t, "dog\ncat\n", b.file("log"))
}

func TestHookCooldown(t *testing.T) {
	b := newBench(t, nil, []string{`echo "$RESNEXT_LABEL" >>"$OUT/log"`}, time.Hour)
	b.see(0, 1)
	b.running.Wait()
	b.clock = b.clock.Add(-1500 * time.Millisecond) // the next is half a second after the last
	b.see(0, 2)
	b.running.Wait()
	require.Equal(t, "dog\n", b.file("log"))
	b.see(0, 2)
	b.running.Wait()
	require.Equal(t, "dog\nhot dog\n", b.file("log"))
}

func TestHookFailures(t *testing.T) {
	b := newBench(t, []string{"cat>0.8 exit 3", "cat>0.7 no-such-command-here"}, nil, time.Hour)
	b.see(0.9, 1)
	b.running.Wait()
	require.Contains(t, b.messages(), `cat>0.8: "exit 3": exit status 3`)
	require.Contains(t, b.messages(), "not found")
	b = newBench(t, []string{"cat>0.6 trap '' TERM; sleep 1000000"}, nil, 20*time.Millisecond)
	b.see(0.9, 1)
	b.running.Wait()
	require.Contains(t, b.messages(), "longer than 20ms")
}

func TestCloseEndsHooks(t *testing.T) {
	b := newBench(t, []string{"cat>0.8 echo on; sleep 1000000"}, nil, time.Hour)
	b.see(0.9, 1)
	b.eventually(func() bool { return b.messages() != "" })
	require.NoError(t, b.Close())
	require.Equal(t, "cat>0.8: on", b.messages())
}

func TestLongLinesAreCut(t *testing.T) {
	var lines []string
	w := &lineWriter{say: func(s string) { lines = append(lines, s) }}
	_, _ = w.Write([]byte("a\nb"))
	_, _ = w.Write([]byte("c\n\n"))
	_, _ = w.Write([]byte(strings.Repeat("x", longestLine)))
	_, _ = w.Write([]byte("end"))
	w.flush()
	require.Equal(t, []string{"a", "bc", "", strings.Repeat("x", longestLine), "end"}, lines)

	lines, w = nil, &lineWriter{say: w.say}
	_, _ = w.Write([]byte(strings.Repeat("y", 2*longestLine+1) + "\n"))
	require.Equal(t, []string{strings.Repeat("y", longestLine), strings.Repeat("y", longestLine), "y"}, lines)
}

// A command that never stops talking fills no log.
func TestManyLines(t *testing.T) {
	b := newBench(t, []string{"cat>0.8 yes | head -n 100000"}, nil, time.Hour)
	b.see(0.9, 1)
	b.running.Wait()
	require.Equal(t, mostLines, strings.Count(b.messages(), "\n"))
	require.True(t, strings.HasSuffix(b.messages(), "cat>0.8: it says more, which is left out"))
}
