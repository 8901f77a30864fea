package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
	"github.com/libresnext/libresnext/resnext"
)

// tool is the name with which messages begin.
const tool = "calib"

const about = `calib turns a trained float ResNeXt or ResNet into an int8 model for the tool
resnext and the library: a quarter of the size, several times as fast, nearly
the same answers. No training, no labels: a few hundred pictures like those that
the network will see are enough.

WEIGHTS is a PyTorch state_dict (.pth, .pt) or a .safetensors file, under the
names of torchvision, timm or the CIFAR implementations; depth, cardinality and
widths are read from the tensors. random:NAME makes a network of random weights
instead, to measure the speed of an architecture; it needs no pictures.
PICTURES is a folder or a .zip archive of JPEG, PNG, WebP, ... files.

Pictures must be prepared as for training. What is not given is chosen by the
kind of network, and shown before the work starts:
  ImageNet  resize the shorter side to 256, crop 224x224, ImageNet mean and std
  CIFAR     the pictures' own size if all are alike and at most 64 pixels, else
            32x32; CIFAR-10 mean and std
All of it is stored in the model.

With --eval the float and the int8 network are compared on labelled pictures,
one folder for each class (class 0 is the first folder by name). Without it they
are compared on some of the calibration pictures, which need no labels: by how
often they agree, and by the logits' signal to quantisation noise ratio (SQNR;
30 dB and more is good).`

const examples = `  calib --weights resnext50_32x4d.pth --images photos/
  calib --weights cifar.pth --images train.zip --eval test/ --out m.safetensors
  calib --weights fashion.pth --images calib.zip --mean 0.2860 --std 0.3530
  calib --weights random:resnext101_32x8d --limit 16

Exit codes:
  0 done, 1 something failed or was interrupted, 2 bad usage`

// run is the whole tool: it runs a command line and returns the exit code. When ctx ends the work stops.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	c := &cobra.Command{
		Use:     tool + " --weights WEIGHTS --images PICTURES [options]",
		Short:   "Turn a float ResNeXt checkpoint into an int8 model",
		Long:    about,
		Example: examples,
		Version: resnext.Version,
		Args:    cli.Args(0, 0, ""),
	}
	o.declare(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := o.settings(c.Flags().Changed)
		if err != nil {
			return err
		}
		return calibrate(c.Context(), s, c.OutOrStdout(), c.ErrOrStderr())
	}
	return cli.Execute(ctx, c, args, stdout, stderr)
}

// declare adds the flags.
func (o *options) declare(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.weights, "weights", "", "`FILE` of the float network, or random:NAME")
	f.StringVar(&o.images, "images", "", "calibration pictures: `FOLDER` or zip archive")
	f.StringVar(&o.out, "out", "", "model `FILE` to write (default: the weights' name with .int8.safetensors, in the current folder)")
	f.StringVar(&o.eval, "eval", "", "labelled pictures to compare on: `FOLDER` or zip archive with a folder for each class")
	f.StringVar(&o.labels, "labels", "", "text `FILE` with a label on each line (default: the folders of --eval, else of --images)")
	f.StringVar(&o.arch, "arch", "auto", "insist on the architecture `NAME`, such as resnext50_32x4d")
	f.StringVar(&o.observer, "observer", string(quant.Observers()[0]), "`NAME` of how activation ranges are chosen: "+observerNames())
	f.Float64Var(&o.percentile, "percentile", quant.DefaultPercentile, "keep `P` percent of the values; for --observer percentile")
	f.StringVar(&o.chains, "chains", "4", "make weights such that `N` products can be summed in 16 bits, 2, 4 or 8, or off. Longer chains are faster on x86-64 CPUs without VNNI and cost a little precision")
	f.IntVar(&o.limit, "limit", defaultLimit, "use at most `N` calibration pictures, spread over the folders; 0 is all")
	f.IntVar(&o.evalLimit, "eval-limit", 0, fmt.Sprintf("compare on at most `N` pictures (default: all of --eval, else %d)", defaultCompared))
	f.StringVar(&o.crop, "crop", "", "the network's input size, `N` or WxH pixels")
	f.IntVar(&o.resize, "resize", 0, "resize the shorter side to `N` pixels before the crop; 0 resizes straight to the input size")
	f.StringVar(&o.filter, "filter", "bilinear", "`NAME` of the resampling filter, bilinear or bicubic")
	f.StringVar(&o.mean, "mean", "", "mean of the training pictures, `M` or R,G,B on the 0..1 scale")
	f.StringVar(&o.std, "std", "", "their standard deviation, `S` or R,G,B on the 0..1 scale")
	f.IntVar(&o.threads, "threads", 0, "use `N` CPU cores; 0 is all of them")
	f.Uint64Var(&o.seed, "seed", 1, "choose pictures, and the weights of random:NAME, by the number `N`")
	f.BoolVar(&o.layers, "layers", false, "measure and list the SQNR of each layer, worst first")
	f.BoolVar(&o.json, "json", false, "print one JSON object on standard output, all else on standard error")
}

func observerNames() string {
	var names []string
	for _, o := range quant.Observers() {
		names = append(names, string(o))
	}
	return strings.Join(names, ", ")
}
