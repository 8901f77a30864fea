package onnx

import (
	"fmt"

	"github.com/libresnext/libresnext/resnext"
)

// InputSize is the height and width of the padded image, see Options.Padded.
func InputSize(cfg resnext.Config) (h, w int) {
	p := cfg.Stem.Convs[0].Kernel / 2
	return cfg.Height + 2*p, cfg.Width + 2*p
}

// Input gives the input of a graph with Options.Padded for an image of Height*Width*3 bytes RGB:
// [3][H+2p][W+2p], with the network's border of p bytes around it.
func Input(cfg resnext.Config, p resnext.Preprocess, rgb []byte) ([]byte, error) {
	if want := cfg.Height * cfg.Width * 3; len(rgb) != want {
		return nil, fmt.Errorf("the image has %d bytes, expected %d", len(rgb), want)
	}
	h, w := InputSize(cfg)
	border, pad := cfg.Stem.Convs[0].Kernel/2, p.PadBytes()
	in := make([]byte, 3*h*w)
	for c := range 3 {
		plane := in[c*h*w:][:h*w]
		for i := range plane {
			plane[i] = pad[c]
		}
		for y := range cfg.Height {
			row := plane[(y+border)*w+border:][:cfg.Width]
			for x := range row {
				row[x] = rgb[(y*cfg.Width+x)*3+c]
			}
		}
	}
	return in, nil
}
