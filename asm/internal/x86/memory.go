package x86

import (
	"cmp"
	"fmt"
	"slices"
	"unsafe"
)

// Memory is what a function may touch. The bytes of the test's own buffers are used in place, at their own
// addresses, and so must not move: no variables on a stack.
type Memory struct {
	spans []span // by address
}

// span is a run of bytes.
type span struct {
	addr     uint64
	bytes    []byte
	writable bool
}

func (s *span) end() uint64 { return s.addr + uint64(len(s.bytes)) }

// Name allows the n bytes from p on to be read and, if writable, written. Spans may overlap: bytes that two
// spans name are in both.
func (m *Memory) Name(p unsafe.Pointer, n int, writable bool) {
	m.add(span{uint64(uintptr(p)), unsafe.Slice((*byte)(p), n), writable})
}

func (m *Memory) add(s span) {
	i, _ := slices.BinarySearchFunc(m.spans, s, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.addr, b.addr), cmp.Compare(len(a.bytes), len(b.bytes)))
	})
	m.spans = slices.Insert(m.spans, i, s)
}

// find gives the n bytes at addr.
func (m *Memory) find(addr uint64, n int, write bool) ([]byte, error) {
	// Behind the last span that begins at or before addr there is none that could hold it.
	i, _ := slices.BinarySearchFunc(m.spans, addr, func(s span, addr uint64) int {
		if s.addr <= addr {
			return -1
		}
		return 1
	})
	for i--; i >= 0; i-- {
		s := &m.spans[i]
		if addr+uint64(n) <= s.end() && (s.writable || !write) {
			at := addr - s.addr
			return s.bytes[at : at+uint64(n)], nil
		}
	}
	verb := "reads"
	if write {
		verb = "writes"
	}
	return nil, fmt.Errorf("%s %d bytes at %#x%s", verb, n, addr, m.near(addr))
}

// near says where an address lies, for an error.
func (m *Memory) near(addr uint64) string {
	for i := range m.spans {
		s := &m.spans[i]
		if addr+64 >= s.addr && addr < s.end()+64 {
			return fmt.Sprintf(", %d bytes behind the start of %d that may be touched (to write: %v)",
				int64(addr-s.addr), len(s.bytes), s.writable)
		}
	}
	return ", near nothing that may be touched"
}
