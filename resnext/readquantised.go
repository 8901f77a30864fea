package resnext

import (
	"errors"
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/resnext/topology"
)

// ReadQuantised reads the plain numbers of the model file at path back, as WriteFile got them: for exporting,
// editing or studying a network. Running one is Open's business, which needs less memory and also proves
// that the numbers keep every CPU within its integers. A file that is no sound model gives an error that wraps
// ErrModelFile.
func ReadQuantised(path string) (*Quantised, error) {
	file, err := openModelFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	q, err := file.quantised()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return q, nil
}

// quantised reads all layers.
func (m *modelFile) quantised() (*Quantised, error) {
	q := &Quantised{
		Config: m.config, Preprocess: m.preprocess, Labels: m.labels, Calibration: m.calibration,
		Convs: map[string]ConvParams{}, Residual: map[string]float32{}, Scale: map[string]float32{},
		Gates: map[string]float32{},
	}
	var failed error
	note := func(err error) { failed = errors.Join(failed, err) }
	keep := func(p ConvParams, err error) ConvParams {
		note(err)
		p.Weight = slices.Clone(p.Weight) // the file's buffer is used again for the next layer
		return p
	}
	var err error
	for _, s := range m.program.Steps {
		switch s.Op {
		case topology.Conv:
			q.Convs[s.Name] = keep(m.conv(s.Name))
			q.Scale[s.Name], err = m.outputScale(s.Name)
			note(err)
		case topology.Gated:
			for _, l := range s.Gate {
				q.Convs[l.Name] = keep(m.conv(l.Name))
			}
			q.Scale[s.Name], err = m.outputScale(s.Name)
			note(err)
			q.Gates[s.Name], err = m.gate(s.Name)
			note(err)
		case topology.Classify:
			q.Classifier = keep(m.classifier())
		}
		if s.Add != topology.None {
			q.Residual[s.Block], err = m.residual(s.Block)
			note(err)
		}
	}
	if m.config.Gated() {
		q.Sigmoid, err = m.sigmoid()
		note(err)
	}
	return q, failed
}
