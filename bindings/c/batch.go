package main

import (
	"errors"
	"fmt"
)

// batch is a session's memory for several pictures at once, kept from call to call.
type batch struct {
	picture picture   // the one being prepared
	inputs  [][]byte  // of a group of pictures
	numbers []float32 // the answers, which the program gets when all are there
	asked   bool      // for room for the session's own
}

// groupPictures is how many pictures a thread has in a group: those are prepared, and then worked on together.
const groupPictures = 4

// runBatch writes the answers for n pictures. All memory of the program's is read and written by the calling thread,
// where a wrong pointer gives a status: its pixels are copied before other threads begin, and nothing is written before
// all is known. at gives picture i.
func (s *session) runBatch(a *answer, n int, at func(i int, p *picture), out []float32) error {
	group := min(n, groupPictures*s.infer.Threads())
	if err := s.grow(group, len(out)); err != nil {
		return err
	}
	each := len(out) / n
	numbers := s.batch.numbers[:len(out)]
	for first := 0; first < n; first += group {
		inputs := s.batch.inputs[:min(group, n-first)]
		for i := range inputs {
			at(first+i, &s.batch.picture)
			rgb, err := s.prepared(&s.batch.picture)
			if err != nil {
				return inPicture(first+i, err)
			}
			copy(inputs[i], rgb)
		}
		if err := a.batch(s.infer, inputs, numbers[first*each:(first+len(inputs))*each]); err != nil {
			return err
		}
	}
	copy(out, numbers)
	return nil
}

// inPicture says in an error of a known status which picture it is about.
func inPicture(i int, err error) error {
	if known := (*failure)(nil); errors.As(err, &known) {
		return &failure{known.status, fmt.Sprintf("picture %d of the batch: %s", i, known.text)}
	}
	return err
}

// grow makes room for a group of pictures and so many answers.
func (s *session) grow(group, numbers int) error {
	b := &s.batch
	if threads := s.infer.Threads(); !b.asked && group > 1 && threads > 1 {
		if err := room(int64(s.of.net.SessionBytes()) * int64(threads-1)); err != nil {
			return err
		}
		b.asked = true
	}
	cfg := s.of.net.Config()
	input := cfg.Height * cfg.Width * 3
	if more := group - len(b.inputs); more > 0 {
		if err := room(int64(more) * int64(input)); err != nil {
			return err
		}
		memory := make([]byte, more*input)
		for i := range more {
			b.inputs = append(b.inputs, memory[i*input:(i+1)*input:(i+1)*input])
		}
	}
	if numbers > len(b.numbers) {
		if err := room(4 * int64(numbers)); err != nil {
			return err
		}
		b.numbers = make([]float32, numbers)
	}
	return nil
}
