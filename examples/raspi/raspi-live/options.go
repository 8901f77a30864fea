package main

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/libresnext/libresnext/examples/raspi/internal/board"
	"github.com/libresnext/libresnext/examples/raspi/internal/camera"
	"github.com/libresnext/libresnext/examples/raspi/internal/mqtt"
	"github.com/libresnext/libresnext/internal/cli"
)

// modelSuffix is how the names of models end.
const modelSuffix = "safetensors"

// cameraFPS is the rate that a camera is asked for where the user does not say.
const cameraFPS = 15

// options are the command line.
type options struct {
	model, source, camera string
	size, yuv             string
	stride                int
	limited               bool
	fps, maxFPS           float64
	loop, once            bool
	smooth                time.Duration
	top, threads          int
	cpus, kernels         string
	hot                   float64
	json, quiet           bool
	on, onChange          []string
	cooldown, hookTimeout time.Duration
	web                   string

	webHosts []string
	mqtt     mqtt.Options
	qos      int

	// What finish makes of them.
	smoothed  bool // the user has given smooth
	frameSize camera.Size
	format    camera.Format
	cpuList   []int
}

func (o *options) flags(f *pflag.FlagSet) {
	f.SortFlags = false
	f.StringVar(&o.model, "model", "", "the model `FILE`, instead of M")
	f.StringVar(&o.source, "source", "", "`WHERE` pictures come from, instead of SOURCE")
	f.StringVar(&o.camera, "camera", "", "shell `COMMAND` that writes motion JPEG (or --yuv) to its standard output")
	f.StringVar(&o.size, "size", "640x480", "ask the camera for pictures of `WxH` pixels")
	f.Float64Var(&o.fps, "fps", 0, "`N` pictures a second: of a camera (default 15), of pictures (default 1) or of a video (as recorded); "+
		"0 takes every picture of a file as fast as the network can")
	f.StringVar(&o.yuv, "yuv", "", "the stream is raw yuv420 of `WxH` pixels")
	f.IntVar(&o.stride, "stride", 0, "`BYTES` of a row of raw pixels; rpicam-vid rounds widths up to 64 (default the width)")
	f.BoolVar(&o.limited, "limited", false, "raw pixels use 16 to 235 only, as ffmpeg's mostly do")
	f.BoolVar(&o.loop, "loop", false, "play files again and again")
	f.BoolVar(&o.once, "once", false, "end when the camera ends instead of starting it again")
	f.Float64Var(&o.maxFPS, "max-fps", 0, "classify `N` pictures a second at most; 0 is no limit")
	f.DurationVar(&o.smooth, "smooth", 500*time.Millisecond, "average over about this `TIME`; 0 takes each picture alone, as single pictures are anyway")
	f.IntVar(&o.top, "top", 5, "tell the best `N` classes")
	f.IntVar(&o.threads, "threads", 0, "compute with `N` threads; 0 is all cores that the program may use, "+
		"but one fewer of 4 or more, which is left to the camera")
	f.StringVar(&o.cpus, "cpus", "", "compute on the CPUs of this `LIST` only, such as 2,3 or 1-3")
	f.StringVar(&o.kernels, "kernels", "auto", "`NAME` of the kernel set; all give the same answers")
	f.Float64Var(&o.hot, "hot", 80, "compute less above this `TEMPERATURE` in degrees Celsius; 0 never does")
	f.BoolVar(&o.json, "json", false, "print one JSON object for each picture")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing but messages")
	f.StringArrayVar(&o.on, "on", nil, "run a command when a class comes or goes: `HOOK` is such as 'cat>0.8 ./feed.sh'")
	f.StringArrayVar(&o.onChange, "on-change", nil, "run a `COMMAND` when the shown class changes")
	f.DurationVar(&o.cooldown, "cooldown", 2*time.Second, "least `TIME` between two runs of the same command")
	f.DurationVar(&o.hookTimeout, "hook-timeout", 30*time.Second, "end commands that run longer than this `TIME`")
	f.StringVar(&o.web, "web", "", "serve a page with the live picture at `ADDRESS`, such as :8080")
	f.StringArrayVar(&o.webHosts, "web-host", nil, "let the page be opened under this public `NAME` too")
	o.mqttFlags(f)
}

