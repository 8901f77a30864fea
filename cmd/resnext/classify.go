package main

import (
	"fmt"
	"io"

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

Of a multi-label model, each of whose labels may be right or not, the lines are
those of all labels at least as probable as --threshold, and of an image without
such a label there is none. Probabilities are each label's own there (sigmoid);
else they add up to 1 over all classes (softmax).

Of a model without a classifier the lines are those of "resnext embed".

Of several images as many are worked on at once as there are cores, and each
has one of them.

An image that cannot be read is reported on standard error; the others are
done, and the exit code is 1.`

type classifyOptions struct {
	imageOptions
	top       int
	threshold float32

	topGiven, thresholdGiven bool // on the command line
}

// of settles what was not given as suits a model: of classes that compete the best few, of labels all that are probable.
func (o classifyOptions) of(cfg resnext.Config) classifyOptions {
	labels := cfg.Head == resnext.MultiLabel
	if labels && !o.topGiven {
		o.top = cfg.Classes
	}
	if !labels && !o.thresholdGiven {
		o.threshold = 0
	}
	return o
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
			if !(o.threshold >= 0 && o.threshold <= 1) {
				return cli.Usage("--threshold is %v, expected a probability from 0 to 1", o.threshold)
			}
			o.topGiven, o.thresholdGiven = c.Flags().Changed("top"), c.Flags().Changed("threshold")
			if err := o.check(args[1:]); err != nil {
				return err
			}
			return classify(o, args[0], args[1:], stdin, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().IntVar(&o.top, "top", 5, "print the best `N` classes of each image; of a multi-label model all unless given")
	c.Flags().Float32Var(&o.threshold, "threshold", 0.5, "print classes of at least this probability `P`; of a model that is not multi-label all unless given")
	o.flags(c.Flags())
	return c
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
	if m.Config().Head == resnext.Embedding {
		fmt.Fprintf(stderr, "%s: note: %s has no classifier, it turns images into vectors: doing what resnext embed does\n", tool, cli.Printable(model))
		return embedAll(m, embedOptions{imageOptions: o.imageOptions}, args, stdin, stdout, stderr)
	}
	o = o.of(m.Config())
	return withInputs(args, stdin, stderr, func(inputs []imageInput) error {
		print := newPrinter(stdout, o.json, inputs)
		return askAll(m, o.imageOptions, inputs, stderr, (*resnext.Session).Infer, func(a answer) error {
			c := classification{Image: a.image, Predictions: []prediction{}, Logits: a.values, Milliseconds: a.milliseconds}
			for _, t := range m.TopAbove(a.values, o.top, o.threshold) {
				c.Predictions = append(c.Predictions, prediction(t))
			}
			return print(c)
		})
	})
}
