package main

import (
	"github.com/libresnext/libresnext/quant/onnx"
	"github.com/libresnext/libresnext/resnext"
)

// rangePictures is how many pictures show the ranges of what only ONNX rounds.
const rangePictures = 64

// exportONNX writes the file of --export-onnx, if there is to be one.
func (w *work) exportONNX(model *resnext.Model, q *resnext.Quantised) error {
	path := w.settings.exportONNX
	if path == "" {
		return nil
	}
	few := spread{w.plan.calibration, rangePictures}
	_, err := do(w, "exporting to ONNX", few.len(), func(f *phase) (struct{}, error) {
		var pictures [][]byte
		for i := range few.len() {
			rgb, _, err := few.load(i)
			if err != nil {
				return struct{}{}, err
			}
			pictures = append(pictures, rgb)
		}
		ranges, err := onnx.Measure(model, pictures)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, onnx.Write(path, q, ranges, onnx.Options{})
	})
	if err != nil {
		return w.unfinished("not exported", err)
	}
	return nil
}
