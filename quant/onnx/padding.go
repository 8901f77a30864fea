package onnx

import "github.com/libresnext/libresnext/resnext"

// padded adds the network's border around the images and gives the result's name. ONNX pads with one number for
// all channels: where they differ, each is padded alone. The numbers are bytes, so nothing is rounded.
func (e *exporter) padded(cfg resnext.Config, p resnext.Preprocess) string {
	border, bytes := cfg.Stem.Convs[0].Kernel/2, p.PadBytes()
	if e.options.Padded || border == 0 {
		return imageName
	}
	const end = imageName + ".padded"
	n := int64(border)
	amounts := e.constant(imageName+".border", int64Type, []int{8}, raw(0, 0, n, n, 0, 0, n, n))
	pad := func(from, to string, v byte) string {
		return e.node("Pad", to, []string{from, amounts, e.constant(to+".value", uint8Type, nil, raw(v))})
	}
	if bytes[0] == bytes[1] && bytes[1] == bytes[2] {
		return pad(imageName, end, bytes[0])
	}
	var planes []string
	for c, name := range []string{"red", "green", "blue"} {
		name = imageName + "." + name
		number := e.constant(name+".number", int64Type, []int{1}, raw(int64(c)))
		plane := e.node("Gather", name, []string{imageName, number}, intAttribute("axis", 1))
		planes = append(planes, pad(plane, name+".padded", bytes[c]))
	}
	return e.node("Concat", end, planes, intAttribute("axis", 1))
}
