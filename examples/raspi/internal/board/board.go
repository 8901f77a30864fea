// Package board knows the small computer that the program runs on: its name, its temperature, what throttles it, and
// which of its cores to use.
package board

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/libresnext/libresnext/examples/raspi/internal/group"
)

// State is what the computer tells of itself. What it cannot tell is nil or empty.
type State struct {
	TemperatureC *float64
	// Now lists in words what holds the CPU back, Before what has done so since the computer was started.
	Now, Before []string
	// Throttled tells that the firmware has slowed the CPU down, which it does at 85 °C or where the supply is weak.
	Throttled bool
}

// Reader reads the state. It belongs to one goroutine at a time.
type Reader struct {
	// Root is put before the paths of /sys and /proc; empty but in tests.
	Root string
	// Command asks the firmware where no file tells: "vcgencmd get_throttled". Empty where the program is missing.
	Command string

	patience time.Duration // for an answer of Command
	asked    time.Time     // when Command was last run
	answer   string
}

// askEvery is how long an answer of Command is taken for true: starting a program costs a small board some milliseconds.
const askEvery = 5 * time.Second

// NewReader makes a reader for this computer.
func NewReader() *Reader {
	r := &Reader{patience: time.Second}
	if path, err := exec.LookPath("vcgencmd"); err == nil {
		r.Command = path
	}
	return r
}

// Name is what the computer calls itself: "Raspberry Pi 4 Model B Rev 1.4", or failing that its CPU.
func (r *Reader) Name() string {
	candidates := []string{
		strings.TrimRight(r.read("/proc/device-tree/model"), "\x00"),
		r.cpuField("Model"), r.cpuField("model name"), r.cpuField("Hardware"),
	}
	for _, c := range candidates {
		if name := strings.Join(strings.Fields(c), " "); name != "" {
			return name
		}
	}
	return "unknown " + runtime.GOARCH
}

// cpuField is a field of /proc/cpuinfo.
func (r *Reader) cpuField(name string) string {
	for line := range strings.Lines(r.read("/proc/cpuinfo")) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return value
		}
	}
	return ""
}

// Read reads the state. It takes some milliseconds, a second at most.
func (r *Reader) Read(ctx context.Context) State {
	s := State{TemperatureC: r.temperature()}
	if bits, ok := r.throttled(ctx); ok {
		s.Now, s.Before = words(bits), words(bits>>sinceShift)
		s.Throttled = bits&throttledBit != 0
	} else if r.underVoltage() {
		s.Now = []string{causes[0].words}
	}
	return s
}

// temperature is that of the CPU's zone, or the highest of all zones where none is called so.
func (r *Reader) temperature() *float64 {
	zones, _ := filepath.Glob(r.Root + "/sys/class/thermal/thermal_zone*") // the pattern is good
	var hottest *float64
	for _, zone := range zones {
		zone = strings.TrimPrefix(zone, r.Root)
		milli, err := strconv.ParseFloat(r.read(zone+"/temp"), 64)
		celsius := milli / 1000
		if err != nil || !(celsius > -60 && celsius < 200) { // a sensor that is not there
			continue
		}
		if strings.HasPrefix(r.read(zone+"/type"), "cpu") {
			return &celsius
		}
		if hottest == nil || celsius > *hottest {
			hottest = &celsius
		}
	}
	return hottest
}

// The bits of the firmware's "get throttled" property; 16 bits further up each tells that it was so since the start.
const (
	throttledBit = 1 << 2
	sinceShift   = 16
)

var causes = []struct {
	bit   uint64
	words string
}{
	{1 << 0, "under-voltage"},
	{1 << 1, "frequency capped"},
	{throttledBit, "throttled"},
	{1 << 3, "soft temperature limit"},
}

func words(bits uint64) []string {
	var list []string
	for _, c := range causes {
		if bits&c.bit != 0 {
			list = append(list, c.words)
		}
	}
	return list
}

// throttledFiles is the kernel's file: soc is soc@107c000000 on a Raspberry Pi 5.
const throttledFiles = "/sys/devices/platform/soc*/soc*:firmware/get_throttled"

// throttled asks the firmware, by the kernel's file or, where the file is missing, by the command.
func (r *Reader) throttled(ctx context.Context) (bits uint64, ok bool) {
	text := ""
	files, _ := filepath.Glob(r.Root + throttledFiles) // the pattern is good
	for _, path := range files {
		text = r.read(strings.TrimPrefix(path, r.Root))
	}
	if text == "" && r.Command != "" {
		text = r.ask(ctx)
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "throttled="), "0x")
	bits, err := strconv.ParseUint(text, 16, 32)
	return bits, err == nil
}

// ask runs the command.
func (r *Reader) ask(ctx context.Context) string {
	if time.Since(r.asked) < askEvery {
		return r.answer
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	out, err := group.Output(ctx, maxFile, r.Command, "get_throttled")
	if err != nil {
		out = ""
	}
	r.asked, r.answer = time.Now(), strings.TrimSpace(out)
	return r.answer
}

// underVoltage asks the kernel's own driver, which needs no right.
func (r *Reader) underVoltage() bool {
	names, _ := filepath.Glob(r.Root + "/sys/class/hwmon/hwmon*/name") // the pattern is good
	for _, n := range names {
		n = strings.TrimPrefix(n, r.Root)
		if r.read(n) == "rpi_volt" && r.read(filepath.Dir(n)+"/in0_lcrit_alarm") == "1" {
			return true
		}
	}
	return false
}

// maxFile bounds what is read of a file or an answer: /proc/cpuinfo, the longest, has some 4 KB on a board and a KB or
// two for each CPU elsewhere.
const maxFile = 64 << 10

// read gives a small file's text without blanks around it, "" if it cannot be read. Only the beginning of a long one is
// read.
func (r *Reader) read(path string) string {
	f, err := os.Open(r.Root + path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
