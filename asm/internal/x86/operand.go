package x86

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

type kind int

const (
	general kind = iota
	vector
	immediate
	memory
)

// operand is a register, a number, or a place in memory.
type operand struct {
	kind kind
	reg  int // number of the register
	size int // of a register or of what lies in memory, in bytes
	imm  int64

	// The address is base + index*scale + imm; base and index are registers, or -1.
	base, index int
	scale       uint64
	rip         bool // base is the address of the next instruction
}

var names64 = []string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}

const (
	rsp = 4
	rbp = 5
	fs  = 16 // the segment register: the thread's own memory
)

var (
	vectorRegister = regexp.MustCompile(`^([xyz])mm([0-9]+)$`)
	newRegister32  = regexp.MustCompile(`^(r[0-9]+)d$`)
	memoryOperand  = regexp.MustCompile(`^(?:(\w+) ptr )?(fs:)?\[(.*)\]$`)
)

var vectorSizes = map[string]int{"x": 16, "y": 32, "z": 64}

var memorySizes = map[string]int{"": 0, "byte": 1, "word": 2, "dword": 4, "qword": 8,
	"xmmword": 16, "ymmword": 32, "zmmword": 64}

func parseOperand(s string) (operand, error) {
	if m := vectorRegister.FindStringSubmatch(s); m != nil {
		n, err := strconv.Atoi(m[2])
		return operand{kind: vector, reg: n, size: vectorSizes[m[1]]}, err
	}
	if n, size := register(s); n >= 0 {
		return operand{kind: general, reg: n, size: size}, nil
	}
	if n, err := strconv.ParseInt(s, 0, 64); err == nil {
		return operand{kind: immediate, imm: n}, nil
	}
	if m := memoryOperand.FindStringSubmatch(s); m != nil {
		if size, ok := memorySizes[m[1]]; ok {
			o, err := parseAddress(m[3], size)
			if m[2] != "" && o.base < 0 {
				o.base = fs
			}
			return o, err
		}
	}
	return operand{}, fmt.Errorf("the model does not know the operand %s", s)
}

// register finds a general register of 64 or 32 bits; the number is -1 for anything else.
func register(s string) (number, size int) {
	if n := slices.Index(names64, s); n >= 0 {
		return n, 8
	}
	if m := newRegister32.FindStringSubmatch(s); m != nil {
		return slices.Index(names64, m[1]), 4
	}
	if strings.HasPrefix(s, "e") {
		return slices.Index(names64, "r"+s[1:]), 4
	}
	return -1, 0
}

// parseAddress reads what stands in brackets: "rax + 4*rdx - 8".
func parseAddress(s string, size int) (operand, error) {
	o := operand{kind: memory, size: size, base: -1, index: -1, scale: 1}
	for _, term := range strings.Split(strings.ReplaceAll(s, " - ", " + -"), " + ") {
		scale, name, scaled := strings.Cut(term, "*")
		if !scaled {
			name = term
		}
		n, bytes := register(name)
		switch {
		case scaled && bytes == 8:
			f, err := strconv.ParseUint(scale, 10, 8)
			if err != nil {
				return o, err
			}
			o.index, o.scale = n, f
		case name == "rip":
			o.rip = true
		case bytes == 8 && o.base < 0:
			o.base = n
		case bytes == 8 && o.index < 0:
			o.index = n
		default:
			d, err := strconv.ParseInt(term, 0, 64)
			if err != nil {
				return o, fmt.Errorf("the model does not know the address [%s]", s)
			}
			o.imm = d
		}
	}
	return o, nil
}
