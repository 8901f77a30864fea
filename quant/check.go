package quant

import (
	"errors"
	"fmt"

	"github.com/libresnext/libresnext/quant/float"
	"github.com/libresnext/libresnext/quant/observe"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// checkInputs reports what makes running n images impossible.
func checkInputs(net *float.Net, n int, p resnext.Preprocess) error {
	if n < 1 {
		return errors.New("no images: at least one is needed, a few hundred are good")
	}
	if err := p.Validate(); err != nil {
		return fmt.Errorf("preprocessing: %w", err)
	}
	return checkNet(net)
}

// checkNet reports a network whose parts do not fit its configuration, or whose weights are not finite.
func checkNet(net *float.Net) error {
	if err := net.Config.Validate(); err != nil {
		return err
	}
	for _, shape := range topology.Lower(net.Config).Layers() {
		conv := net.Convs[shape.Name]
		if shape.Name == resnext.ClassifierName {
			conv = &net.Classifier
		}
		if conv == nil {
			return fmt.Errorf("%s: the float network has no such layer", shape.Name)
		}
		if err := checkLayer(shape.Name, conv, shape.Weights(), shape.Out); err != nil {
			return err
		}
	}
	return nil
}

func checkLayer(name string, conv *float.Conv, weights, out int) error {
	if len(conv.Weight) != weights || len(conv.Bias) != out {
		return fmt.Errorf("%s: the float network has %d weights and %d biases, expected %d and %d",
			name, len(conv.Weight), len(conv.Bias), weights, out)
	}
	for i, w := range conv.Weight {
		if !observe.Finite(float64(w)) {
			return fmt.Errorf("%s: a weight of output channel %d is %w", name, i/(weights/out), ErrNotFinite)
		}
	}
	for i, b := range conv.Bias {
		if !observe.Finite(float64(b)) {
			return fmt.Errorf("%s: the bias of output channel %d is %w", name, i, ErrNotFinite)
		}
	}
	return nil
}

// checkSame reports networks that differ in size, head, classes or layers.
func checkSame(float, quantised resnext.Config) error {
	if float.Height != quantised.Height || float.Width != quantised.Width {
		return fmt.Errorf("the int8 network takes %dx%d pixels, the float network %dx%d",
			quantised.Width, quantised.Height, float.Width, float.Height)
	}
	if float.Head != quantised.Head {
		return fmt.Errorf("the int8 network's head is %q, the float network's %q", quantised.Head, float.Head)
	}
	if float.Classes != quantised.Classes {
		return fmt.Errorf("the int8 network has %d classes, the float network %d", quantised.Classes, float.Classes)
	}
	if !resnext.SameShape(float, quantised) {
		return errors.New("the int8 network's layers are not those of the float network")
	}
	return nil
}

// checked is load with checkImage of what it returns.
func checked(load func(i int) ([]byte, error), cfg resnext.Config) func(i int) ([]byte, error) {
	return func(i int) ([]byte, error) {
		rgb, err := load(i)
		if err == nil {
			err = checkImage(cfg.Height, cfg.Width, rgb)
		}
		return rgb, err
	}
}

// checkImage reports an image of the wrong size.
func checkImage(h, w int, rgb []byte) error {
	if want := h * w * 3; len(rgb) != want {
		return fmt.Errorf("%d bytes, expected %d: %dx%d pixels RGB", len(rgb), want, w, h)
	}
	return nil
}
