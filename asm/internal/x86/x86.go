// Package x86 is a model of the part of x86-64 that the kernels use, for tests of kernels that the CPU at hand
// cannot execute. Load reads the machine code of an assembly function from the running test, LLVM decodes
// it, and Machine executes it instruction by instruction as Intel's Software Developer's Manual, volume 2,
// describes them: general registers and flags, 32 vector registers of 512 bits, and a memory of which each
// byte that may be read or written has been named.
//
// The model is strict where a CPU is not: an instruction or operand that it does not know, a byte of memory
// that was not named, a jump on flags that the manual leaves undefined, and an unbalanced stack are errors.
// It knows nothing of time.
//
// TestNative compares it with the CPU for those instructions that the CPU has.
package x86

import (
	"fmt"
	"strings"
)

// Code is a decoded function.
type Code struct {
	start  uint64
	instrs []*instr
	at     map[uint64]int // index in instrs by address
	// constants are the read-only data that the function refers to.
	constants []span
}

// Listing gives the instructions in Intel's syntax. One that has a form for AVX-512 and an older one, and is
// coded in the older, begins with "{vex}".
func (c *Code) Listing() []string {
	lines := make([]string, len(c.instrs))
	for i, in := range c.instrs {
		lines[i] = in.text
	}
	return lines
}

// Encoding is the machine code of instruction i of the listing.
func (c *Code) Encoding(i int) []byte { return c.instrs[i].code }

// instr is one instruction.
type instr struct {
	text string // in Intel's syntax
	code []byte
	next uint64 // address behind it
	name string
	args []operand
	run  func(*Machine, *instr) error
}

func newCode(start uint64, lines []line) (*Code, error) {
	c := &Code{start: start, at: map[uint64]int{}}
	for i, l := range lines {
		in, err := parse(l.text)
		if err != nil {
			return nil, err
		}
		c.at[start] = i
		start += uint64(len(l.code))
		in.code, in.next = l.code, start
		c.instrs = append(c.instrs, in)
	}
	return c, nil
}

// parse reads one line of LLVM's disassembly.
func parse(text string) (*instr, error) {
	in := &instr{text: text}
	fields := strings.SplitN(strings.TrimPrefix(text, "{vex} "), " ", 2)
	in.name = fields[0]
	if in.run = operations[in.name]; in.run == nil {
		return nil, fmt.Errorf("x86: %s: the model does not know this instruction", text)
	}
	if len(fields) == 2 {
		for _, s := range strings.Split(fields[1], ", ") {
			arg, err := parseOperand(s)
			if err != nil {
				return nil, fmt.Errorf("x86: %s: %w", text, err)
			}
			in.args = append(in.args, arg)
		}
	}
	return in, nil
}
