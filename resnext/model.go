package resnext

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/libresnext/libresnext/asm"
	i8 "github.com/libresnext/libresnext/int8"
	"github.com/libresnext/libresnext/resnext/topology"
)

// Version is the release of this library and its tools.
const Version = "0.1.0"

// Options configures OpenWith and New. The zero value selects the best kernel set of this CPU.
type Options struct {
	// Kernels names the kernel set: "generic", "avx2", "neon", ... "" or "auto" takes the environment's
	// RESNEXT_KERNELS or, without it, the best set of this CPU. All give the same bytes.
	Kernels string
	// MemoryLimit bounds what one session's activations, and the tables that all share, may take in bytes; a network
	// that needs more is refused with an error that wraps ErrMemoryLimit, and nothing is allocated. 0 means what
	// the environment's RESNEXT_MEMORY_LIMIT says in MiB, or without it DefaultMemoryLimit. A batch of images keeps to it,
	// too, see Session.InferBatch.
	MemoryLimit int64
}

// Model is an int8 network packed for one kernel set. It is immutable: any number of goroutines and
// sessions share it.
type Model struct {
	config      Config
	preprocess  Preprocess
	labels      []string
	calibration map[string]string
	kernels     *asm.Kernels
	warning     string

	program *topology.Program
	image   i8.Image
	steps   []operator // of the program's steps
	head    *i8.Head
	scale   float32 // the real value of one step of the map that the head averages
	arenas  int64   // as many of a session's may a batch have within the memory limit
}

// operator is a step of the program with its packed numbers: one of the three, or none for the head.
type operator struct {
	topology.Step
	layer *layer
	pool  pooling
	gate  *i8.Gate
	scale float32 // the real value of one step of a gate's output
}

// pooling is a max or an average pooling.
type pooling interface {
	Tasks() int
	Run(in, out []byte, task, tasks int, s *i8.Scratch)
}

// layer is a packed convolution bound to its maps.
type layer struct {
	shape   ConvShape
	conv    *i8.Conv
	binding *i8.Binding
	out     i8.Map
	scale   float32 // the real value of one output step
}

// Open reads, checks and packs the model file at path, for the best kernel set of this CPU.
func Open(path string) (*Model, error) { return OpenWith(path, Options{}) }

// OpenWith is Open with options. A damaged, truncated, hostile or newer file gives an error that wraps
// ErrModelFile and says which and why; a sound one that needs too much memory ErrMemoryLimit; kernels that this CPU
// lacks asm.ErrKernels.
func OpenWith(path string, o Options) (*Model, error) {
	file, err := openModelFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.model(path, o)
}

// OpenReaderAt is OpenWith for a model file of size bytes that r gives, such as one in memory. name is its name in
// errors. r is not used any more after the return; an error of r's that is an *fs.PathError can be told from a damaged
// file.
func OpenReaderAt(r io.ReaderAt, size int64, name string, o Options) (*Model, error) {
	file, err := parseModelFile(r, size, name)
	if err != nil {
		return nil, err
	}
	return file.model(name, o)
}

// model packs the file's network.
func (f *modelFile) model(name string, o Options) (*Model, error) {
	m := &Model{config: f.config, program: f.program, preprocess: f.preprocess, labels: f.labels, calibration: f.calibration}
	if err := m.build(f, o); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// New packs a network that is already in memory. It keeps nothing of q but its labels and calibration notes.
func New(q *Quantised, o Options) (*Model, error) {
	if err := q.validate(); err != nil {
		return nil, err
	}
	m := &Model{config: q.Config, program: topology.Lower(q.Config), preprocess: q.Preprocess, labels: q.Labels, calibration: q.Calibration}
	if err := m.build(inMemory{q}, o); err != nil {
		return nil, err
	}
	return m, nil
}

// paramSource returns a network's numbers, one layer at a time.
type paramSource interface {
	conv(name string) (ConvParams, error)
	outputScale(name string) (float32, error)
	residual(block string) (float32, error)
	gate(name string) (float32, error)
	sigmoid() ([]uint16, error)
	classifier() (ConvParams, error)
}

// inMemory is the paramSource of a network in memory.
type inMemory struct{ q *Quantised }

func (m inMemory) conv(name string) (ConvParams, error)     { return m.q.Convs[name], nil }
func (m inMemory) outputScale(name string) (float32, error) { return m.q.Scale[name], nil }
func (m inMemory) residual(block string) (float32, error)   { return m.q.Residual[block], nil }
func (m inMemory) gate(name string) (float32, error)        { return m.q.Gates[name], nil }
func (m inMemory) sigmoid() ([]uint16, error)               { return m.q.Sigmoid, nil }
func (m inMemory) classifier() (ConvParams, error)          { return m.q.Classifier, nil }

// build packs every layer and binds it to its maps.
func (m *Model) build(params paramSource, o Options) error {
	var err error
	if m.arenas, err = checkMemory(m.program, o.MemoryLimit); err != nil {
		if errors.Is(err, ErrConfig) {
			err = fmt.Errorf("%w: %w", ErrModelFile, err)
		}
		return err
	}
	if m.kernels, m.warning, err = asm.Select(o.Kernels); err != nil {
		return err
	}
	m.image = imageOf(m.program.Maps[topology.Image])
	b := builder{model: m, params: params, bindings: map[geometry]*i8.Binding{}}
	for _, s := range m.program.Steps {
		op, err := b.operator(s)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrModelFile, err)
		}
		m.steps = append(m.steps, op)
	}
	layers := m.layers()
	for i, l := range layers[1:] {
		layers[i].conv.Then(l.conv)
	}
	return nil
}

