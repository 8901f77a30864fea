package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/procfs"
	"github.com/libresnext/libresnext/resnext"
)

const aboutBench = `bench measures how long one image takes, from the input pixels to the logits, or
to the vector that a model without a classifier gives: reading and resizing the
image are not part of it. The pixels are random, which makes no difference to
the time.

With --batch several images are run at once, each thread working on one; the
times are then those of all, divided by their number.

Several thread counts are measured one after the other. Peak memory is that of
the whole process so far (Linux only).

--share measures one core and all of them and prints a single line that says
which computer, network and kernels gave which times, median and (least): a row
for the table in examples/raspi/README.md, or for whoever asks how fast it is.`

// benchTime is how long a measurement takes by default, and leastRuns the fewest runs.
const (
	benchTime = 3 * time.Second
	leastRuns = 10
	mostRuns  = 1_000_000
	mostBatch = 1024
)

type benchOptions struct {
	threads      []int
	runs, warmup int
	batch        int
	kernels      string
	json         bool
	profile      bool
	share        bool
}

func benchCommand() *cobra.Command {
	var o benchOptions
	c := &cobra.Command{
		Use:   "bench [options] M",
		Short: "Measure the speed of a model",
		Long:  aboutBench,
		Example: `  resnext bench M
  resnext bench M --threads 1,2,4 --runs 100
  resnext bench M --threads 0 --batch 8
  resnext bench M --profile
  resnext bench M --share
  resnext bench M --json`,
		Args: cli.Args(1, 1, "a model"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(c.Flags().Changed("runs")); err != nil {
				return err
			}
			if o.share && !c.Flags().Changed("threads") {
				o.threads = slices.Compact([]int{1, runtime.GOMAXPROCS(0)})
			}
			return bench(o, args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().IntSliceVar(&o.threads, "threads", []int{1}, "use `N,...` CPU cores, one after the other; 0 is all of them")
	c.Flags().IntVar(&o.runs, "runs", 0, "measure `N` runs (default: about 3 s, at least 10 runs)")
	c.Flags().IntVar(&o.warmup, "warmup", 3, "run `N` times before measuring")
	c.Flags().IntVar(&o.batch, "batch", 0, "run `N` images at once; 0 is one after the other")
	c.Flags().StringVar(&o.kernels, "kernels", "auto", "`NAME` of the kernel set to measure")
	c.Flags().BoolVar(&o.profile, "profile", false, "measure every layer too: its time, share and speed")
	c.Flags().BoolVar(&o.share, "share", false, "print one line to share instead of tables")
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON object for each thread count")
	return c
}

func (o benchOptions) check(runsGiven bool) error {
	for _, n := range o.threads {
		if err := checkThreads(n); err != nil {
			return err
		}
	}
	if len(o.threads) == 0 {
		return cli.Usage("--threads is empty, expected numbers such as 1,2,4")
	}
	if o.runs < 0 || runsGiven && o.runs == 0 || o.runs > mostRuns {
		return cli.Usage("--runs is %d, expected 1 to %d", o.runs, mostRuns)
	}
	if o.share && (o.json || o.profile) {
		return cli.Usage("--share prints one line of its own: leave out --json and --profile")
	}
	if o.batch < 0 || o.batch > mostBatch {
		return cli.Usage("--batch is %d, expected 0 to %d", o.batch, mostBatch)
	}
	if o.batch > 0 && (o.profile || o.share) {
		return cli.Usage("--batch runs several images at once, --profile and --share one: give one of them")
	}
	if o.warmup < 0 || o.warmup > mostRuns {
		return cli.Usage("--warmup is %d, expected 0 to %d", o.warmup, mostRuns)
	}
	return nil
}

// benchResult is one measurement, and one line of --json.
type benchResult struct {
	Model           string  `json:"model"`
	Arch            string  `json:"arch"`
	CPU             string  `json:"cpu"`
	Kernels         string  `json:"kernels"`
	Threads         int     `json:"threads"`
	Batch           int     `json:"batch,omitempty"`
	Runs            int     `json:"runs"`
	MinMS           float64 `json:"min_ms"`
	MedianMS        float64 `json:"median_ms"`
	P99MS           float64 `json:"p99_ms"`
	MeanMS          float64 `json:"mean_ms"`
	ImagesPerSecond float64 `json:"images_per_second"` // from the median
	MACs            int64   `json:"macs"`
	GMACsPerSecond  float64 `json:"gmacs_per_second"` // from the median
	PeakRSSBytes    int64   `json:"peak_rss_bytes,omitempty"`
	// Layers is the profile, if it was asked for.
	Layers []layerTime `json:"layers,omitempty"`
}

func bench(o benchOptions, path string, stdout, stderr io.Writer) error {
	m, err := openModel(path, o.kernels, stderr)
	if err != nil {
		return err
	}
	var shared []benchResult
	print := func(r benchResult) error {
		shared = append(shared, r)
		return nil
	}
	if !o.share {
		print = newBenchPrinter(stdout, m, path, o.json)
	}
	for _, threads := range o.threads {
		r, err := measure(m, o, threads)
		if err != nil {
			return err
		}
		if r.Threads < threads {
			cli.Warn(stderr, tool, "%s asked for, only %d can be used here", cli.Plural(threads, "thread"), r.Threads)
		}
		r.Model, r.Arch, r.CPU = path, cli.ArchName(m.Config()), cpuName()
		if err := print(r); err != nil {
			return err
		}
	}
	if o.share {
		_, err = fmt.Fprintln(stdout, shareLine(m, shared))
	}
	return err
}

// measure runs a model on so many threads.
func measure(m *resnext.Model, o benchOptions, threads int) (benchResult, error) {
	s, err := m.NewSession(resnext.SessionOptions{Threads: threads})
	if err != nil {
		return benchResult{}, err
	}
	defer s.Close()
	ask := asker(s, m, o.batch)
	var failure error
	once := func() time.Duration {
		begin := time.Now()
		if err := ask(); err != nil {
			failure = err
		}
		return time.Since(begin) / time.Duration(max(1, o.batch))
	}
	first := once()
	for range o.warmup {
		first = min(first, once())
	}
	runs := o.runs
	if runs == 0 {
		runs = min(max(leastRuns, int(benchTime/max(first*time.Duration(max(1, o.batch)), 1))), mostRuns)
	}
	var p profiler
	if o.profile {
		p.attach(s)
	}
	times := make([]time.Duration, runs)
	for i := range times {
		times[i] = once()
	}
	r := summarise(times, m.Config().MACs())
	r.Batch = o.batch
	r.Kernels, r.Threads, r.PeakRSSBytes = m.Kernels(), s.Threads(), procfs.Bytes(os.Getpid(), procfs.PeakMemory)
	if o.profile {
		r.Layers = p.layers(m.Config())
	}
	return r, failure
}

// asker gives what is measured: one image, or a batch of so many, and the logits, or the features where there are none.
func asker(s *resnext.Session, m *resnext.Model, batch int) func() error {
	one, many, each := s.Infer, s.InferBatch, m.Config().Classes
	if m.Config().Head == resnext.Embedding {
		one, many, each = s.Embed, s.EmbedBatch, m.Features()
	}
	rgb := noise(m.Config())
	if batch == 0 {
		return func() error {
			_, err := one(rgb)
			return err
		}
	}
	images, into := slices.Repeat([][]byte{rgb}, batch), make([]float32, batch*each)
	return func() error { return many(images, into) }
}

// summarise gives the figures of at least one time.
func summarise(times []time.Duration, macs int64) benchResult {
	slices.Sort(times)
	n := len(times)
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	median := (times[(n-1)/2] + times[n/2]) / 2
	perSecond := 1 / max(median, 1).Seconds()
	return benchResult{
		Runs: n, MACs: macs,
		MinMS: milliseconds(times[0]), MedianMS: milliseconds(median),
		P99MS: milliseconds(times[(99*n+99)/100-1]), MeanMS: milliseconds(sum / time.Duration(n)),
		ImagesPerSecond: perSecond, GMACsPerSecond: perSecond * float64(macs) / 1e9,
	}
}

// noise is an image of random pixels, the same every time.
func noise(cfg resnext.Config) []byte {
	source := rand.NewPCG(1, 2)
	rgb := make([]byte, cfg.Height*cfg.Width*3)
	for i := range rgb {
		rgb[i] = byte(source.Uint64() >> 32)
	}
	return rgb
}

// newBenchPrinter prints what does not depend on the measurement at once, and gives what prints each result
// as it comes: on a slow device that takes a while.
func newBenchPrinter(w io.Writer, m *resnext.Model, path string, asJSON bool) func(benchResult) error {
	if asJSON {
		encoder := jsonEncoder(w)
		return func(r benchResult) error { return encoder.Encode(r) }
	}
	cfg := m.Config()
	about := cli.Table{}
	about.Row("model", cli.Printable(path))
	about.Row("network", fmt.Sprintf("%s, %dx%d pixels, %s multiply-accumulates",
		cli.Printable(cli.ArchName(cfg)), cfg.Width, cfg.Height, cli.Count(cfg.MACs())))
	about.Row("cpu", fmt.Sprintf("%s; kernels %s", cli.Printable(cpuName()), m.Kernels()))
	about.Row("acc16 depth", depthText(modelDepths(m)))
	about.Print(w)
	fmt.Fprintln(w, "\nthreads    runs   min ms  median ms   p99 ms  mean ms  images/s  GMAC/s  memory")
	return func(r benchResult) error {
		memory := ""
		if r.PeakRSSBytes > 0 {
			memory = "  " + cli.Bytes(r.PeakRSSBytes)
		}
		_, err := fmt.Fprintf(w, "%7d %7d %8.2f %10.2f %8.2f %8.2f %9.1f %7.1f%s\n",
			r.Threads, r.Runs, r.MinMS, r.MedianMS, r.P99MS, r.MeanMS, r.ImagesPerSecond, r.GMACsPerSecond, memory)
		if err == nil && r.Layers != nil {
			printProfile(w, r.Layers)
		}
		return err
	}
}
