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

// acc16Flag names the option of the accumulation's depth, oldAcc16Flag is what it was called before; and so on.
const (
	acc16Flag    = "acc16"
	oldAcc16Flag = "chains"

	filterFlag    = "resize-filter"
	oldFilterFlag = "filter"
)

// tool is the name with which messages begin.
const tool = "calib"

const about = `calib turns a trained float ResNet, ResNeXt or RegNet into an int8 model for the
tool resnext and the library: a quarter of the size, several times as fast,
nearly the same answers. No training, no labels: a few hundred images like
those that the network will see are enough.

WEIGHTS is the float network; its format is recognised by content: what
torch.save writes (.pth, .pt: a state_dict, a training script's checkpoint, a
module), TorchScript, .safetensors in one file or in shards with an index, .npy
files in a folder or an .npz archive, an ONNX export with float weights, a
Torch7 model (.t7), or the folder of a model from a hub. The network is looked
for in the whole file; what is not part of it is set aside by name. Tensors have
the names of torchvision, timm, transformers, OpenMMLab or the CIFAR
implementations, behind any prefix; depth, cardinality, widths, gates and
shortcuts are read from the tensors, in ONNX and Torch7 from the graph.
config.json and preprocessor_config.json beside the weights give labels,
preparation and what tensors do not tell.
random:NAME makes a network of random weights instead, to measure the speed of
an architecture; it needs no images. random-outliers:NAME gives its channels
very uneven strengths, to test calibration.
IMAGES is a folder or a .zip archive of JPEG, PNG, WebP, ... files, or the
IDX files of MNIST and its relatives, gzipped or not. Images that cannot be
read are skipped and named, as long as they are not more than half.

Images must be prepared as for training. What is not given is chosen by the
kind of network, and shown before the work starts:
  ImageNet  resize the shorter side to 256, crop 224x224, ImageNet mean and std
  CIFAR     the images' own size if all are alike and at most 64 pixels, else
            32x32; CIFAR-10 mean and std
All of it is stored in the model.

With --eval the float and the int8 network are compared on labelled images,
one folder for each class (class 0 is the first folder by name; with --labels
folders may be named like the labels), or IDX files of images and labels.
Without it they are compared on some of the calibration images, which need no
labels: by how often they agree, and by the logits' signal to quantisation noise
ratio (SQNR; 30 dB and more is good).

A network with batch normalisation is asked about its own reading first: what
each layer saw in training, beside what it gives for the images, tells a wrong
mean and std, and settles what a file leaves open, where it is clear: the order
of colours, where strides are, anti-aliasing, the stem. It is always said, and
--arch, --channels, --stride-on, --anti-alias, --stem and --shortcut-pad
override it.

"calib compare A.json B.json" puts two runs side by side.`

const examples = `  calib --weights resnext50_32x4d.pth --images photos/
  calib --weights cifar.pth --images train.zip --eval test/ --out m.safetensors
  calib --weights fashion.pth --images calib.zip --mean 0.2860 --std 0.3530
  calib --weights random:resnext101_32x8d --limit 16

Exit codes:
  0 done, 1 something failed or was interrupted, 2 bad usage`

// run is the whole tool: it runs a command line and returns the exit code. When ctx ends the work stops.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	var shell string
	c := &cobra.Command{
		Use:     tool + " --weights WEIGHTS --images IMAGES [options]",
		Short:   "Turn a float ResNeXt checkpoint into an int8 model",
		Long:    about,
		Example: examples,
		Version: resnext.Version,
		Args:    cli.Args(0, 0, ""),
	}
	o.declare(c)
	c.Flags().StringVar(&shell, "completion", "", "print the completion script of `SHELL`: "+cli.Shells)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if shell != "" {
			return cli.Complete(c, shell)
		}
		given := c.Flags().Changed
		for _, f := range [][2]string{{oldAcc16Flag, acc16Flag}, {oldFilterFlag, filterFlag}} {
			if given(f[0]) {
				noteOldName(c.ErrOrStderr(), "--"+f[0], "--"+f[1])
			}
		}
		if name, ok := strings.CutPrefix(o.weights, oldOutliersPrefix); ok {
			noteOldName(c.ErrOrStderr(), oldOutliersPrefix, outliersPrefix)
			o.weights = outliersPrefix + name
		}
		s, err := o.settings(given)
		if err != nil {
			return err
		}
		s.args = args
		return calibrate(c.Context(), s, c.OutOrStdout(), c.ErrOrStderr())
	}
	c.AddCommand(compareCommand())
	return cli.Execute(ctx, c, args, stdout, stderr)
}

// noteOldName tells people who use a name that has changed.
func noteOldName(stderr io.Writer, before, now string) {
	fmt.Fprintf(stderr, "%s: note: %s is now %s; the old name will go with the next release\n", tool, before, now)
}

