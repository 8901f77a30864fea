package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/libresnext/libresnext/resnext"
)

const ourName = "libresnext"

// worker is this library's side of a comparison.
type worker struct {
	model   *resnext.Model
	session *resnext.Session
	inputs  string // the file of images
	first   []byte
}

// serve answers requests until in ends.
func serve(in io.Reader, out io.Writer) error {
	requests, replies := json.NewDecoder(in), json.NewEncoder(out)
	var w worker
	r := reply{Name: ourName, Version: resnext.Version}
	for {
		if err := replies.Encode(r); err != nil {
			return err
		}
		var q request
		if err := requests.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var err error
		if r, err = w.answer(q); err != nil {
			r = reply{Error: err.Error()}
		}
	}
}

func (w *worker) answer(q request) (reply, error) {
	if q.Do == "load" {
		return w.load(q)
	}
	if w.session == nil {
		return reply{}, errors.New("nothing is loaded")
	}
	switch q.Do {
	case "time":
		return w.time(q.Runs)
	case "logits":
		return reply{}, w.logits(q.Out)
	case "profile":
		return w.profile(q.Runs)
	}
	return reply{}, fmt.Errorf("unknown request %q", q.Do)
}

func (w *worker) load(q request) (reply, error) {
	begin := time.Now()
	model, err := resnext.Open(q.Model)
	if err != nil {
		return reply{}, err
	}
	session, err := model.NewSession(resnext.SessionOptions{Threads: q.Threads})
	if err != nil {
		return reply{}, err
	}
	took := time.Since(begin)
	if session.Threads() != q.Threads {
		session.Close()
		return reply{}, fmt.Errorf("%d threads asked for, only %d can be used here", q.Threads, session.Threads())
	}
	w.model, w.session, w.inputs = model, session, q.Inputs
	w.first, err = w.readFirst()
	return reply{NS: []int64{took.Nanoseconds()}}, err
}

// readFirst reads one image, so that no more than that adds to the memory that is measured.
func (w *worker) readFirst() ([]byte, error) {
	f, err := os.Open(w.inputs)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rgb := make([]byte, w.imageSize())
	_, err = io.ReadFull(f, rgb)
	return rgb, err
}

func (w *worker) imageSize() int {
	cfg := w.model.Config()
	return cfg.Height * cfg.Width * 3
}

func (w *worker) time(runs int) (reply, error) {
	r := reply{NS: make([]int64, runs)}
	for i := range r.NS {
		begin := time.Now()
		if _, err := w.session.Infer(w.first); err != nil {
			return reply{}, err
		}
		r.NS[i] = time.Since(begin).Nanoseconds()
	}
	return r, nil
}

func (w *worker) logits(path string) (err error) {
	images, err := os.ReadFile(w.inputs)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := bufio.NewWriter(f)
	for rgb := range slices.Chunk(images, w.imageSize()) {
		logits, err := w.session.Infer(rgb)
		if err != nil {
			return err
		}
		if err := binary.Write(b, binary.LittleEndian, logits); err != nil {
			return err
		}
	}
	return b.Flush()
}

func (w *worker) profile(runs int) (reply, error) {
	times := map[string][]float64{}
	w.session.Timed = func(name string, took time.Duration) {
		times[name] = append(times[name], float64(took.Nanoseconds()))
	}
	defer func() { w.session.Timed = nil }()
	if _, err := w.time(runs); err != nil {
		return reply{}, err
	}
	r := reply{Layers: map[string]float64{}}
	for name, t := range times {
		r.Layers[name] = median(t)
	}
	return r, nil
}
