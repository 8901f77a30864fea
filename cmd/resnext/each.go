package main

import (
	"context"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/cores"
	"github.com/libresnext/libresnext/internal/parallel"
	"github.com/libresnext/libresnext/resnext"
)

// imageOptions are those of commands that run images through a model.
type imageOptions struct {
	json    bool
	threads int
	kernels string
}

func (o *imageOptions) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.json, "json", false, "print one JSON object for each image")
	f.IntVar(&o.threads, "threads", 0, "use `N` CPU cores; 0 is all of them")
	f.StringVar(&o.kernels, "kernels", "auto", "`NAME` of the kernel set; all give the same answers")
	cli.ImageMemory(f)
}

// check reports options, and arguments behind the model, that cannot be meant.
func (o *imageOptions) check(args []string) error {
	if err := checkThreads(o.threads); err != nil {
		return err
	}
	if n := countStdin(args); n > 1 {
		return cli.Usage("- (standard input) is given %d times, expected once", n)
	}
	return nil
}

func countStdin(args []string) int {
	return len(slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a != stdinName }))
}

// cores is how many CPU cores may be used.
func (o *imageOptions) cores() int {
	if o.threads == 0 {
		return cores.Usable()
	}
	return min(o.threads, runtime.GOMAXPROCS(0))
}

// worker takes one image after another through a model. It belongs to one goroutine.
type worker struct {
	session  *resnext.Session
	preparer *resnext.Preparer
}

func newWorker(m *resnext.Model, threads int) (*worker, error) {
	preparer, err := resnext.NewPreparer(m.Config(), m.Preprocess())
	if err != nil {
		return nil, err
	}
	session, err := m.NewSession(resnext.SessionOptions{Threads: threads})
	if err != nil {
		return nil, err
	}
	return &worker{session, preparer}, nil
}

// answer is what the network gave for an image, and the milliseconds that it took, reading and resizing left out.
type answer struct {
	image        string
	values       []float32
	milliseconds float64
}

// run asks the network about image i of p: for its logits or its features.
func (w *worker) run(p imageInput, i int, ask func(s *resnext.Session, rgb []byte) ([]float32, error)) (answer, error) {
	img, err := p.load(i)
	if err != nil {
		return answer{}, err
	}
	rgb, err := w.preparer.Prepare(img)
	if err != nil {
		return answer{}, nameError(p.name(i), err)
	}
	begin := time.Now()
	values, err := ask(w.session, rgb)
	if err != nil {
		return answer{}, nameError(p.name(i), err)
	}
	return answer{p.name(i), slices.Clone(values), milliseconds(time.Since(begin))}, nil
}

// askAll asks the network about every image and hands the answers to print in the order of the images. Several images are
// worked on at once, each on cores of its own, so that reading and resizing them, which takes longer than most networks,
// is spread over the cores, too. An image without an answer is reported; the others are done, and the error is
// cli.ErrReported.
func askAll(
	m *resnext.Model, o imageOptions, inputs []imageInput, stderr io.Writer,
	ask func(s *resnext.Session, rgb []byte) ([]float32, error), print func(answer) error,
) error {
	type place struct {
		input imageInput
		image int
	}
	var places []place
	for _, p := range inputs {
		for i := range p.count() {
			places = append(places, place{p, i})
		}
	}
	type outcome struct {
		answer
		failed error
	}
	n := o.cores()
	workers := parallel.Workers(n, len(places))
	var sessions []*resnext.Session
	defer func() {
		for _, s := range sessions {
			s.Close()
		}
	}()
	newTask := func() parallel.Task[outcome] {
		w, err := newWorker(m, n/workers)
		if err != nil {
			return func(int) (outcome, error) { return outcome{}, err }
		}
		sessions = append(sessions, w.session)
		return func(i int) (outcome, error) {
			a, err := w.run(places[i].input, places[i].image, ask)
			return outcome{a, err}, nil
		}
	}
	ctx, stop := context.WithCancelCause(context.Background())
	defer stop(nil)
	failed := false
	fold := func(_ int, o outcome) {
		switch {
		case o.failed != nil:
			cli.Report(stderr, tool, o.failed)
			failed = true
		default:
			if err := print(o.answer); err != nil {
				stop(err)
			}
		}
	}
	if err := parallel.InOrder(ctx, len(places), workers, newTask, fold); err != nil {
		return err
	}
	if failed {
		return cli.ErrReported
	}
	return nil
}
