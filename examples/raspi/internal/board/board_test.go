package board

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tree makes files under a new root.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(root+path), 0o700))
		require.NoError(t, os.WriteFile(root+path, []byte(text), 0o600))
	}
	return root
}

const throttledFile = "/sys/devices/platform/soc/soc:firmware/get_throttled"

func celsius(v float64) *float64 { return &v }

func TestRead(t *testing.T) {
	zone := func(n, kind, temp string) map[string]string {
		dir := "/sys/class/thermal/thermal_zone" + n
		return map[string]string{dir + "/type": kind + "\n", dir + "/temp": temp + "\n"}
	}
	merge := func(all ...map[string]string) map[string]string {
		files := map[string]string{}
		for _, m := range all {
			for k, v := range m {
				files[k] = v
			}
		}
		return files
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		want  State
	}{
		{"nothing known", nil, State{}},
		{"a Raspberry Pi that is well", merge(zone("0", "cpu-thermal", "48312"), map[string]string{throttledFile: "0\n"}),
			State{TemperatureC: celsius(48.312)}},
		{"a weak supply", map[string]string{throttledFile: "50005\n"},
			State{Now: []string{"under-voltage", "throttled"}, Before: []string{"under-voltage", "throttled"}, Throttled: true}},
		{"all bits", map[string]string{throttledFile: "f000f"}, State{
			Now:       []string{"under-voltage", "frequency capped", "throttled", "soft temperature limit"},
			Before:    []string{"under-voltage", "frequency capped", "throttled", "soft temperature limit"},
			Throttled: true}},
		{"earlier only", map[string]string{throttledFile: "0x80000"}, State{Before: []string{"soft temperature limit"}}},
		{"Raspberry Pi 5", map[string]string{"/sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled": "20002\n"},
			State{Now: []string{"frequency capped"}, Before: []string{"frequency capped"}}},
		{"no number", map[string]string{throttledFile: "error=1"}, State{}},
		{"too long", map[string]string{throttledFile: strings.Repeat("f", 40)}, State{}},
		{"the CPU's zone counts", merge(zone("0", "gpu", "90000"), zone("1", "cpu-thermal", "50000")), State{TemperatureC: celsius(50)}},
		{"else the hottest", merge(zone("0", "acpitz", "40000"), zone("1", "x86_pkg_temp", "61000"), zone("2", "soc", "-273000"), zone("3", "bad", "hot"), zone("4", "nan", "NaN")),
			State{TemperatureC: celsius(61)}},
		{"hwmon tells of the supply", map[string]string{"/sys/class/hwmon/hwmon0/name": "cpu_thermal", "/sys/class/hwmon/hwmon1/name": "rpi_volt\n",
			"/sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1\n"}, State{Now: []string{"under-voltage"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Reader{Root: tree(t, c.files)}
			require.Equal(t, c.want, r.Read(t.Context()))
		})
	}
}

func TestVcgencmd(t *testing.T) {
	command := filepath.Join(t.TempDir(), "vcgencmd")
	say := func(text string) {
		require.NoError(t, os.WriteFile(command, []byte("#!/bin/sh\n"+text), 0o700))
	}
	say("echo throttled=0x20002")
	r := &Reader{Root: t.TempDir(), Command: command, patience: time.Hour}
	want := State{Now: []string{"frequency capped"}, Before: []string{"frequency capped"}}
	require.Equal(t, want, r.Read(t.Context()))
	say("echo throttled=0x0")
	require.Equal(t, want, r.Read(t.Context())) // it is not asked all the time
	r.asked = time.Now().Add(-time.Minute)
	require.Equal(t, State{}, r.Read(t.Context()))

	say("echo throttled=0x1; sleep 1000000")
	r.asked, r.patience = time.Time{}, time.Millisecond
	require.Equal(t, State{}, r.Read(t.Context()))
	say("exec yes throttled=0x1")
	r.asked, r.patience = time.Time{}, time.Hour
	require.Equal(t, State{}, r.Read(t.Context()), "an answer without end is none")

	r = &Reader{Root: tree(t, map[string]string{throttledFile: "1"}), Command: "/no/such/command"}
	require.Equal(t, []string{"under-voltage"}, r.Read(t.Context()).Now)
}

// A file without end is read to a limit.
func TestEndlessFile(t *testing.T) {
	r := &Reader{Root: tree(t, map[string]string{"/long": strings.Repeat("x", 3*maxFile)})}
	require.Len(t, r.read("/long"), maxFile)
	if runtime.GOOS == "linux" {
		require.Len(t, (&Reader{}).read("/dev/zero"), maxFile)
	}
}

func TestName(t *testing.T) {
	for want, files := range map[string]map[string]string{
		"Raspberry Pi 4 Model B Rev 1.4": {"/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\x00", "/proc/cpuinfo": "model name\t: ARM"},
		"Raspberry Pi Zero 2 W Rev 1.0":  {"/proc/cpuinfo": "processor\t: 0\nHardware : BCM2835\nModel\t\t: Raspberry Pi Zero 2 W Rev 1.0\n"},
		"Some CPU @ 3 GHz":               {"/proc/cpuinfo": "processor : 0\nmodel name : Some  CPU @ 3 GHz\n"},
	} {
		require.Equal(t, want, (&Reader{Root: tree(t, files)}).Name())
	}
	require.Contains(t, (&Reader{Root: t.TempDir()}).Name(), "unknown")
}

// heat simulates a board: it warms towards a temperature that grows with the share of the time that it computes.
type heat struct{ temperature, idle, full, constant float64 }

func (h *heat) second(duty float64) {
	h.temperature += (h.idle + (h.full-h.idle)*duty - h.temperature) / h.constant
}

func TestGovernorHoldsTheTemperature(t *testing.T) {
	g := NewGovernor(80)
	board := &heat{temperature: 40, idle: 45, full: 100, constant: 60}
	now := time.Unix(1e9, 0)
	var hottest, least, most float64 = 0, 1, 0
	for second := range 3600 {
		now = now.Add(time.Second)
		g.Observe(State{TemperatureC: &board.temperature}, now)
		board.second(g.Duty())
		hottest = max(hottest, board.temperature)
		if second > 1800 { // it has settled
			least, most = min(least, g.Duty()), max(most, g.Duty())
		}
		if board.temperature < 77 && second < 60 {
			require.InDelta(t, 1, g.Duty(), 1e-9)
		}
	}
	require.Less(t, hottest, 84.0)
	require.InDelta(t, (80-45.0)/(100-45), (least+most)/2, 0.08) // the share that just holds 80 degrees
	require.Less(t, most-least, 0.2)                             // steadily
	require.True(t, g.Slowed())
	require.InDelta(t, float64(time.Second)*(1/g.Duty()-1), float64(g.Rest(time.Second)), 2)

	board.full, board.idle = 60, 40 // a fan is switched on
	for range 300 {
		now = now.Add(time.Second)
		g.Observe(State{TemperatureC: &board.temperature}, now)
		board.second(g.Duty())
	}
	require.False(t, g.Slowed())
	require.Zero(t, g.Rest(time.Second))
}

func TestGovernorSteps(t *testing.T) {
	now := time.Unix(1e9, 0)
	observe := func(g *Governor, n int, s State) float64 {
		for range n {
			now = now.Add(time.Second)
			g.Observe(s, now)
		}
		return g.Duty()
	}
	g := NewGovernor(80)
	require.InDelta(t, 1, observe(g, 10, State{}), 1e-9, "unknown is not hot")
	require.InDelta(t, 0.9, observe(g, 1, State{TemperatureC: celsius(82)}), 1e-9)
	require.InDelta(t, 0.9, observe(g, 50, State{TemperatureC: celsius(78)}), 1e-9, "between the limits nothing changes")
	require.InDelta(t, 0.92, observe(g, 1, State{TemperatureC: celsius(70)}), 1e-9)
	require.InDelta(t, minDuty, observe(g, 100, State{TemperatureC: celsius(150)}), 1e-9)
	require.InDelta(t, 1, observe(g, 100, State{TemperatureC: celsius(20)}), 1e-9)
	require.InDelta(t, 0.9, observe(g, 1, State{TemperatureC: celsius(50), Throttled: true}), 1e-9)
	require.InDelta(t, 1, observe(NewGovernor(math.Inf(1)), 9, State{TemperatureC: celsius(99), Throttled: true}), 1e-9)

	g = NewGovernor(80)
	observe(g, 1, State{})
	now = now.Add(-time.Hour) // the clock was set
	require.InDelta(t, 1, observe(g, 1, State{TemperatureC: celsius(90)}), 1e-9)
	now = now.Add(10 * time.Hour)
	require.Greater(t, observe(g, 1, State{TemperatureC: celsius(90)}), 0.2)
}