// builder carries the bindings so far.
type builder struct {
	model    *Model
	params   paramSource
	bindings map[geometry]*i8.Binding
	sigmoid  []uint16 // once it has been read
}

// operator checks and packs one step.
func (b *builder) operator(s topology.Step) (op operator, err error) {
	op.Step = s
	p := b.model.program
	switch s.Op {
	case topology.Conv:
		op.layer, err = b.layer(s)
	case topology.MaxPool:
		op.pool = i8.NewMaxPool(b.model.kernels, mapOf(p.Maps[s.In]), mapOf(p.Maps[s.Out]), s.Stride)
	case topology.AveragePool:
		op.pool = i8.NewAveragePool(b.model.kernels, mapOf(p.Maps[s.In]), mapOf(p.Maps[s.Out]))
	case topology.Blur:
		op.pool = i8.NewBlur(b.model.kernels, mapOf(p.Maps[s.In]), mapOf(p.Maps[s.Out]))
	case topology.Gated:
		op.gate, op.scale, err = b.gate(s)
	case topology.Classify, topology.Embed:
		err = b.head(s)
	}
	return op, err
}

// layer checks and packs one convolution.
func (b *builder) layer(s topology.Step) (*layer, error) {
	p, err := b.params.conv(s.Name)
	if err != nil {
		return nil, err
	}
	scale, err := b.scale(s.Name)
	if err != nil {
		return nil, err
	}
	spec := spec(s.Conv)
	if s.Add != topology.None {
		if spec.Residual, err = b.residual(s.Block); err != nil {
			return nil, err
		}
	}
	if err := checkConv(s.Conv, p, spec.Residual); err != nil {
		return nil, err
	}
	spec.Weight, spec.Bias, spec.Multiplier = p.Weight, p.Bias, p.Multiplier
	spec.Epilogue = epilogueOf(b.model.program, s)
	c := i8.NewConv(b.model.kernels, spec)
	g := geometryOf(b.model.program, s)
	return &layer{shape: s.Conv, conv: c, binding: b.binding(g, c), out: g.out, scale: scale}, nil
}

// scale returns the real value of one step of an output.
func (b *builder) scale(name string) (float32, error) {
	scale, err := b.params.outputScale(name)
	if err != nil {
		return 0, err
	}
	if v := float64(scale); math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 {
		return 0, fmt.Errorf("%s: the output scale is %v, expected a positive number", name, scale)
	}
	return scale, nil
}

// residual returns the multiplier of what a block adds.
func (b *builder) residual(block string) (float32, error) {
	m, err := b.params.residual(block)
	if err != nil {
		return 0, err
	}
	return m, checkResidual(block, m)
}

// binding binds a convolution, or returns the binding of a layer before it where the geometry is the same.
func (b *builder) binding(g geometry, c *i8.Conv) *i8.Binding {
	p, ok := b.bindings[g]
	switch {
	case ok:
	case g.image:
		p = c.BindImage(b.model.image, g.out)
	default:
		p = c.Bind(g.in, g.out)
	}
	b.bindings[g] = p
	return p
}

// head checks and packs the averages and, where there is one, the classifier.
func (b *builder) head(s topology.Step) (err error) {
	in := mapOf(b.model.program.Maps[s.In])
	pixels := in.H * in.W
	if b.model.scale, err = b.averagedScale(s.In); err != nil {
		return err
	}
	var p ConvParams
	if s.Op == topology.Classify {
		if p, err = b.params.classifier(); err != nil {
			return err
		}
		if err := p.check(s.Name, s.Conv.Out, s.Conv.In, PooledMax(pixels), 0); err != nil {
			return err
		}
	}
	pool, _ := PoolMultiplier(pixels)
	b.model.head = i8.NewHead(b.model.kernels, in, pool, p.Weight, p.Bias, p.Multiplier)
	return nil
}

// Config returns what the network is.
func (m *Model) Config() Config { return m.config }

// Preprocess returns how images become input.
func (m *Model) Preprocess() Preprocess { return m.preprocess }

// Labels returns the names of the classes; nil if the model has no names. The caller must not change it.
func (m *Model) Labels() []string { return m.labels }

// Label returns the name of a class: its label, or "class N" where the model has no names.
func (m *Model) Label(class int) string {
	if class >= 0 && class < len(m.labels) {
		return m.labels[class]
	}
	return fmt.Sprintf("class %d", class)
}

// Calibration returns notes on how the numbers were found. The caller must not change it.
func (m *Model) Calibration() map[string]string { return m.calibration }

// Kernels returns the name of the kernel set in use.
func (m *Model) Kernels() string { return m.kernels.Name }

// Warning is not empty if a better kernel set was passed over because it failed its known-answer check.
func (m *Model) Warning() string { return m.warning }

// layers lists every convolution in the order in which they run.
func (m *Model) layers() []*layer {
	var ls []*layer
	for _, op := range m.steps {
		if op.layer != nil {
			ls = append(ls, op.layer)
		}
	}
	return ls
}
