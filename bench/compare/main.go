// Command compare measures this library beside other runtimes on the same int8 networks. It exports each model
// file to ONNX, starts every runtime in a process of its own, and lets them infer in turns, so that a slow
// moment of the machine meets all alike. It prints times, memory, and how far the answers agree.
//
//	go run ./bench/compare [options] MODEL.int8.safetensors...
//
// bench/run.sh installs the other runtimes and calls it. Give several models to see what their calibration
// costs and gains: the other runtimes are timed on the first one, because their speed does not depend on the
// numbers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/libresnext/libresnext/internal/cli"
)

const (
	tool           = "compare"
	workerArgument = "worker"
	busyArgument   = "busy"
)

// options are the command line.
type options struct {
	models, runtimes             []string
	threads                      []int
	wanted, count                int
	pause, turn                  time.Duration
	images, python, scripts, dir string
	profile, json                bool
	busy                         int
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == workerArgument {
		exit(serve(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 2 && os.Args[1] == busyArgument {
		busyLoop(os.Stdin)
		os.Exit(cli.Done)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(cli.Done)
	}
	if err == nil {
		err = run(ctx, o, os.Stdout, os.Stderr)
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		cli.Report(os.Stderr, tool, err)
		os.Exit(cli.Failed)
	}
	os.Exit(cli.Done)
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	var threads, runtimes string
	f := flag.NewFlagSet(tool, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&threads, "threads", "1,2", "numbers of `threads`, one after the other")
	f.StringVar(&runtimes, "runtimes", "ort,openvino", "other runtimes: the `names` before _worker.py, or none")
	f.StringVar(&o.python, "python", "python3", "`interpreter` that has them")
	f.StringVar(&o.scripts, "scripts", "bench", "`folder` of the workers")
	f.StringVar(&o.dir, "dir", "build/bench/work", "`folder` for ONNX files and images")
	f.StringVar(&o.images, "images", "", "`folder` or zip archive of images for the answers; made up without it")
	f.IntVar(&o.count, "count", 64, "`number` of images for the answers")
	f.IntVar(&o.wanted, "rounds", 30, "`number` of quiet rounds wanted")
	f.DurationVar(&o.pause, "pause", 20*time.Millisecond, "`time` to wait before each turn")
	f.DurationVar(&o.turn, "turn", 200*time.Millisecond, "`time` that a turn takes at least: with less the system cannot tell who was busy")
	f.BoolVar(&o.profile, "profile", false, "also tell where the time goes")
	f.IntVar(&o.busy, "busy", 0, "`number` of programs that only burn CPU time beside the runtimes; all numbers of threads then take turns")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	o.models = f.Args()
	if len(o.models) == 0 {
		return nil, errors.New("no model file is given")
	}
	if o.wanted < 1 || o.count < 1 || o.pause < 0 || o.turn < 0 || o.busy < 0 {
		return nil, errors.New("-rounds and -count must be 1 or more, -pause, -turn and -busy not negative")
	}
	for text := range strings.SplitSeq(threads, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-threads is %q, expected numbers such as 1,2", threads)
		}
		o.threads = append(o.threads, n)
	}
	if runtimes != "" && runtimes != "none" {
		o.runtimes = strings.Split(runtimes, ",")
	}
	return o, nil
}

// run makes the whole comparison.
func run(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	c, err := prepare(o, stderr)
	if err != nil {
		return err
	}
	r, err := c.measure(ctx)
	if err != nil {
		return err
	}
	if o.json {
		return r.printJSON(stdout)
	}
	r.print(stdout, o.threads)
	return nil
}