func (o *options) mqttFlags(f *pflag.FlagSet) {
	f.StringVar(&o.mqtt.Broker, "mqtt", "", "publish to the MQTT broker at `URL`, such as mqtt://homeassistant.local; "+
		"a password is better given in "+mqtt.PasswordVariable)
	f.BoolVar(&o.mqtt.Discovery, "mqtt-discovery", false, "announce the sensors to Home Assistant")
	f.StringVar(&o.mqtt.Prefix, "mqtt-prefix", "", "begin topics with `TOPIC` (default resnext/HOSTNAME)")
	f.DurationVar(&o.mqtt.Every, "mqtt-every", time.Second, "publish at most once in this `TIME`")
	f.BoolVar(&o.mqtt.OnChange, "mqtt-on-change", false, "publish only when the class changes, and each minute")
	f.BoolVar(&o.mqtt.Retain, "mqtt-retain", false, "let the broker keep the last state")
	f.IntVar(&o.qos, "mqtt-qos", 0, "quality of service `N`: 0, 1 or 2")
	f.StringVar(&o.mqtt.ClientID, "mqtt-client", "", "client `ID` at the broker (default from the host's name)")
	f.StringVar(&o.mqtt.CAFile, "mqtt-ca", "", "PEM `FILE` of the authorities that vouch for the broker")
}

// finish checks the options and takes in the arguments. given tells which options the user gave.
func (o *options) finish(args []string, given func(name string) bool) error {
	o.smoothed = given("smooth")
	for _, set := range []func() error{
		func() error { return o.arguments(args) },
		func() error { return o.rates(given("fps")) },
		o.formats,
		o.numbers,
	} {
		if err := set(); err != nil {
			return err
		}
	}
	return nil
}

// arguments tells a model from a source.
func (o *options) arguments(args []string) error {
	if o.model == "" && len(args) > 0 && strings.HasSuffix(args[0], "."+modelSuffix) {
		o.model, args = args[0], args[1:]
	}
	switch {
	case len(args) > 1 && o.model == "":
		return cli.Usage("the model is %q, expected a name that ends in .%s: other names go with --model", args[0], modelSuffix)
	case len(args) > 1:
		return cli.Usage("unexpected argument %q", args[1])
	case len(args) == 1 && o.source != "":
		return cli.Usage("the source is given twice: %q and --source %q", args[0], o.source)
	case len(args) == 1:
		o.source = args[0]
	}
	if o.source != "" && o.camera != "" {
		return cli.Usage("both --camera and the source %q are given, expected one of them", o.source)
	}
	return nil
}

func (o *options) rates(rated bool) error {
	if !rated {
		o.fps = camera.AsRecorded
	} else if !(o.fps >= 0 && o.fps <= 1000) {
		return cli.Usage("--fps is %v, expected 0 to 1000", o.fps)
	}
	if !(o.maxFPS >= 0 && o.maxFPS <= 1000) {
		return cli.Usage("--max-fps is %v, expected 0 to 1000", o.maxFPS)
	}
	return nil
}

func (o *options) formats() (err error) {
	if o.frameSize, err = camera.ParseSize(o.size); err != nil {
		return cli.Usage("--size: %v", err)
	}
	o.format = camera.Format{Stride: o.stride, Limited: o.limited}
	if o.yuv == "" {
		if o.stride != 0 || o.limited {
			return cli.Usage("--stride and --limited describe raw pixels: give --yuv too")
		}
		return nil
	}
	if o.format.YUV, err = camera.ParseSize(o.yuv); err != nil {
		return cli.Usage("--yuv: %v", err)
	}
	if err := o.format.Check(); err != nil {
		return cli.Usage("--stride: %v", err)
	}
	if o.camera == "" && o.source != "-" {
		return cli.Usage("--yuv describes a stream: give - or --camera too")
	}
	return nil
}

func (o *options) numbers() (err error) {
	switch {
	case o.top < 1:
		return cli.Usage("--top is %d, expected 1 or more", o.top)
	case o.threads < 0:
		return cli.Usage("--threads is %d, expected 0 or more", o.threads)
	case o.smooth < 0 || o.smooth > time.Hour:
		return cli.Usage("--smooth is %s, expected 0 to 1h", o.smooth)
	case o.cooldown < 0:
		return cli.Usage("--cooldown is %s, expected 0 or more", o.cooldown)
	case o.hookTimeout <= 0:
		return cli.Usage("--hook-timeout is %s, expected more than 0", o.hookTimeout)
	case !(o.hot == 0 || o.hot >= 30 && o.hot <= 120):
		return cli.Usage("--hot is %v, expected 30 to 120 degrees Celsius, or 0", o.hot)
	case o.qos < 0 || o.qos > 2:
		return cli.Usage("--mqtt-qos is %d, expected 0, 1 or 2", o.qos)
	case o.json && o.quiet:
		return cli.Usage("--json prints and --quiet does not: give one of them")
	}
	if o.hot == 0 {
		o.hot = math.Inf(1)
	}
	if o.cpus != "" {
		if o.cpuList, err = board.ParseCPUs(o.cpus); err != nil {
			return cli.Usage("--cpus: %v", err)
		}
	}
	o.mqtt.QoS = byte(o.qos)
	if slices.Contains(o.onChange, "") {
		return cli.Usage("--on-change is empty, expected a command")
	}
	return nil
}
