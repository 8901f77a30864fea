package main

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

const aboutEmbed = `embed turns images into vectors, to compare, find and group them.

The vector of an image is what the network's classifier would read: the average
of each channel of the last map, 2048 numbers in ResNeXt-50. Images that look
alike have vectors that point the same way. Every model gives them, with
a classifier and without ("calib --head embedding"), and the same to the bit on
every CPU. Vectors of two model files are not to be compared with each other,
since calibration scales the channels of each in its own way.

IMAGE is what it is to "resnext classify": a file, a folder, a .zip archive, an
IDX file or - for standard input.

Each image is one line: its name, a tab, and the numbers, separated by blanks,
in as many digits as float32 needs. With --json it is a JSON object: image,
embedding (the numbers) and milliseconds (the network alone).

With --normalise each vector has the length 1. The sum of products of two such
vectors is their cosine similarity: 1 for equal images, less the less they have
in common. The second example prints that of two images.

An image that cannot be read is reported on standard error; the others are
done, and the exit code is 1.`

type embedOptions struct {
	imageOptions
	normalise bool
}

func embedCommand(stdin io.Reader) *cobra.Command {
	var o embedOptions
	c := &cobra.Command{
		Use:   "embed [options] M IMAGE...",
		Short: "Turn images into vectors to compare them by",
		Long:  aboutEmbed,
		Example: `  resnext embed --json M photos/ >photos.jsonl
  resnext embed --normalise M a.jpg b.jpg | cut -f 2 |
    awk '{for (i=1; i<=NF; i++) {s += $i*a[i]; a[i] = $i}} END {print s}'`,
		Args: cli.Args(2, -1, "a model or an image"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(args[1:]); err != nil {
				return err
			}
			return embed(o, args[0], args[1:], stdin, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&o.normalise, "normalise", false, "divide each vector by its length")
	o.flags(c.Flags())
	return c
}

// embedding is one line of --json.
type embedding struct {
	Image        string    `json:"image"`
	Embedding    []float32 `json:"embedding"`
	Milliseconds float64   `json:"milliseconds"`
}

func embed(o embedOptions, model string, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	m, err := openModel(model, o.kernels, stderr)
	if err != nil {
		return err
	}
	return embedAll(m, o, args, stdin, stdout, stderr)
}

func embedAll(m *resnext.Model, o embedOptions, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	print := func(a answer) error { return printVector(stdout, a) }
	if o.json {
		encoder := jsonEncoder(stdout)
		print = func(a answer) error { return encoder.Encode(embedding{a.image, a.values, a.milliseconds}) }
	}
	return withInputs(args, stdin, stderr, func(inputs []imageInput) error {
		return askAll(m, o.imageOptions, inputs, stderr, (*resnext.Session).Embed, func(a answer) error {
			if o.normalise {
				resnext.Normalise(a.values)
			}
			return print(a)
		})
	})
}

// printVector writes a line: the image, a tab and the numbers.
func printVector(w io.Writer, a answer) error {
	line := []byte(cli.Printable(a.image))
	separator := byte('\t')
	for _, v := range a.values {
		line = strconv.AppendFloat(append(line, separator), float64(v), 'g', -1, 32)
		separator = ' '
	}
	_, err := fmt.Fprintf(w, "%s\n", line)
	return err
}
