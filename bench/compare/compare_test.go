package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
)

// paddedBytes is the size of tiny's input once it is padded.
const paddedBytes = 3 * 10 * 10

// tiny writes a network of 8x8 pixels and 3 classes.
func tiny(t *testing.T, dir, name string, seed uint64) string {
	t.Helper()
	cfg := resnext.Config{
		Stem: resnext.SimpleStem(3, 1, 8, resnext.NoPool), Classes: 3, Height: 8, Width: 8,
		Stages: resnext.Uniform(2, []resnext.Stage{{Blocks: 2, Inner: 8, Out: 12, Stride: 1}}),
	}
	q := testnet.Random(cfg, seed)
	path := filepath.Join(dir, name+".int8.safetensors")
	_, err := q.WriteFile(path)
	require.NoError(t, err)
	return path
}

// compareTiny runs the command and returns its output.
func compareTiny(t *testing.T, args ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	args = append(args, "-python", self, "-scripts", "scripts", "-dir", filepath.Join(dir, "work"), "-rounds", "3", "-turn", "0",
		"-pause", "0", "-count", "5", "-threads", "1", tiny(t, dir, "a", 1), tiny(t, dir, "b", 2))
	o, err := parse(args, io.Discard)
	require.NoError(t, err)
	var out bytes.Buffer
	err = run(context.Background(), o, &out, io.Discard)
	return out.String(), err
}

func TestAlone(t *testing.T) {
	out, err := compareTiny(t, "-runtimes", "none", "-json")
	require.NoError(t, err)
	var r Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Len(t, r.Timings, 2)
	for i, name := range []string{"a", "b"} {
		x := r.Timings[i]
		require.Equal(t, ourName, x.Runtime)
		require.Equal(t, name, x.Network)
		require.Positive(t, x.MinMS)
		require.LessOrEqual(t, x.MinMS, x.MedianMS)
		require.Positive(t, x.PeakBytes)
		require.LessOrEqual(t, x.IdleBytes, x.PeakBytes)
	}
	require.Len(t, r.Ratios, 2)
	require.Equal(t, Ratio{Network: "a", Threads: 1, Other: "a", ByMedian: 1, ByMin: 1, ByRound: 1}, r.Ratios[0])
	require.InDelta(t, r.Timings[0].MedianMS/r.Timings[1].MedianMS, r.Ratios[1].ByMedian, 1e-9)
	require.Empty(t, r.Agreements)
}

// TestBusy: loops burn CPU time beside, and every round counts.
func TestBusy(t *testing.T) {
	out, err := compareTiny(t, "-runtimes", "standin", "-busy", "2", "-json", "-profile")
	require.NoError(t, err)
	var r Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Equal(t, 2, r.Busy)
	require.Equal(t, []Quiet{{Threads: []int{1}, Rounds: 3, Quiet: 3}}, r.Quiet)
	require.Len(t, r.Timings, 3)
	require.Len(t, r.Ratios, 2)
	require.Empty(t, r.Profiles)
	out, err = compareTiny(t, "-runtimes", "none", "-busy", "1")
	require.NoError(t, err)
	require.Regexp(t, `beside +1 busy loop\n`, out)
	require.Contains(t, out, "1 thread: all 3 count")
}

// TestBusyLoopsEnd: with stop, and also where one cannot be started.
func TestBusyLoopsEnd(t *testing.T) {
	stop, err := startBusyLoops(2)
	require.NoError(t, err)
	stop() // waits for both
	done := make(chan struct{})
	life, end := io.Pipe()
	go func() {
		busyLoop(life)
		close(done)
	}()
	require.NoError(t, end.Close())
	<-done
}

func TestSpeedUpByThreads(t *testing.T) {
	r := Report{Timings: []*Timing{
		{Runtime: "a", Network: "n", Threads: 1, MedianMS: 10, MinMS: 8}, {Runtime: "b", Network: "n", Threads: 1, MedianMS: 12, MinMS: 9},
		{Runtime: "a", Network: "n", Threads: 2, MedianMS: 5, MinMS: 5}, {Runtime: "b", Network: "n", Threads: 2, MedianMS: 16, MinMS: 6},
	}}
	var b strings.Builder
	r.printThreads(&b, []int{1, 2})
	require.Regexp(t, `(?s)over 1 thread, .*a +n +2.00 \(1.60\)\n.*b +n +0.75 \(1.50\)`, b.String())
	b.Reset()
	r.printThreads(&b, []int{2})
	require.Empty(t, b.String())
	require.Equal(t, "1, 2 and 4 threads", threadsText([]int{1, 2, 4}))
	require.Equal(t, "1 thread", threadsText([]int{1}))
}

