//go:build cgo

package main

// #include "words.h"
import "C"

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/libresnext/libresnext/resnext"
)

//export resnextgo_session_new
func resnextgo_session_new(words *C.resnextgo_words, h C.uintptr_t, threads C.uint32_t, out *C.uintptr_t) C.int {
	return call(words, func() error {
		var of *model
		err := find(&handles, handle(h), func(m *model) error { of = m; m.users.Add(1); return nil })
		if err != nil {
			return err
		}
		s, err := newSession(of, uint32(threads))
		if err != nil {
			of.release()
			return err
		}
		if words.wants_log != 0 {
			setText(chars(&words.info[0], len(words.info)), fmt.Sprintf("made a session: %d threads, %d bytes for activations",
				s.infer.Threads(), s.infer.ArenaBytes()))
		}
		*out = C.uintptr_t(handles.add(s))
		return nil
	})
}

//export resnextgo_session_threads
func resnextgo_session_threads(words *C.resnextgo_words, h C.uintptr_t, threads *C.uint32_t) C.int {
	return call(words, func() error {
		return find(&handles, handle(h), func(s *session) error { *threads = C.uint32_t(s.infer.Threads()); return nil })
	})
}

//export resnextgo_session_close
func resnextgo_session_close(words *C.resnextgo_words, h C.uintptr_t) C.int {
	return call(words, func() error {
		var closed *session
		if err := remove(&handles, handle(h), func(s *session) error { closed = s; return s.take() }); err != nil {
			return err
		}
		closed.infer.Close()
		closed.of.release()
		return nil
	})
}

// withSession calls use with a session that belongs to this thread meanwhile.
func withSession(words *C.resnextgo_words, h C.uintptr_t, use func(*session) error) C.int {
	return call(words, func() error {
		var taken *session
		if err := find(&handles, handle(h), func(s *session) error { taken = s; return s.take() }); err != nil {
			return err
		}
		defer taken.give()
		return use(taken)
	})
}

//export resnextgo_infer
func resnextgo_infer(words *C.resnextgo_words, h C.uintptr_t, number C.int, image *C.resnext_image, into *C.float, count C.size_t) C.int {
	return withSession(words, h, func(s *session) error {
		return s.answer(&answers[number], into, count, func() ([]byte, error) { return s.prepared(pictureOf(image)) })
	})
}

//export resnextgo_infer_input
func resnextgo_infer_input(
	words *C.resnextgo_words, h C.uintptr_t, number C.int, rgb unsafe.Pointer, length C.size_t, into *C.float, count C.size_t,
) C.int {
	return withSession(words, h, func(s *session) error {
		return s.answer(&answers[number], into, count, func() ([]byte, error) { return s.exact(bytesAt(rgb, length)) })
	})
}

// answer writes what the network gives for an input.
func (s *session) answer(a *answer, into *C.float, count C.size_t, input func() ([]byte, error)) error {
	if err := s.checkCount(a, 1, uint64(count)); err != nil {
		return err
	}
	out, err := floatsAt(into, count)
	if err != nil {
		return err
	}
	rgb, err := input()
	if err != nil {
		return err
	}
	numbers, err := a.infer(s.infer, rgb)
	copy(out, numbers)
	return err
}

//export resnextgo_check_batch
func resnextgo_check_batch(words *C.resnextgo_words, h C.uintptr_t, number C.int, n, count C.size_t) C.int {
	return call(words, func() error {
		return find(&handles, handle(h), func(s *session) error { return s.checkCount(&answers[number], uint64(n), uint64(count)) })
	})
}

//export resnextgo_infer_batch
func resnextgo_infer_batch(
	words *C.resnextgo_words, h C.uintptr_t, number C.int, images unsafe.Pointer, n C.size_t, into *C.float, count C.size_t,
) C.int {
	return withSession(words, h, func(s *session) error {
		a := &answers[number]
		if err := s.checkCount(a, uint64(n), uint64(count)); err != nil {
			return err
		}
		out, err := floatsAt(into, count)
		if err != nil {
			return err
		}
		return s.runBatch(a, int(n), func(i int, p *picture) { *p = *pictureOf(imageAt(images, i)) }, out)
	})
}

// imageAt copies a struct of the program's out of an array of them. C has checked all, and that their size is the same.
func imageAt(images unsafe.Pointer, i int) *C.resnext_image {
	var ours C.resnext_image
	size := (*C.resnext_image)(images).size
	theirs := unsafe.Add(images, i*int(size))
	known := min(uintptr(size), unsafe.Sizeof(ours))
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&ours)), known), unsafe.Slice((*byte)(theirs), known))
	return &ours
}

func pictureOf(c *C.resnext_image) *picture {
	return &picture{
		format: int32(c.format), width: uint32(c.width), height: uint32(c.height),
		pixels: c.pixels, stride: uintptr(c.stride), chroma: c.chroma, chromaStride: uintptr(c.chroma_stride),
	}
}

//export resnextgo_classify
func resnextgo_classify(words *C.resnextgo_words, h C.uintptr_t, image *C.resnext_image, best *C.resnext_prediction, top *C.size_t) C.int {
	return withSession(words, h, func(s *session) error {
		if err := checkTop(*top); err != nil {
			return err
		}
		if err := s.checkClasses(); err != nil {
			return err
		}
		rgb, err := s.prepared(pictureOf(image))
		if err != nil {
			return err
		}
		logits, err := s.infer.Infer(rgb)
		if err == nil {
			rank(best, top, logits, s.of.net.Rank)
		}
		return err
	})
}

//export resnextgo_softmax
func resnextgo_softmax(words *C.resnextgo_words, logits *C.float, count C.size_t, probabilities *C.float) C.int {
	return call(words, func() error { return turn(logits, count, probabilities, resnext.Softmax) })
}

//export resnextgo_sigmoid
func resnextgo_sigmoid(words *C.resnextgo_words, logits *C.float, count C.size_t, probabilities *C.float) C.int {
	return call(words, func() error { return turn(logits, count, probabilities, resnext.Sigmoid) })
}

// turn makes probabilities of logits.
func turn(logits *C.float, count C.size_t, probabilities *C.float, by func(probabilities, logits []float32)) error {
	from, err := floatsAt(logits, count)
	if err != nil {
		return err
	}
	if err := checkFinite(from); err != nil {
		return err
	}
	by(unsafe.Slice((*float32)(unsafe.Pointer(probabilities)), len(from)), from)
	return nil
}

//export resnextgo_top
func resnextgo_top(words *C.resnextgo_words, logits *C.float, count C.size_t, best *C.resnext_prediction, top *C.size_t) C.int {
	return call(words, func() error {
		from, err := floatsAt(logits, count)
		if err != nil {
			return err
		}
		if err := checkFinite(from); err != nil {
			return err
		}
		if err := checkTop(*top); err != nil {
			return err
		}
		rank(best, top, from, resnext.Rank)
		return nil
	})
}

func checkTop(top C.size_t) error {
	if top < 1 {
		return fail(statusInvalid, "*top is 0, expected 1 or more")
	}
	return nil
}

// rank writes the best predictions and how many they are.
func rank(best *C.resnext_prediction, top *C.size_t, logits []float32, by func([]resnext.Ranked, []float32) []resnext.Ranked) {
	most := int(min(uint64(*top), uint64(len(logits)), math.MaxInt32))
	*top = C.size_t(len(by(unsafe.Slice((*resnext.Ranked)(unsafe.Pointer(best)), most), logits)))
}
