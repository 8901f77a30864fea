//go:build cgo

package main

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra -Wpedantic -fvisibility=hidden
#include "words.h"
*/
import "C"

import (
	"cmp"
	"fmt"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/resnext"
)

// C writes these arrays where Go has its own types for them; the sizes must agree.
var (
	_ [unsafe.Sizeof(C.resnext_prediction{})]byte         = [unsafe.Sizeof(resnext.Ranked{})]byte{}
	_ [unsafe.Offsetof(C.resnext_prediction{}.logit)]byte = [unsafe.Offsetof(resnext.Ranked{}.Logit)]byte{}
	_ [C.RESNEXT_YUYV]byte                                = [lastFormat]byte{}
	_ [C.RESNEXT_EINTERNAL]byte                           = [statusInternal]byte{}
	_ [C.RESNEXT_EMBEDDING]byte                           = [headEmbedding]byte{}
)

// handles are all models and sessions of the process.
var handles table

// call runs f for C.
func call(words *C.resnextgo_words, f func() error) C.int {
	s, text := run(f)
	if s != statusOK {
		setText(chars(&words.error[0], len(words.error)), text)
	}
	return C.int(s)
}

// chars is a C array as bytes.
func chars(first *C.char, n int) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(first)), n) }

// bytesAt is memory of the program's. C has checked that its length is no more than an int.
func bytesAt(p unsafe.Pointer, n C.size_t) []byte { return unsafe.Slice((*byte)(p), int(n)) }

// floatsAt is an array of logits or probabilities.
func floatsAt(p *C.float, count C.size_t) ([]float32, error) {
	if count < 1 || count > maxCount {
		return nil, fail(statusInvalid, "count is %d, expected 1 to %d", uint64(count), maxCount)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(p)), int(count)), nil
}

// resnextgo_await_start returns when Go has started, as every call does. It opens the descriptors by which Go waits for time
// and files, while there are some: a first use when there are none would end the process.
//
//export resnextgo_await_start
func resnextgo_await_start() {
	time.AfterFunc(time.Hour, func() {}).Stop()
	// Telling of refused memory takes some for tables the first time, and Go ends the process where it gets none.
	_, _ = run(func() error { return refused(0, syscall.ENOMEM) })
}

//export resnextgo_cpu_features
func resnextgo_cpu_features(words *C.resnextgo_words, text *C.char, size C.size_t) C.int {
	return call(words, func() error {
		setText(chars(text, int(size)), strings.Join(asm.Features(), " "))
		return nil
	})
}

//export resnextgo_model_open
func resnextgo_model_open(words *C.resnextgo_words, path, kernels *C.char, limit C.uint64_t, out *C.uintptr_t) C.int {
	return open(words, out, func() (*model, error) { return openPath(C.GoString(path), options(kernels, limit)) })
}

//export resnextgo_model_open_memory
func resnextgo_model_open_memory(words *C.resnextgo_words, data unsafe.Pointer, length C.size_t, kernels *C.char, limit C.uint64_t,
	out *C.uintptr_t,
) C.int {
	return open(words, out, func() (*model, error) { return openMemory(bytesAt(data, length), options(kernels, limit)) })
}

//export resnextgo_model_open_fd
func resnextgo_model_open_fd(words *C.resnextgo_words, fd C.int, kernels *C.char, limit C.uint64_t, out *C.uintptr_t) C.int {
	return open(words, out, func() (*model, error) { return openDescriptor(int(fd), options(kernels, limit)) })
}

// options are those of resnext_model_options, whose limit has been checked.
func options(kernels *C.char, limit C.uint64_t) resnext.Options {
	return resnext.Options{Kernels: C.GoString(kernels), MemoryLimit: int64(limit)}
}

func open(words *C.resnextgo_words, out *C.uintptr_t, read func() (*model, error)) C.int {
	return call(words, func() error {
		m, err := read()
		if err != nil {
			return err
		}
		if words.wants_log != 0 {
			cfg := m.net.Config()
			setText(chars(&words.warning[0], len(words.warning)), m.net.Warning())
			setText(chars(&words.info[0], len(words.info)), fmt.Sprintf("opened a model: %s, %dx%d pixels, %d classes, kernels %s",
				cmp.Or(cfg.Name, "a network without a usual name"), cfg.Width, cfg.Height, cfg.Classes, m.net.Kernels()))
		}
		*out = C.uintptr_t(handles.add(m))
		return nil
	})
}

//export resnextgo_model_get_info
func resnextgo_model_get_info(words *C.resnextgo_words, h C.uintptr_t, info *C.resnext_model_info) C.int {
	return call(words, func() error {
		return find(&handles, handle(h), func(m *model) error {
			cfg := m.net.Config()
			info.width, info.height, info.classes = C.uint32_t(cfg.Width), C.uint32_t(cfg.Height), C.uint32_t(cfg.Classes)
			info.layers, info.macs = C.uint32_t(cfg.Layers()), C.uint64_t(cfg.MACs())
			info.session_bytes = C.uint64_t(m.net.SessionBytes())
			info.architecture, info.kernels = (*C.char)(m.words.at(m.name)), (*C.char)(m.words.at(m.kernels))
			return nil
		})
	})
}

//export resnextgo_model_head
func resnextgo_model_head(words *C.resnextgo_words, h C.uintptr_t, head *C.int32_t) C.int {
	return call(words, func() error {
		return find(&handles, handle(h), func(m *model) error { *head = C.int32_t(headOf(m.net.Config())); return nil })
	})
}

//export resnextgo_model_features
func resnextgo_model_features(words *C.resnextgo_words, h C.uintptr_t, features *C.uint32_t) C.int {
	return call(words, func() error {
		return find(&handles, handle(h), func(m *model) error { *features = C.uint32_t(m.net.Features()); return nil })
	})
}

//export resnextgo_model_label
func resnextgo_model_label(words *C.resnextgo_words, h C.uintptr_t, class C.uint32_t, label *unsafe.Pointer) C.int {
	return call(words, func() error {
		return find(&handles, handle(h), func(m *model) error {
			classes := m.net.Config().Classes
			if classes == 0 {
				return fail(statusInvalid, "the model has no classes")
			}
			if uint64(class) >= uint64(classes) {
				return fail(statusInvalid, "class_index is %d, expected 0 to %d", uint32(class), classes-1)
			}
			*label = m.words.at(int(class))
			return nil
		})
	})
}

//export resnextgo_model_close
func resnextgo_model_close(words *C.resnextgo_words, h C.uintptr_t) C.int {
	return call(words, func() error {
		var closed *model
		err := remove(&handles, handle(h), func(m *model) error { closed = m; return nil })
		if err == nil {
			closed.release()
		}
		return err
	})
}
