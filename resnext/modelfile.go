package resnext

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/libresnext/libresnext/internal/safetensors"
	"github.com/libresnext/libresnext/internal/strictjson"
	"github.com/libresnext/libresnext/resnext/topology"
)

// The model file is a plain safetensors file, which docs/model-format.md specifies (see Quantised for the arithmetic). The
// format's version is that of the configuration in it, the lowest that can say what the network is, see
// topology.Config.Encode.
const (
	formatName = "libresnext-int8"

	keyFormat      = "format"
	keyVersion     = "format_version"
	keyConfig      = "config"
	keyPreprocess  = "preprocess"
	keyLabels      = "labels"
	keyCalibration = "calibration"

	sigmoidName = "sigmoid" // a tensor
)

// ErrModelFile is wrapped by every error about a file that is no sound int8 model.
var ErrModelFile = errors.New("not a usable libresnext int8 model")

// WriteFile stores q at path and returns the file's size in bytes. The file appears whole or not at all,
// and the same network always gives the same bytes.
func (q *Quantised) WriteFile(path string) (int64, error) {
	metadata, tensors, err := q.content()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return safetensors.Write(path, metadata, tensors)
}

// content is what a model file holds.
func (q *Quantised) content() (map[string]string, []safetensors.Tensor, error) {
	if err := q.validate(); err != nil {
		return nil, nil, err
	}
	tensors, err := q.tensors()
	if err != nil {
		return nil, nil, err
	}
	config, version, err := q.Config.Encode()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", keyConfig, err)
	}
	metadata := map[string]string{keyFormat: formatName, keyVersion: strconv.Itoa(version), keyConfig: config}
	for key, value := range map[string]any{
		keyPreprocess: q.Preprocess, keyLabels: q.Labels, keyCalibration: q.Calibration,
	} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", key, err)
		}
		metadata[key] = string(text)
	}
	metadata[safetensors.ChecksumKey] = safetensors.ChecksumOf(metadata, tensors)
	return metadata, tensors, nil
}

func (q *Quantised) tensors() ([]safetensors.Tensor, error) {
	var out []safetensors.Tensor
	add := func(name string, shape []int, p ConvParams) {
		out = append(out,
			safetensors.Tensor{Name: name + ".weight", DType: "I8", Shape: shape, Data: bytesOf(p.Weight)},
			safetensors.Tensor{Name: name + ".bias", DType: "I32", Shape: shape[:1], Data: bytesOf(p.Bias)},
			safetensors.Tensor{Name: name + ".multiplier", DType: "F32", Shape: shape[:1], Data: bytesOf(p.Multiplier)})
	}
	single := func(name string, v float32) {
		out = append(out, safetensors.Tensor{Name: name, DType: "F32", Shape: []int{1}, Data: bytesOf([]float32{v})})
	}
	for _, s := range topology.Lower(q.Config).Steps {
		switch s.Op {
		case topology.Conv:
			p := q.Convs[s.Name]
			if err := checkConv(s.Conv, p, 0); err != nil {
				return nil, err
			}
			add(s.Name, s.Conv.WeightShape(), p)
			single(s.Name+".scale", q.Scale[s.Name])
		case topology.Gated:
			for _, l := range s.Gate {
				p := q.Convs[l.Name]
				if err := p.checkLengths(l.Name, l.Out, l.In); err != nil {
					return nil, err
				}
				add(l.Name, []int{l.Out, l.In}, p)
			}
			single(s.Name+".scale", q.Scale[s.Name])
			single(s.Name+".multiplier", q.Gates[s.Name])
		case topology.Classify:
			add(s.Name, []int{s.Conv.Out, s.Conv.In}, q.Classifier)
		}
		if s.Add != topology.None {
			single(s.Block+".residual", q.Residual[s.Block])
		}
	}
	if q.Config.Gated() {
		if len(q.Sigmoid) != SigmoidSteps {
			return nil, fmt.Errorf("%s: %d numbers, expected %d", sigmoidName, len(q.Sigmoid), SigmoidSteps)
		}
		out = append(out, safetensors.Tensor{Name: sigmoidName, DType: "U16", Shape: []int{SigmoidSteps}, Data: bytesOf(q.Sigmoid)})
	}
	return out, nil
}

