package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

// tool is the name with which messages begin.
const tool = "resnext"

const about = `resnext runs int8 image classifiers, ResNets, ResNeXts and RegNets, on any CPU,
with the same answers to the bit on all of them.

A model M is one file, NAME.int8.safetensors. The companion tool calib makes it
from a float checkpoint (PyTorch or safetensors) and some images:

  calib --weights resnext50.pth --images photos/ --out M.int8.safetensors

Classes, labels and the preparation of images are stored in it.`

const rootExamples = `  resnext classify M photo.jpg            what is on the photo?
  resnext classify M photos/ more.zip     one line for each prediction
  resnext classify --json M - <photo.jpg  JSON, with all logits
  resnext embed M photos/                 a vector for each photo, to compare
  resnext inspect M                       what kind of network is this?
  resnext bench M --threads 1,2,4         how fast is it here?
  resnext selftest                        does this CPU compute right?

Kernels:
  The fastest kernels that the CPU has are chosen when a model is opened. The
  environment variable RESNEXT_KERNELS names others, for example
  RESNEXT_KERNELS=generic; "resnext selftest" lists those that run here.

Memory:
  A model whose session would need more than 512 MB is refused. The environment
  variable RESNEXT_MEMORY_LIMIT sets another limit, in MB.

Exit codes:
  0 done, 1 something failed (standard error says what), 2 bad usage`

// run is the whole tool: it runs a command line and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:     tool + " COMMAND [options]",
		Version: resnext.Version,
		Short:   "Run int8 ResNeXt image classifiers",
		Long:    about,
		Example: rootExamples,
	}
	root.AddCommand(classifyCommand(stdin), embedCommand(stdin), inspectCommand(), benchCommand(), selftestCommand(), completionCommand(), versionCommand())
	return cli.Execute(context.Background(), root, args, stdout, stderr)
}
