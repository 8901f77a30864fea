// Command golden writes what the C tests compare with: a tiny int8 network and, for pictures of every format, the logits
// that the Go library gives for them.
//
//	go run ./bindings/c/test/golden FOLDER
//
// FOLDER/tiny.safetensors is the network. Each line of FOLDER/cases.txt describes the picture in FOLDER/N.pixels by
//
//	N format width height stride chroma-offset chroma-stride
//
// with 0 where resnext.h's struct would have 0 or a null pointer; FOLDER/N.logits are its logits and FOLDER/N.features its
// features. FOLDER/input is one picture of exactly the input's size, with FOLDER/input.logits and FOLDER/input.features.
// FOLDER/labels.safetensors and FOLDER/bare.safetensors are the network as multi-label and without its classifier.
package main

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/libresnext/libresnext/bindings/c/internal/tinynet"
	"github.com/libresnext/libresnext/internal/pixel"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: golden FOLDER")
	}
	if err := write(os.Args[1]); err != nil {
		log.Fatal("golden: ", err)
	}
}

func write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	q := tinynet.New()
	if _, err := q.WriteFile(filepath.Join(folder, "tiny.safetensors")); err != nil {
		return err
	}
	for name, head := range map[string]topology.Head{"labels": resnext.MultiLabel, "bare": resnext.Embedding} {
		if _, err := tinynet.WithHead(head).WriteFile(filepath.Join(folder, name+".safetensors")); err != nil {
			return err
		}
	}
	r, err := newRunner(q, folder)
	if err != nil {
		return err
	}
	defer r.session.Close()
	var list strings.Builder
	for i, c := range cases() {
		rgb, err := c.rgb()
		if err != nil {
			return err
		}
		if err := r.picture(fmt.Sprint(i), c.memory, rgb); err != nil {
			return err
		}
		fmt.Fprintln(&list, i, int(c.format), c.w, c.h, c.stride, c.chroma, c.chromaStride)
	}
	if err := r.input(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "cases.txt"), []byte(list.String()), 0o644)
}

// runner runs pictures through the Go library and stores them with their logits and features.
type runner struct {
	folder  string
	config  resnext.Config
	session *resnext.Session
	prepare *resnext.Preparer
}

func newRunner(q *resnext.Quantised, folder string) (*runner, error) {
	m, err := resnext.New(q, resnext.Options{Kernels: "generic"})
	if err != nil {
		return nil, err
	}
	s, err := m.NewSession(resnext.SessionOptions{Threads: 1})
	if err != nil {
		return nil, err
	}
	p, err := resnext.NewPreparer(q.Config, q.Preprocess)
	return &runner{folder, q.Config, s, p}, err
}

func (r *runner) picture(name string, memory []byte, img image.Image) error {
	input, err := r.prepare.Prepare(img)
	if err != nil {
		return err
	}
	return r.store(name, name+".pixels", memory, input)
}

func (r *runner) input() error {
	rgb := noise(r.config.Width*r.config.Height*3, 99)
	return r.store("input", "input", rgb, rgb)
}

func (r *runner) store(name, file string, memory, input []byte) error {
	logits, err := r.session.Infer(input)
	if err != nil {
		return err
	}
	if err := r.numbers(name+".logits", logits); err != nil {
		return err
	}
	features, err := r.session.Embed(input)
	if err != nil {
		return err
	}
	if err := r.numbers(name+".features", features); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.folder, file), memory, 0o644)
}

func (r *runner) numbers(name string, numbers []float32) error {
	b, err := binary.Append(nil, binary.LittleEndian, numbers)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.folder, name), b, 0o644)
}

// testCase is a picture as C holds it.
type testCase struct {
	format                             pixel.Format
	w, h, stride, chroma, chromaStride int
	memory                             []byte
}

// cases are pictures of every format that C has, large and small, with and without gaps between their rows.
func cases() []testCase {
	var all []testCase
	for f := pixel.RGB; f <= pixel.YUYV; f++ {
		for i, size := range [][2]int{{50, 41}, {32, 32}, {160, 120}, {7, 64}, {1, 1}} {
			w, h := size[0], size[1]
			if f == pixel.YUYV {
				w += w % 2
			}
			for _, gap := range []int{0, 5} {
				all = append(all, newCase(f, w, h, gap, uint64(i)))
			}
		}
	}
	return all
}

func newCase(f pixel.Format, w, h, gap int, seed uint64) testCase {
	c := testCase{format: f, w: w, h: h}
	stride, size := f.RowBytes(0, w), 0
	if gap > 0 {
		stride = (stride+1)/2*2 + gap
		c.stride = stride
	}
	size = stride * h
	if f == pixel.NV12 {
		chromaStride := stride
		switch {
		case gap > 0: // elsewhere, and with a stride of its own
			c.chroma, c.chromaStride = size+11, stride+2
			size, chromaStride = c.chroma, c.chromaStride
		default:
			chromaStride = f.RowBytes(1, w)
		}
		size += chromaStride * f.Rows(1, h)
	}
	c.memory = noise(size, seed)
	return c
}

// rgb is the picture as an image of the standard library.
func (c *testCase) rgb() (image.Image, error) {
	m := pixel.Frame{Format: c.format, W: c.w, H: c.h}
	m.Plane[0], m.Stride[0] = c.memory, max(c.stride, c.format.RowBytes(0, c.w))
	if c.format == pixel.NV12 {
		m.Plane[1], m.Stride[1] = c.memory[m.Stride[0]*c.h:], max(c.chromaStride, c.format.RowBytes(1, c.w))
		if c.chroma != 0 {
			m.Plane[1] = c.memory[c.chroma:]
		}
	}
	rgb := make([]byte, c.w*c.h*3)
	if err := m.Convert(rgb); err != nil {
		return nil, err
	}
	img := image.NewNRGBA(image.Rect(0, 0, c.w, c.h))
	for i := range c.w * c.h {
		img.SetNRGBA(i%c.w, i/c.w, color.NRGBA{rgb[3*i], rgb[3*i+1], rgb[3*i+2], 255})
	}
	return img, nil
}

// noise is a picture's memory: soft in most places, so that resizing matters, with sharp spots.
func noise(n int, seed uint64) []byte {
	rnd := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	level := 128
	for i := range b {
		level = min(max(level+rnd.IntN(41)-20, 0), 255)
		b[i] = byte(level)
	}
	return b
}