// declare adds the flags.
func (o *options) declare(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	f.StringVar(&o.weights, "weights", "", "`FILE` or folder of the float network, or random:NAME")
	f.StringVar(&o.images, "images", "", "calibration images: `FOLDER` or zip archive")
	f.StringVar(&o.out, "out", "", "model `FILE` to write (default: the weights' name with .int8.safetensors, in the current folder)")
	f.StringVar(&o.eval, "eval", "", "labelled images to compare on: `FOLDER` or zip archive with a folder for each class")
	f.StringVar(&o.labels, "labels", "", "text `FILE` with a label on each line (default: config.json beside the weights, else the folders of --eval, else of --images)")
	f.StringVar(&o.arch, "arch", "auto", "insist on the architecture `NAME`, such as resnext50_32x4d")
	f.StringVar(&o.key, "key", "", "of several networks in a file take the one under `NAME`, such as state_dict_ema or module.encoder_q")
	f.StringVar(&o.reading.strideOn, "stride-on", "", "`WHERE` a bottleneck's stride is, which a state dict does not tell: 3x3, as in torchvision, timm and every ResNeXt, or 1x1, as in the first ResNets and in Keras, Caffe and MXNet (default: 3x3, or what --arch, config.json or a graph says)")
	f.StringVar(&o.reading.antiAlias, "anti-alias", "", "`HOW` maps are halved behind the 3x3 convolutions in place of their stride: none, average (timm's resnetaa), blur (resnetblur)")
	f.StringVar(&o.reading.stem, "stem", "", "`FORM` of a stem of one convolution: its kernel, /2 where it has that stride, and ,pool where a 3x3 max pooling follows: 7x7/2,pool or 3x3 for example")
	f.StringVar(&o.reading.shortcutPad, "shortcut-pad", "", "`WHERE` shortcuts without weights have their zeros: around the channels, as most code for CIFAR does, or behind them")
	f.StringVar(&o.reading.channels, "channels", "", "`ORDER` of colours that the network was trained on: rgb, or bgr as OpenCV reads images; --mean and --std are in the order R,G,B always (default: rgb, or bgr where the network's statistics say so clearly)")
	f.StringVar(&o.head, "head", "", "`WHAT` the network gives: classes, of which one is right; multilabel, any of which may be right; embedding, a vector to compare images by, without the classifier (default: classes, or an embedding where the weights have no classifier)")
	f.StringVar(&o.observer, "observer", string(quant.Observers()[0]), "`NAME` of how activation ranges are chosen: "+observerNames())
	f.Float64Var(&o.percentile, "percentile", quant.DefaultPercentile, "keep `P` percent of the values; for --observer percentile")
	f.StringVar(&o.effort, "effort", string(quant.Default), "how much work to do: fast corrects and rounds small layers by a few images and large ones on their own, in seconds; default rounds layer after layer against the float network's output; max takes longer for a little more")
	f.StringVar(&o.without, "without", "", "leave out the `TECHNIQUES`, between commas, for experiments: some of "+techniqueNames())
	f.StringVar(&o.acc16, acc16Flag, "auto", "acc16 `DEPTH`: how many products the weights allow to be summed in 16 bits, "+
		"2, 4 or 8, or off; auto picks, per layer, the largest that adds at most 1 dB of noise. "+
		"Greater depths are faster on x86-64 CPUs without VNNI and on the Cortex-A53")
	f.Var(f.Lookup(acc16Flag).Value, oldAcc16Flag, "the old name of --"+acc16Flag)
	f.Lookup(oldAcc16Flag).Hidden = true
	f.IntVar(&o.limit, "limit", defaultLimit, "use at most `N` calibration images, spread over the folders; 0 is all")
	f.IntVar(&o.evalLimit, "eval-limit", 0, fmt.Sprintf("compare on at most `N` images (default: all of --eval, else %d)", defaultCompared))
	f.StringVar(&o.crop, "crop", "", "the network's input size, `N` or WxH pixels")
	f.IntVar(&o.resize, "resize", 0, "resize the shorter side to `N` pixels before the crop; 0 resizes straight to the input size")
	f.StringVar(&o.filter, filterFlag, "bilinear", "`NAME` of the resampling filter: bilinear, bicubic or nearest, as Pillow's and torchvision's; bilinear-opencv, without antialiasing, as cv2.resize and tensors in PyTorch have it")
	f.Var(f.Lookup(filterFlag).Value, oldFilterFlag, "the old name of --"+filterFlag)
	f.Lookup(oldFilterFlag).Hidden = true
	f.StringVar(&o.mean, "mean", "", "mean of the training images, `M` or R,G,B, on the scale of 0..1 or of 0..255")
	f.StringVar(&o.std, "std", "", "their standard deviation, `S` or R,G,B, on the same scale")
	f.IntVar(&o.threads, "threads", 0, "use `N` CPU cores; 0 is all of them")
	cli.Megabytes(f, "memory", fmt.Sprintf("take about `MB` megabytes of memory to calibrate (default %d, with --effort max %d), the networks among them: with less, fewer images go through the early layers, whose maps are large", quant.DefaultMemory>>20, quant.MaxMemory>>20), func(n int64) { o.memory = n })
	cli.ImageMemory(f)
	f.Uint64Var(&o.seed, "seed", 1, "choose images, and the weights of random:NAME, by the number `N`")
	f.BoolVar(&o.layers, "layers", false, "measure and list the SQNR of each layer, worst first")
	f.StringVar(&o.report, "report", "", "write a page about the result to `FILE`: accuracy, layers, ranges, changed answers, and what to try")
	f.StringVar(&o.exportONNX, "export-onnx", "", "also write the int8 network to `FILE` as ONNX, for other runtimes; the acc16 depth is then 4 unless given, because on x86-64 CPUs without VNNI their sums may overflow otherwise")
	f.BoolVar(&o.strict, "strict", false, "fail where an image cannot be read, instead of skipping it")
	f.BoolVar(&o.json, "json", false, "print one JSON object on standard output, all else on standard error")
}

func techniqueNames() string {
	var names []string
	for _, t := range quant.Techniques() {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

func observerNames() string {
	var names []string
	for _, o := range quant.Observers() {
		names = append(names, string(o))
	}
	return strings.Join(names, ", ")
}
