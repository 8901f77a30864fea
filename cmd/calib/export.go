package main

import (
	"github.com/libresnext/libresnext/internal/progress"
	"github.com/libresnext/libresnext/quant/onnx"
	"github.com/libresnext/libresnext/resnext"
)

// rangeImages is how many images show the ranges of what only ONNX rounds.
const rangeImages = 64

// exportONNX writes the file of --export-onnx, if there is to be one.
func (w *work) exportONNX(model *resnext.Model, q *resnext.Quantised) error {
	path := w.settings.exportONNX
	if path == "" {
		return nil
	}
	few := subsample{w.plan.calibration, rangeImages}
	_, err := do(w, "exporting to ONNX", few.len(), func(f *progress.Phase) (struct{}, error) {
		var inputs [][]byte
		for i := range few.len() {
			rgb, _, err := few.load(i)
			if err != nil {
				return struct{}{}, err
			}
			inputs = append(inputs, rgb)
		}
		ranges, err := onnx.Measure(model, inputs)
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
