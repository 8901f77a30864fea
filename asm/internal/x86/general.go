package x86

import "fmt"

// operations are the instructions that the model knows, by their mnemonics.
var operations = map[string]func(*Machine, *instr) error{}

// define enters an instruction; n is the number of its operands.
func define(name string, n int, run func(*Machine, *instr) error) {
	operations[name] = func(m *Machine, in *instr) error {
		if len(in.args) != n {
			return fmt.Errorf("%d operands where the model knows %d", len(in.args), n)
		}
		return run(m, in)
	}
}

// bits is how many of the low bits of x an operand of that size holds.
func bits(size int, x uint64) uint64 { return x << (64 - 8*size) >> (64 - 8*size) }

func negative(size int, x uint64) bool { return x>>(8*size-1)&1 == 1 }

// arithmetic enters dst = f(dst, src), or only the flags of it where it is not kept.
func arithmetic(name string, keep bool, f func(size int, a, b uint64) (uint64, flags)) {
	define(name, 2, func(m *Machine, in *instr) error {
		a, err := m.read(in, in.args[0])
		if err != nil {
			return err
		}
		b, err := m.read(in, in.args[1])
		if err != nil {
			return err
		}
		size := in.args[0].size
		v, fl := f(size, bits(size, a), bits(size, b))
		v = bits(size, v)
		if fl.known {
			fl.zero, fl.sign = v == 0, negative(size, v)
		}
		m.flags = fl
		if keep {
			return m.write(in, in.args[0], v)
		}
		return nil
	})
}

func add(size int, a, b uint64) (uint64, flags) {
	v := bits(size, a+b)
	return v, flags{known: true, carry: v < a, overflow: negative(size, (a^v)&(b^v))}
}

func sub(size int, a, b uint64) (uint64, flags) {
	v := bits(size, a-b)
	return v, flags{known: true, carry: a < b, overflow: negative(size, (a^b)&(a^v))}
}

// step enters dst = dst + or - 1, which leaves the carry flag alone.
func step(name string, f func(size int, a, b uint64) (uint64, flags)) {
	define(name, 1, func(m *Machine, in *instr) error {
		a, err := m.read(in, in.args[0])
		if err != nil {
			return err
		}
		size := in.args[0].size
		v, fl := f(size, a, 1)
		fl.zero, fl.sign, fl.carry = v == 0, negative(size, v), m.flags.carry
		m.flags = fl
		return m.write(in, in.args[0], v)
	})
}

// conditions are the suffixes of jumps and conditional moves.
var conditions = map[string]func(flags) bool{
	"e":  func(f flags) bool { return f.zero },
	"ne": func(f flags) bool { return !f.zero },
	"l":  func(f flags) bool { return f.sign != f.overflow },
	"ge": func(f flags) bool { return f.sign == f.overflow },
	"le": func(f flags) bool { return f.zero || f.sign != f.overflow },
	"g":  func(f flags) bool { return !f.zero && f.sign == f.overflow },
	"b":  func(f flags) bool { return f.carry },
	"ae": func(f flags) bool { return !f.carry },
	"be": func(f flags) bool { return f.carry || f.zero },
	"a":  func(f flags) bool { return !f.carry && !f.zero },
}

var errFlags = fmt.Errorf("depends on flags that the manual leaves undefined")

// move enters dst = f(src).
func move(name string, f func(in *instr, v uint64) uint64) {
	define(name, 2, func(m *Machine, in *instr) error {
		v, err := m.read(in, in.args[1])
		if err != nil {
			return err
		}
		return m.write(in, in.args[0], f(in, v))
	})
}

func (m *Machine) push(v uint64) error {
	m.general[rsp] -= 8
	return m.write(nil, operand{kind: memory, size: 8, base: rsp, index: -1}, v)
}

func (m *Machine) pop() (uint64, error) {
	v, err := m.read(nil, operand{kind: memory, size: 8, base: rsp, index: -1})
	m.general[rsp] += 8
	return v, err
}

// jump goes as far from the end of the instruction as the code says.
func (m *Machine) jump(in *instr) error {
	if in.args[0].kind != immediate {
		return fmt.Errorf("a jump that is not relative")
	}
	m.pc += uint64(in.args[0].imm)
	return nil
}

func init() {
	move("movabs", func(_ *instr, v uint64) uint64 { return v })
	move("mov", func(_ *instr, v uint64) uint64 { return v })
	move("movsxd", func(_ *instr, v uint64) uint64 { return uint64(int64(int32(v))) })
	define("lea", 2, func(m *Machine, in *instr) error {
		return m.write(in, in.args[0], m.address(in, in.args[1]))
	})
	arithmetic("add", true, add)
	arithmetic("sub", true, sub)
	arithmetic("cmp", false, sub)
	arithmetic("xor", true, func(_ int, a, b uint64) (uint64, flags) { return a ^ b, flags{known: true} })
	arithmetic("and", true, func(_ int, a, b uint64) (uint64, flags) { return a & b, flags{known: true} })
	arithmetic("test", false, func(_ int, a, b uint64) (uint64, flags) { return a & b, flags{known: true} })
	arithmetic("shr", true, func(_ int, a, b uint64) (uint64, flags) { return a >> (b & 63), flags{} })
	arithmetic("imul", true, func(_ int, a, b uint64) (uint64, flags) { return a * b, flags{} })
	step("inc", add)
	step("dec", sub)
	define("push", 1, func(m *Machine, in *instr) error {
		v, err := m.read(in, in.args[0])
		if err != nil {
			return err
		}
		return m.push(v)
	})
	define("pop", 1, func(m *Machine, in *instr) error {
		v, err := m.pop()
		if err != nil {
			return err
		}
		return m.write(in, in.args[0], v)
	})
	define("call", 1, func(*Machine, *instr) error { return fmt.Errorf("calls another function") })
	define("ret", 0, func(m *Machine, _ *instr) (err error) {
		m.pc, err = m.pop()
		return err
	})
	define("jmp", 1, func(m *Machine, in *instr) error { return m.jump(in) })
	define("nop", 0, func(*Machine, *instr) error { return nil })
	for _, level := range []string{"t0", "t1", "t2", "nta"} { // hints, of any address
		define("prefetch"+level, 1, func(*Machine, *instr) error { return nil })
	}
	for suffix, holds := range conditions {
		define("j"+suffix, 1, func(m *Machine, in *instr) error {
			if !m.flags.known {
				return errFlags
			}
			if holds(m.flags) {
				return m.jump(in)
			}
			return nil
		})
		define("cmov"+suffix, 2, func(m *Machine, in *instr) error {
			if !m.flags.known {
				return errFlags
			}
			v, err := m.read(in, in.args[1]) // even where it is not moved
			if err != nil {
				return err
			}
			if !holds(m.flags) {
				v = m.general[in.args[0].reg]
			}
			return m.write(in, in.args[0], v)
		})
	}
}