// modelFile is an open model file whose metadata, tensor list and checksum have been checked. It hands out
// one layer at a time, so that a device never holds the numbers twice. It serves one goroutine.
type modelFile struct {
	*safetensors.File
	config      Config
	program     *topology.Program
	preprocess  Preprocess
	labels      []string
	calibration map[string]string
	// weights is the memory of the layer read last: packing copies it, so one is enough.
	weights []byte
}

// openModelFile opens the file at path and reads everything but the layers. The caller closes it.
func openModelFile(path string) (*modelFile, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, unusable(err)
	}
	m, err := newModelFile(f, path)
	if err != nil {
		_ = f.Close() // nothing was written
	}
	return m, err
}

// parseModelFile is openModelFile for the size bytes that r reads. The caller owns r.
func parseModelFile(r io.ReaderAt, size int64, name string) (*modelFile, error) {
	f, err := safetensors.Parse(r, size, name)
	if err != nil {
		return nil, unusable(err)
	}
	return newModelFile(f, name)
}

func newModelFile(f *safetensors.File, name string) (*modelFile, error) {
	m, err := readModelFile(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", name, ErrModelFile, err)
	}
	// Made once, at the size of the largest layer.
	m.weights = make([]byte, m.program.LargestLayer())
	return m, nil
}

// unusable makes an ErrModelFile of what safetensors says of a file's content, which begins with the file's name; a
// file that cannot be read stays what it is.
func unusable(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return err
	}
	return contentError{fmt.Errorf("%w: give a model that calib made, or copy it again", err)}
}

type contentError struct{ error }

func (e contentError) Is(target error) bool { return target == ErrModelFile }
func (e contentError) Unwrap() error        { return e.error }

// readModelFile checks metadata, checksum and the list of tensors.
func readModelFile(f *safetensors.File) (*modelFile, error) {
	meta := f.Metadata()
	if meta[keyFormat] != formatName {
		return nil, errors.New("it has no libresnext metadata: is it a float checkpoint? Convert it with calib first")
	}
	version, err := strconv.Atoi(meta[keyVersion])
	if err != nil || strconv.Itoa(version) != meta[keyVersion] || version < topology.FirstVersion || version > topology.LatestVersion {
		return nil, fmt.Errorf("it has format version %q, this program reads versions %d to %d: use a newer libresnext or calibrate again",
			meta[keyVersion], topology.FirstVersion, topology.LatestVersion)
	}
	sum, err := safetensors.Checksum(f)
	if err != nil {
		return nil, err
	}
	if want := meta[safetensors.ChecksumKey]; sum != want {
		return nil, fmt.Errorf("it is damaged: its content has checksum %s, expected %s. Copy it again or calibrate again", sum, want)
	}
	m := &modelFile{File: f}
	if m.config, err = topology.Decode(meta[keyConfig], version); err != nil {
		return nil, fmt.Errorf("metadata %q: %w", keyConfig, err)
	}
	for key, into := range map[string]any{
		keyPreprocess: &m.preprocess, keyLabels: &m.labels, keyCalibration: &m.calibration,
	} {
		if err := strictjson.Unmarshal(meta[key], into); err != nil {
			return nil, fmt.Errorf("metadata %q: %w", key, err)
		}
	}
	for i, label := range m.labels {
		m.labels[i] = CleanLabel(label)
	}
	q := Quantised{Config: m.config, Preprocess: m.preprocess, Labels: m.labels}
	if err := q.validate(); err != nil {
		return nil, err
	}
	m.program = topology.Lower(m.config)
	return m, m.checkTensors()
}

