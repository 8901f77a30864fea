package main

import (
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

const aboutClassify = `classify says what images show.

IMAGE is an image file (JPEG, PNG, GIF, WebP, BMP, TIFF), a folder or a .zip
archive of them, an IDX file as MNIST has (t10k-images-idx3-ubyte.gz) or its
folder, or - for one image on standard input.

Each prediction is one line with five columns: image, rank (1 is the best),
probability (0 to 1), class number, label. On a terminal the columns are aligned
under a heading. In a pipe or a file there is no heading, and they are separated
by one tab: cut -f, awk -F'\t' and sort -t read them.

With --json each image is one line, a JSON object: image, predictions (class,
label, probability, logit), logits (of all classes, float32 to the last bit) and
milliseconds (the network alone, without reading and resizing the image).

An image that cannot be read is reported on standard error; the others are
done, and the exit code is 1.`

type classifyOptions struct {
	json         bool
	top, threads int
	kernels      string
}

func classifyCommand(stdin io.Reader) *cobra.Command {
	var o classifyOptions
	c := &cobra.Command{
		Use:   "classify [options] M IMAGE...",
		Short: "Say what images show",
		Long:  aboutClassify,
		Example: `  resnext classify M photo.jpg
  resnext classify --top 1 M photos/ | cut -f 1,5
  curl -s https://example.org/cat.jpg | resnext classify --json M -`,
		Args: cli.Args(2, -1, "a model or an image"),
		RunE: func(c *cobra.Command, args []string) error {
			if o.top < 1 {
				return cli.Usage("--top is %d, expected 1 or more", o.top)
			}
			if err := checkThreads(o.threads); err != nil {
				return err
			}
			if n := countStdin(args[1:]); n > 1 {
				return cli.Usage("- (standard input) is given %d times, expected once", n)
			}
			return classify(o, args[0], args[1:], stdin, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&o.json, "json", false, "print one JSON object for each image")
	c.Flags().IntVar(&o.top, "top", 5, "print the best `N` classes of each image")
	c.Flags().IntVar(&o.threads, "threads", 0, threadsUsage)
	c.Flags().StringVar(&o.kernels, "kernels", "auto", "`NAME` of the kernel set; all give the same answers")
	cli.ImageMemory(c.Flags())
	return c
}

func countStdin(args []string) int {
	return len(slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a != stdinName }))
}

// classification is what one image gave, and one line of --json.
type classification struct {
	Image        string       `json:"image"`
	Predictions  []prediction `json:"predictions"`
	Logits       []float32    `json:"logits"`
	Milliseconds float64      `json:"milliseconds"`
}

type prediction struct {
	Class       int     `json:"class"`
	Label       string  `json:"label"`
	Probability float32 `json:"probability"`
	Logit       float32 `json:"logit"`
}

func classify(o classifyOptions, model string, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	m, err := openModel(model, o.kernels, stderr)
	if err != nil {
		return err
	}
	c, err := newClassifier(m, o)
	if err != nil {
		return err
	}
	defer c.session.Close()

	inputs, failed := openInputs(args, stdin)
	defer closeInputs(inputs)
	for _, err := range failed {
		cli.Report(stderr, tool, err)
	}
	print := newPrinter(stdout, o.json, inputs)
	ok := len(failed) == 0
	for _, p := range inputs {
		for i := range p.count() {
			r, err := c.run(p, i)
			if err != nil {
				cli.Report(stderr, tool, err)
				ok = false
				continue
			}
			if err := print(r); err != nil {
				return err
			}
		}
	}
	if !ok {
		return cli.ErrReported
	}
	return nil
}

// classifier runs one image after another.
type classifier struct {
	model    *resnext.Model
	session  *resnext.Session
	preparer *resnext.Preparer
	top      int
}

func newClassifier(m *resnext.Model, o classifyOptions) (*classifier, error) {
	preparer, err := resnext.NewPreparer(m.Config(), m.Preprocess())
	if err != nil {
		return nil, err
	}
	session, err := m.NewSession(resnext.SessionOptions{Threads: o.threads})
	if err != nil {
		return nil, err
	}
	return &classifier{m, session, preparer, o.top}, nil
}

// run classifies image i of p. The result's logits are valid until the next call.
func (c *classifier) run(p imageInput, i int) (classification, error) {
	fail := func(err error) (classification, error) { return classification{}, err }
	img, err := p.load(i)
	if err != nil {
		return fail(err)
	}
	rgb, err := c.preparer.Prepare(img)
	if err != nil {
		return fail(nameError(p.name(i), err))
	}
	begin := time.Now()
	logits, err := c.session.Infer(rgb)
	if err != nil {
		return fail(nameError(p.name(i), err))
	}
	r := classification{Image: p.name(i), Logits: logits, Milliseconds: milliseconds(time.Since(begin))}
	for _, t := range c.model.Top(logits, c.top) {
		r.Predictions = append(r.Predictions, prediction(t))
	}
	return r, nil
}
