//go:build linux

package x86

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
)

// Load decodes an assembly function of this program, given its Go declaration's value.
func Load(function any) (*Code, error) {
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	wrapper := runtime.FuncForPC(reflect.ValueOf(function).Pointer())
	entry, err := callee(mem, wrapper)
	if err != nil {
		return nil, err
	}
	code, err := body(mem, entry)
	if err != nil {
		return nil, err
	}
	lines, err := disassemble(code)
	if err != nil {
		return nil, err
	}
	c, err := newCode(entry, lines)
	if err != nil {
		return nil, err
	}
	return c, c.loadConstants(mem)
}

// padding between functions is INT3.
const padding = 0xcc

// body reads a function's code, without the padding behind it.
func body(mem *os.File, entry uint64) ([]byte, error) {
	end := entry
	for {
		if f := runtime.FuncForPC(uintptr(end)); f == nil || uint64(f.Entry()) != entry {
			break
		}
		end++
	}
	code := make([]byte, end-entry)
	_, err := mem.ReadAt(code, int64(entry))
	for len(code) > 0 && code[len(code)-1] == padding {
		code = code[:len(code)-1]
	}
	return code, err
}

// callee finds the function that a wrapper calls. Go calls assembly through a wrapper of the same name, which
// moves arguments from registers to the stack.
func callee(mem *os.File, wrapper *runtime.Func) (uint64, error) {
	const call = 0xe8 // and the distance from the next instruction in 4 bytes
	code, err := body(mem, uint64(wrapper.Entry()))
	if err != nil {
		return 0, err
	}
	for i := 0; i+5 <= len(code); i++ {
		distance := int32(binary.LittleEndian.Uint32(code[i+1:]))
		target := wrapper.Entry() + uintptr(i+5) + uintptr(distance)
		f := runtime.FuncForPC(target)
		if code[i] == call && f != nil && f.Entry() == target && target != wrapper.Entry() && f.Name() == wrapper.Name() {
			return uint64(target), nil
		}
	}
	return 0, fmt.Errorf("x86: %s is no assembly function", wrapper.Name())
}

// loadConstants copies the read-only data around every address that is relative to an instruction's.
func (c *Code) loadConstants(mem *os.File) error {
	for _, in := range c.instrs {
		for _, o := range in.args {
			if !o.rip {
				continue
			}
			addr := in.next + uint64(o.imm)
			if err := readOnly(addr, o.size); err != nil {
				return fmt.Errorf("x86: %s: %w", in.text, err)
			}
			constant := make([]byte, o.size)
			if _, err := mem.ReadAt(constant, int64(addr)); err != nil {
				return err
			}
			c.constants = append(c.constants, span{addr, constant, false})
		}
	}
	return nil
}

// readOnly fails unless the n bytes at addr belong to a mapping of a file that cannot be written.
func readOnly(addr uint64, n int) error {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil {
			return err
		}
		if addr >= from && addr+uint64(n) <= to && strings.HasPrefix(mode, "r-") && strings.Contains(lines.Text(), "/") {
			return nil
		}
	}
	return fmt.Errorf("%#x is no constant", addr)
}
