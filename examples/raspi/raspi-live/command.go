package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

const about = `raspi-live says what the camera sees, all the time, on this computer alone.

M is a model, NAME.int8.safetensors, that calib made. Without it the environment
variable RESNEXT_MODEL names one, or model.int8.safetensors lies beside this
program or in ../share/resnext.

SOURCE is where pictures come from:

  nothing          Raspberry Pi's camera by rpicam-vid (or libcamera-vid) if it
                   is installed, else /dev/video0
  /dev/video0      a USB camera
  -                motion JPEG, or with --yuv raw pixels, on standard input
  FILE             a video: .mjpeg, .avi of JPEGs; others if ffmpeg is installed
  FOLDER, .zip     pictures, shown one after the other

A camera that fails is started again, for as long as it takes. The newest
picture is classified, and those that came meanwhile are dropped: nothing lags.

On a terminal there is a view. In a pipe or a file there is a line whenever the
class changes: time, probability, label; or with --json an object for each
picture, after a first one that tells what does not change.`

const examples = `  raspi-live M                              what does the camera see?
  raspi-live M /dev/video0 --size 1280x720  a USB camera, larger
  raspi-live M holiday.avi --fps 0 --json   every picture of a video
  raspi-live M --web :8080                  watch from a telephone
  raspi-live M --mqtt mqtt://homeassistant.local --mqtt-discovery --quiet
  raspi-live M --camera 'rpicam-vid -t 0 --rotation 180 --codec mjpeg -n -o -'
  ssh pi rpicam-vid -t 0 --codec mjpeg -n -o - | raspi-live M -

Commands (condition and command are one argument; give as many as needed):
  raspi-live M --on 'cat>0.8 ./feed.sh'            a cat has come
  raspi-live M --on 'cat<0.2 pinctrl set 17 op dl' it has gone: GPIO 17 low
  raspi-live M --on-change 'echo "$RESNEXT_LABEL" >>seen.txt' --cooldown 0s

  A command runs once when its threshold is crossed, and again only after the
  probability has gone back by more than 0.1; never twice at a time. It finds
  RESNEXT_LABEL, RESNEXT_CLASS, RESNEXT_PROBABILITY, RESNEXT_FRAME, RESNEXT_TIME
  and RESNEXT_HOOK in its environment. What it prints goes to standard error.

Exit codes:
  0 done or ended by a signal, 1 something failed (standard error says what),
  2 bad usage`

func rootCommand(stdin io.Reader, stdout, stderr io.Writer) *cobra.Command {
	var o options
	var shell string
	c := &cobra.Command{
		Use:     tool + " [options] [M] [SOURCE]",
		Version: resnext.Version,
		Short:   "Say what the camera sees",
		Long:    about,
		Example: examples,
		Args:    cli.Args(0, 2, ""),
		RunE: func(c *cobra.Command, args []string) error {
			if shell != "" {
				return cli.Complete(c, shell)
			}
			if err := o.finish(args, c.Flags().Changed); err != nil {
				return err
			}
			return start(c.Context(), o, stdin, stdout, stderr)
		},
		ValidArgsFunction: completeArgument,
	}
	o.flags(c.Flags())
	c.Flags().StringVar(&shell, "completion", "", "print the completion script of `SHELL`: "+cli.Shells)
	_ = c.MarkFlagFilename("model", modelSuffix) // the flag exists
	return c
}

// completeArgument offers model files first, then whatever is there.
func completeArgument(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return []string{modelSuffix}, cobra.ShellCompDirectiveFilterFileExt
	}
	return nil, cobra.ShellCompDirectiveDefault
}