// checkTensors compares the tensors' names, types and shapes with those that the configuration calls for.
func (m *modelFile) checkTensors() error {
	type spec struct {
		dtype string
		shape []int
	}
	want := map[string]spec{}
	add := func(name string, shape []int) {
		want[name+".weight"] = spec{"I8", shape}
		want[name+".bias"] = spec{"I32", shape[:1]}
		want[name+".multiplier"] = spec{"F32", shape[:1]}
	}
	for _, s := range m.program.Steps {
		switch s.Op {
		case topology.Conv:
			add(s.Name, s.Conv.WeightShape())
			want[s.Name+".scale"] = spec{"F32", []int{1}}
		case topology.Gated:
			for _, l := range s.Gate {
				add(l.Name, []int{l.Out, l.In})
			}
			want[s.Name+".scale"], want[s.Name+".multiplier"] = spec{"F32", []int{1}}, spec{"F32", []int{1}}
			want[sigmoidName] = spec{"U16", []int{SigmoidSteps}}
		case topology.Classify:
			add(s.Name, []int{s.Conv.Out, s.Conv.In})
		}
		if s.Add != topology.None {
			want[s.Block+".residual"] = spec{"F32", []int{1}}
		}
	}

	var problems []string
	for _, name := range m.Names() {
		w, ok := want[name]
		if !ok {
			problems = append(problems, fmt.Sprintf("unknown tensor %s", name))
			continue
		}
		delete(want, name)
		if i, _ := m.Info(name); i.DType != w.dtype || !slices.Equal(i.Shape, w.shape) {
			problems = append(problems, fmt.Sprintf("%s is %s %v, expected %s %v", name, i.DType, i.Shape, w.dtype, w.shape))
		}
	}
	for name := range want {
		problems = append(problems, fmt.Sprintf("%s is missing", name))
	}
	if len(problems) == 0 {
		return nil
	}
	slices.Sort(problems)
	const most = 10
	if n := len(problems); n > most {
		problems = append(problems[:most], fmt.Sprintf("and %d more", n-most))
	}
	return errors.New(strings.Join(problems, "; "))
}

// layer reads one layer. Its weights are valid until the next call.
func (m *modelFile) layer(name string) (ConvParams, error) {
	weight, err1 := m.Read(name+".weight", m.weights)
	bias, err2 := m.Read(name+".bias", nil)
	multiplier, err3 := m.Read(name+".multiplier", nil)
	if err := errors.Join(err1, err2, err3); err != nil {
		return ConvParams{}, err
	}
	m.weights = weight
	return ConvParams{
		Weight: unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(weight))), len(weight)),
		Bias:   int32sOf(bias), Multiplier: float32sOf(multiplier),
	}, nil
}

func (m *modelFile) single(name string) (float32, error) {
	b, err := m.Read(name, nil)
	if err != nil {
		return 0, err
	}
	return float32sOf(b)[0], nil
}

func (m *modelFile) conv(name string) (ConvParams, error)     { return m.layer(name) }
func (m *modelFile) classifier() (ConvParams, error)          { return m.layer(ClassifierName) }
func (m *modelFile) residual(block string) (float32, error)   { return m.single(block + ".residual") }
func (m *modelFile) outputScale(name string) (float32, error) { return m.single(name + ".scale") }
func (m *modelFile) gate(name string) (float32, error)        { return m.single(name + ".multiplier") }

func (m *modelFile) sigmoid() ([]uint16, error) {
	b, err := m.Read(sigmoidName, nil)
	if err != nil {
		return nil, err
	}
	v := make([]uint16, len(b)/2)
	for i := range v {
		v[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return v, nil
}

// bytesOf returns the little-endian bytes of numbers.
func bytesOf[T int8 | uint16 | int32 | float32](v []T) []byte {
	b, _ := binary.Append(nil, binary.LittleEndian, v) // cannot fail for these types
	return b
}

func int32sOf(b []byte) []int32 {
	v := make([]int32, len(b)/4)
	for i := range v {
		v[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

func float32sOf(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}
