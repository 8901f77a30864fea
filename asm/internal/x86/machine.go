package x86

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"unsafe"
)

// vectorBytes is the size of a vector register.
const vectorBytes = 64

// Machine is the state of the CPU. What a function finds in registers that its caller does not set is
// arbitrary.
type Machine struct {
	general [17]uint64 // fs is the last
	vector  [32][vectorBytes]byte
	flags   flags
	memory  Memory
	pc      uint64
	stack   span
}

// flags are those that conditions look at.
type flags struct {
	known                       bool // false where the manual leaves them undefined
	zero, sign, carry, overflow bool
}

// stackBytes is more than any kernel's frame; maxSteps more instructions than any test executes.
const (
	stackBytes = 8 << 10
	maxSteps   = 100_000_000
)

// returnAddress is where the outermost function returns to. No code lies there.
const returnAddress = 0xdead0000dead

// Call executes a function that follows Go's calling convention for assembly and takes one pointer. m names
// every byte that it may touch but for its stack and the constants that its code refers to. seed chooses the
// contents of registers at the start.
func Call(c *Code, arg unsafe.Pointer, m Memory, seed uint64) error {
	rnd := rand.New(rand.NewPCG(seed, 2))
	machine := &Machine{memory: Memory{append([]span(nil), m.spans...)}, pc: c.start}
	for i := range machine.general {
		machine.general[i] = rnd.Uint64()
	}
	for i := range machine.vector {
		for j := range machine.vector[i] {
			machine.vector[i][j] = byte(rnd.Uint32())
		}
	}
	for _, s := range c.constants {
		machine.memory.add(s)
	}
	machine.enter(arg)
	frame := machine.general[rbp]
	if err := machine.run(c); err != nil {
		return err
	}
	if got, want := machine.general[rsp], machine.stack.end()-8; got != want {
		return fmt.Errorf("x86: the function returns with a stack that is off by %d", int64(got-want))
	}
	if machine.general[rbp] != frame {
		return fmt.Errorf("x86: the function returns with another frame pointer")
	}
	return machine.clean()
}

// enter makes the stack of a call, and what functions with a large frame look at: the thread's pointer to its
// goroutine and that one's first words, which tell the bound of its stack, here 0.
func (m *Machine) enter(arg unsafe.Pointer) {
	stack := make([]byte, stackBytes)
	m.stack = span{uint64(uintptr(unsafe.Pointer(&stack[0]))), stack, true}
	binary.LittleEndian.PutUint64(stack[stackBytes-8:], uint64(uintptr(arg)))
	binary.LittleEndian.PutUint64(stack[stackBytes-16:], returnAddress)
	m.general[rsp] = m.stack.end() - 16
	thread := make([]byte, 64)
	at := uint64(uintptr(unsafe.Pointer(&thread[0])))
	m.memory.Name(unsafe.Pointer(&thread[0]), len(thread), false)
	binary.LittleEndian.PutUint64(thread, at+8)
	m.general[fs] = at + 8
}

func (m *Machine) run(c *Code) error {
	for range maxSteps {
		i, ok := c.at[m.pc]
		if !ok {
			if m.pc == returnAddress {
				return nil
			}
			return fmt.Errorf("x86: jump to %#x, which is outside the function", m.pc)
		}
		in := c.instrs[i]
		m.pc = in.next
		if err := in.run(m, in); err != nil {
			return fmt.Errorf("x86: instruction %d, %s: %w", i, in.text, err)
		}
	}
	return fmt.Errorf("x86: no return after %d instructions", maxSteps)
}

// clean tells whether the upper halves of the registers that older code shares are zero, as VZEROUPPER leaves
// them: if not, some CPUs run that code slowly.
func (m *Machine) clean() error {
	for i, r := range m.vector[:16] {
		for _, b := range r[16:] {
			if b != 0 {
				return fmt.Errorf("x86: the function returns with the upper half of ymm%d in use", i)
			}
		}
	}
	return nil
}

// at gives the n bytes at an address. The stack below rsp belongs to nobody.
func (m *Machine) at(addr uint64, n int, write bool) ([]byte, error) {
	if addr >= m.stack.addr && addr < m.stack.end() {
		if addr < m.general[rsp] || addr+uint64(n) > m.stack.end() {
			return nil, fmt.Errorf("touches %d bytes of the stack at rsp%+d", n, int64(addr-m.general[rsp]))
		}
		from := addr - m.stack.addr
		return m.stack.bytes[from : from+uint64(n)], nil
	}
	return m.memory.find(addr, n, write)
}

// address of a memory operand.
func (m *Machine) address(in *instr, o operand) uint64 {
	a := uint64(o.imm)
	if o.rip {
		a += in.next
	}
	if o.base >= 0 {
		a += m.general[o.base]
	}
	if o.index >= 0 {
		a += m.general[o.index] * o.scale
	}
	return a
}

// bytes gives the n low bytes of a vector register, or n bytes in memory.
func (m *Machine) bytes(in *instr, o operand, n int) ([]byte, error) {
	switch o.kind {
	case vector:
		if o.size < n {
			return nil, fmt.Errorf("an operand of %d bytes where %d are needed", o.size, n)
		}
		return m.vector[o.reg][:n], nil
	case memory:
		if o.size != n {
			return nil, fmt.Errorf("an operand of %d bytes where %d are needed", o.size, n)
		}
		return m.at(m.address(in, o), n, false)
	}
	return nil, fmt.Errorf("an operand that is neither a vector register nor in memory")
}

// store writes a vector to a register, whose bytes above it become zero, or to memory.
func (m *Machine) store(in *instr, o operand, value []byte) error {
	switch o.kind {
	case vector:
		clear(m.vector[o.reg][copy(m.vector[o.reg][:], value):])
		return nil
	case memory:
		if o.size != len(value) {
			return fmt.Errorf("an operand of %d bytes where %d are stored", o.size, len(value))
		}
		to, err := m.at(m.address(in, o), len(value), true)
		copy(to, value)
		return err
	}
	return fmt.Errorf("a destination that is neither a vector register nor in memory")
}

// read gives a number: a register's, the code's, or memory's.
func (m *Machine) read(in *instr, o operand) (uint64, error) {
	switch o.kind {
	case general:
		if o.size == 4 {
			return uint64(uint32(m.general[o.reg])), nil
		}
		return m.general[o.reg], nil
	case immediate:
		return uint64(o.imm), nil
	case memory:
		b, err := m.at(m.address(in, o), o.size, false)
		if err != nil {
			return 0, err
		}
		var word [8]byte
		copy(word[:], b)
		return binary.LittleEndian.Uint64(word[:]), nil
	}
	return 0, fmt.Errorf("a vector register where a number is needed")
}

// write stores a number. In a register 32 bits become 64 by zeros.
func (m *Machine) write(in *instr, o operand, v uint64) error {
	switch o.kind {
	case general:
		if o.size == 4 {
			v = uint64(uint32(v))
		}
		m.general[o.reg] = v
		return nil
	case memory:
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], v)
		to, err := m.at(m.address(in, o), o.size, true)
		copy(to, word[:])
		return err
	}
	return fmt.Errorf("a destination that is neither a general register nor in memory")
}