func TestBesideAnother(t *testing.T) {
	out, err := compareTiny(t, "-runtimes", "standin", "-json", "-profile")
	require.NoError(t, err)
	var r Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Len(t, r.Timings, 3)
	other := r.Timings[2]
	require.Equal(t, "stand-in", other.Runtime)
	require.Equal(t, 1000.0, other.MedianMS)
	require.Len(t, r.Ratios, 2)
	for i, x := range r.Ratios {
		require.Equal(t, "stand-in", x.Other)
		require.InDelta(t, 1000/r.Timings[i].MinMS, x.ByMin, 1e-6)
		require.LessOrEqual(t, x.ByMedian, x.ByMin)
		require.Greater(t, x.ByRound, 1.0)
	}
	require.Len(t, r.Agreements, 4) // two networks, two runtimes
	for i, a := range r.Agreements {
		require.Equal(t, 5, a.Images)
		if i%2 == 0 {
			require.Equal(t, 1.0, a.Equal)
			require.Equal(t, 999.0, a.SQNR)
		} else {
			require.Less(t, a.SQNR, 999.0)
			require.Positive(t, a.Largest)
		}
	}
	require.Equal(t, 2.0, r.Profiles[2].MS[kindStem])
	require.Equal(t, 1.0, r.Profiles[2].MS[kindOther])
	require.Positive(t, r.Profiles[0].MS[kindGrouped])

	out, err = compareTiny(t, "-runtimes", "standin", "-profile")
	require.NoError(t, err)
	for _, text := range []string{"speed-up of ", "same class", "where the time goes", "3x3 convolutions"} {
		require.Contains(t, out, text)
	}
}

func TestBrokenRuntime(t *testing.T) {
	_, err := compareTiny(t, "-runtimes", "absent")
	require.ErrorContains(t, err, "absent_worker.py: no answer")
	_, err = pythonEngine("no-such-interpreter", "scripts", "standin").start(context.Background())
	require.ErrorContains(t, err, "no-such-interpreter")
}

func TestNetworksMustMatch(t *testing.T) {
	dir := t.TempDir()
	a := tiny(t, dir, "a", 1)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "other"), 0o755))
	_, err := readNetworks([]string{a, tiny(t, filepath.Join(dir, "other"), "a", 1)}, dir)
	require.ErrorContains(t, err, "same file name")
	q, err := resnext.ReadQuantised(a)
	require.NoError(t, err)
	q.Preprocess.Mean[0] = 0.25
	b := filepath.Join(dir, "b.safetensors")
	_, err = q.WriteFile(b)
	require.NoError(t, err)
	_, err = readNetworks([]string{a, b}, dir)
	require.ErrorContains(t, err, "is not that of "+a)
	_, err = readNetworks([]string{filepath.Join(dir, "missing")}, dir)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestParseRefuses(t *testing.T) {
	for args, text := range map[string]string{
		"":                "no model",
		"-threads 0 m":    `"0"`,
		"-threads 1,,2 m": `"1,,2"`,
		"-rounds 0 m":     "1 or more",
		"-count 0 m":      "1 or more",
		"-turn -1s m":     "not negative",
		"-pause -1s m":    "not negative",
		"-nonsense m":     "nonsense",
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		require.ErrorContains(t, err, text, args)
	}
}

func TestWorkerRefuses(t *testing.T) {
	in := strings.NewReader(`{"do":"time","runs":1}
{"do":"load","model":"/no/such/file","threads":1}
{"do":"load","model":"` + tiny(t, t.TempDir(), "a", 1) + `","threads":1,"inputs":"/no/such/images"}
{"do":"dance"}
`)
	var out bytes.Buffer
	require.NoError(t, serve(in, &out))
	replies := json.NewDecoder(&out)
	for _, want := range []string{"", "nothing is loaded", "/no/such/file", "/no/such/images", `"dance"`} {
		var r reply
		require.NoError(t, replies.Decode(&r))
		require.Contains(t, r.Error, want)
	}
	require.Error(t, serve(strings.NewReader("nonsense\n"), io.Discard))
}

