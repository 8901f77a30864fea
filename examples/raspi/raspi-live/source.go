package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/libresnext/libresnext/examples/raspi/internal/camera"
	"github.com/libresnext/libresnext/internal/cli"
)

// firstDevice is the USB camera to look for.
const firstDevice = "/dev/video0"

// chooseSource finds the camera that the options mean.
func chooseSource(o options, stdin io.Reader) (camera.Camera, error) {
	c, err := findSource(o, stdin)
	if o.once {
		c.Restart = false
	}
	c.Loop = o.loop
	return c, err
}

func findSource(o options, stdin io.Reader) (camera.Camera, error) {
	switch {
	case o.camera != "":
		return camera.Command(o.camera, o.format), nil
	case o.source == "-":
		return camera.Pipe("standard input", stdin, o.format), nil
	case strings.Contains(o.source, "://"):
		return camera.Camera{}, cli.Usage("%q is in the network, which this program does not read itself: "+
			"with ffmpeg installed, give --camera 'ffmpeg -nostdin -loglevel error -i URL -an -f mjpeg -'", o.source)
	case o.source != "" && !strings.HasPrefix(o.source, "/dev/"):
		return camera.File(o.source, o.fps)
	}
	fps := o.fps
	if fps == 0 {
		return camera.Camera{}, cli.Usage("--fps 0 is for files, expected the rate of a camera")
	}
	if fps == camera.AsRecorded {
		fps = cameraFPS
	}
	if o.source != "" {
		return camera.Device(o.source, o.frameSize, fps), nil
	}
	if c, ok := camera.Program(o.frameSize, fps); ok {
		return c, nil
	}
	if _, err := os.Stat(firstDevice); err == nil {
		return camera.Device(firstDevice, o.frameSize, fps), nil
	}
	return camera.Camera{}, errors.New("no camera found: neither rpicam-vid (sudo apt install rpicam-apps) nor " + firstDevice +
		" is here; give a SOURCE, or - for standard input")
}
