//go:build unix

// Package guard gives tests memory whose neighbouring bytes do not exist: a read or write one byte
// outside a buffer faults instead of passing unseen.
package guard

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Number is what a buffer can hold.
type Number interface {
	~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~float32
}

// End returns n numbers that end right before an inaccessible page; Start returns n numbers that begin
// right behind one. The memory is freed when the test ends. n must be positive.
func End[T Number](t testing.TB, n int) []T {
	pages := mapPages(t, n*size[T]())
	at := len(pages) - unix.Getpagesize() - n*size[T]()
	return view[T](pages[at:], n)
}

// Start: see End.
func Start[T Number](t testing.TB, n int) []T {
	pages := mapPages(t, n*size[T]())
	return view[T](pages[unix.Getpagesize():], n)
}

// Copy returns src's numbers in guarded memory, behind a fence page if atStart, else before one.
func Copy[T Number](t testing.TB, src []T, atStart bool) []T {
	alloc := End[T]
	if atStart {
		alloc = Start[T]
	}
	b := alloc(t, len(src))
	copy(b, src)
	return b
}

func size[T Number]() int {
	var x T
	return int(unsafe.Sizeof(x))
}

func view[T Number](b []byte, n int) []T {
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

// mapPages maps pages for n bytes with an inaccessible page before and behind.
func mapPages(t testing.TB, n int) []byte {
	t.Helper()
	page := unix.Getpagesize()
	inner := (n + page - 1) / page * page
	b, err := unix.Mmap(-1, 0, inner+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatalf("guard: mmap of %d bytes: %v", inner+2*page, err)
	}
	t.Cleanup(func() { _ = unix.Munmap(b) })
	for _, fence := range [][]byte{b[:page], b[page+inner:]} {
		if err := unix.Mprotect(fence, unix.PROT_NONE); err != nil {
			t.Fatalf("guard: mprotect: %v", err)
		}
	}
	return b
}