func TestKindOf(t *testing.T) {
	cfg, err := resnext.Named("resnext50_32x4d")
	require.NoError(t, err)
	kind := kindsOf(cfg)
	for node, want := range map[string]string{
		"stem": kindStem, "stem.conv_token_2_kernel_time": kindStem, "pool.max_token_228_kernel_time": kindPool,
		"stage1.block0.transform.conv_token_11_kernel_time": kindGrouped, "stage3.block5.expand.conv/WithoutBiases": kindPlain,
		"stage1.block0.shortcut": kindPlain, "stage1.block1.sum_kernel_time": kindAdd, "average.real": kindHead,
		"logits/WithoutBiases/DequantizationMultiply": kindHead, "classifier": kindHead, "logits_MatMul_token_3_kernel_time": kindHead,
		"Transpose_kernel_time": kindOther, "image_abcd_acdb_stem.conv/WithoutBiases": kindOther, "stage1.block10.sum": kindOther, "": kindOther,
	} {
		require.Equal(t, want, kindOf(kind, node), node)
	}
	total := int64(0)
	for _, n := range macs(cfg) {
		total += n
	}
	require.Equal(t, cfg.MACs(), total)
}

func TestCompareLogits(t *testing.T) {
	ours := []float32{1, 0, 0, 0, 2, 1}
	theirs := []float32{1, 0, 0.5, 0, 1, 2}
	a := compare(ours, theirs, 3, []int{0, 1})
	require.Equal(t, 2, a.Images)
	require.Equal(t, 0.5, a.Equal)
	require.Equal(t, 1.0, a.Largest)
	require.Equal(t, 2.0, a.Highest)
	require.InDelta(t, 10*math.Log10(6/2.25), a.SQNR, 1e-9)
	require.Equal(t, 0.5, *a.Correct)
	require.Nil(t, compare(ours, theirs, 3, []int{unlabelled, unlabelled}).Correct)
}

func TestQuiet(t *testing.T) {
	before := cpuTime{all: 1000, busy: 500, own: 100}
	for _, c := range []struct {
		after cpuTime
		quiet bool
	}{
		{cpuTime{all: 1200, busy: 600, own: 200}, true},  // 100 ticks on 2 cores, all of them the process's own
		{cpuTime{all: 1200, busy: 611, own: 200}, true},  // 11 of others
		{cpuTime{all: 1200, busy: 612, own: 200}, false}, // 12
		{before, true}, // too short to tell
	} {
		require.Equal(t, c.quiet, c.after.quiet(before, 2), "%+v", c.after)
	}
	require.True(t, cpuTime{}.quiet(cpuTime{}, 1), "without /proc")
	now := readCPUTime(os.Getpid())
	require.Positive(t, now.own)
	require.Greater(t, now.all, now.busy)
	require.Greater(t, now.busy, now.own)
}

// TestRoundsThatCount: the quiet ones if there are enough, else all, and never more than patience allows.
func TestRoundsThatCount(t *testing.T) {
	own, err := ownEngine()
	require.NoError(t, err)
	x, err := own.start(context.Background())
	require.NoError(t, err)
	path := tiny(t, t.TempDir(), "a", 1)
	images := filepath.Join(t.TempDir(), "images")
	require.NoError(t, os.WriteFile(images, make([]byte, 8*8*3), 0o600))
	_, err = x.ask(request{Do: "load", Model: path, Inputs: images, Threads: 1})
	require.NoError(t, err)
	c := comparison{options: &options{wanted: 6}}
	rounds, q, err := c.rounds([]*contestant{x, x})
	require.NoError(t, err)
	require.GreaterOrEqual(t, q.Rounds, q.Quiet)
	require.LessOrEqual(t, q.Rounds, 6*patience)
	if q.Quiet >= leastQuiet {
		require.Len(t, rounds, q.Quiet)
	} else {
		require.Len(t, rounds, q.Rounds)
	}
	for _, r := range rounds {
		require.Len(t, r, 2)
		require.GreaterOrEqual(t, len(r[0]), leastRuns)
	}
	require.NoError(t, x.close())
}

func TestMedian(t *testing.T) {
	require.Equal(t, 2.0, median([]float64{3, 1, 2}))
	require.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
	require.Equal(t, 7.0, median([]float64{7}))
}
