package resnext

import (
	"fmt"
	"io"
	"math"

	"github.com/libresnext/libresnext/asm"
	i8 "github.com/libresnext/libresnext/int8"
)

// Version is the release of this library and its tools.
const Version = "0.1.0"

// Options tell how a model is made ready. The zero value is right for most.
type Options struct {
	// Kernels names the kernel set: "generic", "avx2", "neon", ... "" or "auto" takes the environment's
	// RESNEXT_KERNELS or, without it, the best set of this CPU. All give the same bytes.
	Kernels string
	// MemoryLimit bounds what one session's activations, and the tables that all share, may take in bytes; a network
	// that needs more gives an error that wraps ErrMemoryLimit, and nothing is allocated. 0 means what
	// the environment's RESNEXT_MEMORY_LIMIT gives in MiB, or without it DefaultMemoryLimit.
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

	image    i8.Image
	stem     layer
	stemPool *i8.MaxPool // nil where the network does not pool
	pooled   i8.Map      // the map that enters the first block
	blocks   []block
	head     *i8.Head
}

// layer is a packed convolution in its place.
type layer struct {
	shape ConvShape
	conv  *i8.Conv
	place *i8.Place
	out   i8.Map
	scale float32 // the real value of one output step
}

type block struct {
	reduce, transform, expand layer
	shortcut                  *layer
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

// OpenReaderAt is OpenWith for a model file of size bytes that r gives, such as one in memory. name stands for it in
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
	m := &Model{config: f.config, preprocess: f.preprocess, labels: f.labels, calibration: f.calibration}
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
	m := &Model{config: q.Config, preprocess: q.Preprocess, labels: q.Labels, calibration: q.Calibration}
	if err := m.build(memory{q}, o); err != nil {
		return nil, err
	}
	return m, nil
}

// numbers gives a network's numbers, one layer at a time.
type numbers interface {
	conv(name string) (ConvParams, error)
	outputScale(name string) (float32, error)
	residual(block string) (float32, error)
	classifier() (ConvParams, error)
}

// memory gives the numbers of a network in memory.
type memory struct{ q *Quantised }

func (m memory) conv(name string) (ConvParams, error)     { return m.q.Convs[name], nil }
func (m memory) outputScale(name string) (float32, error) { return m.q.Scale[name], nil }
func (m memory) residual(block string) (float32, error)   { return m.q.Residual[block], nil }
func (m memory) classifier() (ConvParams, error)          { return m.q.Classifier, nil }

// build packs every layer and fixes its place.
func (m *Model) build(n numbers, o Options) error {
	err := m.config.checkMemory(o.MemoryLimit)
	if err != nil {
		return err
	}
	if m.kernels, m.warning, err = asm.Select(o.Kernels); err != nil {
		return err
	}
	b := builder{model: m, numbers: n, places: map[geometry]*i8.Place{}}
	b.stem()
	for _, shape := range m.config.Blocks() {
		b.block(shape)
	}
	b.head()
	if b.err != nil {
		return fmt.Errorf("%w: %w", ErrModelFile, b.err)
	}
	return nil
}

// builder carries the places so far, the map that the last layer writes, and the first error.
type builder struct {
	model   *Model
	numbers numbers
	places  map[geometry]*i8.Place
	last    i8.Map
	err     error
}

func (b *builder) stem() {
	m := b.model
	m.image = m.config.image()
	m.stem = b.layer(m.config.StemShape(), asm.ReLU, 0)
	b.last = m.stem.out
	if m.config.Stem.MaxPool {
		m.pooled = m.config.pooledMap()
		m.stemPool = i8.NewMaxPool(m.kernels, m.stem.out, m.pooled)
		b.last = m.pooled
	}
}

func (b *builder) block(shape BlockShape) {
	residual, err := b.numbers.residual(shape.Name)
	b.fail(err)
	b.fail(checkResidual(shape.Name, residual))

	var blk block
	mode := asm.AddUnsigned
	if shape.Shortcut != nil {
		mode = asm.AddSigned
		l := b.layer(*shape.Shortcut, asm.Signed, 0)
		blk.shortcut = &l
	}
	blk.reduce = b.layer(shape.Reduce, asm.ReLU, 0)
	blk.transform = b.layer(shape.Transform, asm.ReLU, 0)
	blk.expand = b.layer(shape.Expand, mode, residual)
	b.model.blocks = append(b.model.blocks, blk)
	b.last = blk.expand.out
}

// layer checks and packs one convolution.
func (b *builder) layer(shape ConvShape, mode asm.Mode, residual float32) layer {
	if b.err != nil {
		return layer{}
	}
	p, err := b.numbers.conv(shape.Name)
	b.fail(err)
	scale, err := b.numbers.outputScale(shape.Name)
	b.fail(err)
	if v := float64(scale); math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 {
		b.fail(fmt.Errorf("%s: the output scale is %v, expected a positive number", shape.Name, scale))
	}
	b.fail(shape.check(p, residual))
	if b.err != nil {
		return layer{}
	}
	spec := shape.spec()
	spec.Weight, spec.Bias, spec.Multiplier = p.Weight, p.Bias, p.Multiplier
	spec.Mode, spec.Residual = mode, residual
	c := i8.NewConv(b.model.kernels, spec)
	return layer{shape: shape, conv: c, place: b.place(shape, c), out: shape.outMap(), scale: scale}
}

// place returns the offsets of a convolution, those of a layer before it where the geometry is the same.
func (b *builder) place(shape ConvShape, c *i8.Conv) *i8.Place {
	g := shape.geometry()
	p, ok := b.places[g]
	switch {
	case ok:
	case g.stem:
		p = c.PlaceStem(b.model.image, g.out)
	default:
		p = c.Place(g.in, g.out)
	}
	b.places[g] = p
	return p
}

func (b *builder) head() {
	if b.err != nil {
		return
	}
	p, err := b.numbers.classifier()
	b.fail(err)
	cfg, pixels := b.model.config, b.last.H*b.last.W
	b.fail(p.check(ClassifierName, cfg.Classes, cfg.Features(), PooledMax(pixels), 0))
	if b.err != nil {
		return
	}
	pool, _ := PoolMultiplier(pixels)
	b.model.head = i8.NewHead(b.model.kernels, b.last, pool, p.Weight, p.Bias, p.Multiplier)
}

func (b *builder) fail(err error) {
	if b.err == nil && err != nil {
		b.err = err
	}
}

// Config describes the network.
func (m *Model) Config() Config { return m.config }

// Preprocess says how pictures become input.
func (m *Model) Preprocess() Preprocess { return m.preprocess }

// Labels names the classes; nil if the model has no names. The caller must not change it.
func (m *Model) Labels() []string { return m.labels }

// Label names a class: its label, or "class N" where the model has no names.
func (m *Model) Label(class int) string {
	if class >= 0 && class < len(m.labels) {
		return m.labels[class]
	}
	return fmt.Sprintf("class %d", class)
}

// Calibration tells how the numbers were found. The caller must not change it.
func (m *Model) Calibration() map[string]string { return m.calibration }

// Kernels is the name of the kernel set in use.
func (m *Model) Kernels() string { return m.kernels.Name }

// Warning is not empty if a better kernel set was passed over because it failed its known-answer check.
func (m *Model) Warning() string { return m.warning }

// layers lists every convolution in the order in which they run.
func (m *Model) layers() []*layer {
	ls := []*layer{&m.stem}
	for i := range m.blocks {
		b := &m.blocks[i]
		if b.shortcut != nil {
			ls = append(ls, b.shortcut)
		}
		ls = append(ls, &b.reduce, &b.transform, &b.expand)
	}
	return ls
}
