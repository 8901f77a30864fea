package main

import (
	"math/bits"
	"sync"
)

// handle is what C holds as a pointer to a model or session: a number that is looked up, never followed. No two are
// ever equal, and none is an address that a program could have: a pointer that is not this library's is not found.
type handle uintptr

// handleBase makes handles that 64-bit CPUs do not take for addresses, so that a program that follows one stops there.
const handleBase = handle(0x4e58) << (bits.UintSize - 16)

// handleStep keeps the last two bits of a handle: 1 for models, 3 for sessions, so that what was closed is still known. All are
// odd: on CPUs with 32 bits no object of C begins at one.
const (
	handleStep  = 4
	modelBits   = 1
	sessionBits = 3
)

// table finds the objects that C holds handles of.
type table struct {
	mu      sync.RWMutex
	objects map[handle]any     // *model or *session
	last    [handleStep]handle // by the last two bits: the last handle that was given out, from handleBase and without them
}

// add enters an object.
func (t *table) add(object any) handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.objects == nil {
		t.objects = map[handle]any{}
	}
	bits := bitsOf(object)
	t.last[bits] += handleStep
	h := handleBase + t.last[bits] + bits
	t.objects[h] = object
	return h
}

// find looks h up and calls use with the object, which no other thread closes meanwhile. use must be short.
func find[T any](t *table, h handle, use func(T) error) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	object, err := lookUp[T](t, h)
	if err != nil {
		return err
	}
	return use(object)
}

// remove takes h out of the table if leave agrees.
func remove[T any](t *table, h handle, leave func(T) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	object, err := lookUp[T](t, h)
	if err != nil {
		return err
	}
	if err := leave(object); err != nil {
		return err
	}
	delete(t.objects, h)
	return nil
}

func lookUp[T any](t *table, h handle) (T, error) {
	object, known := t.objects[h]
	wanted, right := object.(T)
	bits := h % handleStep
	switch {
	case right:
		return wanted, nil
	case known:
		return wanted, fail(statusHandle, "the handle is a %s, expected a %s", kind(bits), kind(bitsOf(any(wanted))))
	case h >= handleBase+handleStep && h-bits-handleBase <= t.last[bits]:
		return wanted, fail(statusHandle, "the %s was closed before", kind(bits))
	}
	return wanted, fail(statusHandle, "the pointer is no %s of this library", kind(bitsOf(any(wanted))))
}

func bitsOf(object any) handle {
	if _, is := object.(*model); is {
		return modelBits
	}
	return sessionBits
}

// kind names what the handles with these bits are.
func kind(bits handle) string {
	if bits == modelBits {
		return "model"
	}
	return "session"
}
