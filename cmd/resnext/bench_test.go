package main

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

func TestBenchJSON(t *testing.T) {
	model := testModel(t)
	code, stdout, stderr := invoke("bench", "--json", "--runs", "12", "--warmup", "0", "--threads", "1,0", "--kernels", "generic", model)
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	rows := lines(stdout)
	require.Len(t, rows, 2)
	for i, threads := range []int{1, runtime.GOMAXPROCS(0)} {
		var keys map[string]any
		require.NoError(t, json.Unmarshal([]byte(rows[i]), &keys))
		for _, k := range []string{
			"min_ms", "median_ms", "p99_ms", "mean_ms", "images_per_second", "threads", "kernels", "model", "arch",
			"runs", "macs", "gmacs_per_second", "cpu",
		} {
			require.Contains(t, keys, k)
		}
		if runtime.GOOS == "linux" {
			require.Greater(t, keys["peak_rss_bytes"], 1e6)
		}
		require.Equal(t, float64(threads), keys["threads"])
		require.Equal(t, "generic", keys["kernels"])
		require.Equal(t, 12.0, keys["runs"])
		require.LessOrEqual(t, keys["min_ms"], keys["median_ms"])
		require.LessOrEqual(t, keys["median_ms"], keys["p99_ms"])
		require.InEpsilon(t, 1000, keys["images_per_second"].(float64)*keys["median_ms"].(float64), 0.02)
	}
}

// TestBenchBatch: several images at once, of a model with classes and of one without.
func TestBenchBatch(t *testing.T) {
	for _, model := range []string{testModel(t), headlessModel(t)} {
		code, stdout, stderr := invoke("bench", "--json", "--runs", "5", "--threads", "0", "--batch", "3", model)
		require.Equal(t, cli.Done, code, stderr)
		var r benchResult
		require.NoError(t, json.Unmarshal([]byte(stdout), &r))
		require.Equal(t, 3, r.Batch)
		require.Equal(t, 5, r.Runs)
		require.Positive(t, r.ImagesPerSecond)
	}
}

func TestBenchPlain(t *testing.T) {
	code, stdout, stderr := invoke("bench", "--runs", "1", testModel(t))
	require.Equal(t, cli.Done, code)
	require.Empty(t, stderr)
	require.Contains(t, stdout, "threads    runs   min ms  median ms")
	require.Regexp(t, `(?m)^ +1 +1 +[0-9.]+ `, stdout)
}

// TestBenchShare: one line, a row of a Markdown table.
func TestBenchShare(t *testing.T) {
	code, stdout, stderr := invoke("bench", "--share", "--runs", "2", "--threads", "1", "--kernels", "generic", testModel(t))
	require.Equal(t, cli.Done, code, stderr)
	require.Len(t, lines(stdout), 1)
	cells := strings.Split(strings.TrimSpace(stdout), "|")
	require.Len(t, cells, 8)
	require.Equal(t, " generic ", cells[2])
	require.Regexp(t, `^ 1 thread [0-9.]+ \([0-9.]+\) ms $`, cells[4])
	require.Contains(t, cells[6], resnext.Version)

	code, _, stderr = invoke("bench", "--share", "--json", testModel(t))
	require.Equal(t, cli.Misuse, code)
	require.Contains(t, stderr, "--share")
}

// TestBenchProfile: every operator is there once, in order, and the shares and MACs add up.
func TestBenchProfile(t *testing.T) {
	model := testModel(t)
	code, stdout, stderr := invoke("bench", "--json", "--profile", "--runs", "5", model)
	require.Equal(t, cli.Done, code, stderr)
	var r benchResult
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	m, err := resnext.Open(model)
	require.NoError(t, err)
	var names []string
	var share float64
	var macs int64
	for _, l := range r.Layers {
		names = append(names, l.Name)
		share += l.Share
		macs += l.MACs
		require.Positive(t, l.MedianUS)
	}
	require.InDelta(t, 1, share, 1e-9)
	require.Equal(t, m.Config().MACs(), macs)
	for _, s := range m.Config().Convs() {
		require.Contains(t, names, s.Name)
	}
	require.Equal(t, []string{resnext.AverageName, resnext.ClassifierName}, names[len(names)-2:])

	code, stdout, _ = invoke("bench", "--profile", "--runs", "2", model)
	require.Equal(t, cli.Done, code)
	require.Regexp(t, `(?m)^stage1\.block0\.transform +[0-9.]+ +[0-9.]+% `, stdout)
	require.Regexp(t, `(?m)^transform +[0-9.]+ +[0-9.]+% `, stdout)
}

func TestBenchTooManyThreads(t *testing.T) {
	code, _, stderr := invoke("bench", "--runs", "1", "--threads", "10000", testModel(t))
	require.Equal(t, cli.Done, code)
	require.Contains(t, stderr, "warning: 10000 threads asked for, only ")
}

func TestSummarise(t *testing.T) {
	var times []time.Duration
	for i := 200; i > 0; i-- {
		times = append(times, time.Duration(i)*time.Millisecond)
	}
	r := summarise(times, 2e9)
	require.Equal(t, benchResult{
		Runs: 200, MACs: 2e9, MinMS: 1, MedianMS: 100.5, P99MS: 198, MeanMS: 100.5,
		ImagesPerSecond: r.ImagesPerSecond, GMACsPerSecond: r.GMACsPerSecond,
	}, r)
	require.InDelta(t, 1/0.1005, r.ImagesPerSecond, 1e-9)
	require.InDelta(t, 2/0.1005, r.GMACsPerSecond, 1e-9)
	one := summarise([]time.Duration{time.Second}, 1)
	require.Equal(t, []float64{1000, 1000, 1000, 1000}, []float64{one.MinMS, one.MedianMS, one.P99MS, one.MeanMS})
	zero := summarise([]time.Duration{0}, 1) // a clock that stands still
	require.Positive(t, zero.ImagesPerSecond)
}

func TestCPUName(t *testing.T) { require.NotEmpty(t, cpuName()) }
