package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// An unpickler runs pickles: programs for a stack machine that build values.
// The machine is that of Python's pickletools, less what calls, looks up or
// imports: the values are those of values.go and nothing else exists.
//
// Protocols 1 to 5 are read, with the opcodes that torch.save has ever written.
type unpickler struct {
	src   *source
	stack []any
	marks []int // heights of the stack at which a MARK stands
	memo  map[uint64]any
	spent int64
	// load resolves a persistent id, PyTorch's name for a storage.
	load func(id tuple) (any, error)
}

// run executes one pickle and returns what it leaves.
func (u *unpickler) run() (any, error) {
	u.stack, u.marks, u.memo = nil, nil, map[uint64]any{}
	for {
		at := u.src.pos
		op, err := u.src.byte()
		if err != nil {
			return nil, err
		}
		if op == '.' {
			v, err := u.pop()
			if err != nil {
				return nil, fmt.Errorf("the pickle is damaged at byte %d: STOP %w", at, err)
			}
			return v, nil
		}
		if err := u.step(op); err != nil {
			return nil, located(err, op, at)
		}
	}
}

// located says where a pickle went wrong, unless the error is about what it
// wants rather than how it is written.
func located(err error, op byte, at int64) error {
	var refused *refusedError
	if errors.As(err, &refused) {
		return err
	}
	return fmt.Errorf("the pickle is damaged or not PyTorch's: opcode %q at byte %d: %w", op, at, err)
}

// step executes one opcode.
func (u *unpickler) step(op byte) error {
	if err := u.spend(costValue); err != nil {
		return err
	}
	switch op {
	case 0x80: // PROTO
		return u.proto()
	case 0x95: // FRAME: a hint for readers of streams
		n, err := u.uint(8)
		if err != nil {
			return err
		}
		return u.src.fits(n)
	case '(': // MARK
		u.marks = append(u.marks, len(u.stack))
		return nil
	case '0': // POP
		return u.popOrUnmark()
	case '1': // POP_MARK
		_, err := u.popMark()
		return err
	case '2': // DUP
		v, err := u.top()
		if err != nil {
			return err
		}
		return u.push(v, nil)
	}
	if handled, err := u.scalar(op); handled {
		return err
	}
	if handled, err := u.collection(op); handled {
		return err
	}
	if handled, err := u.memory(op); handled {
		return err
	}
	if handled, err := u.object(op); handled {
		return err
	}
	return errors.New("torch.save does not write it")
}

// scalar executes the opcodes that push numbers and strings.
func (u *unpickler) scalar(op byte) (handled bool, err error) {
	switch op {
	case 'N': // NONE
		return true, u.push(nil, nil)
	case 0x88: // NEWTRUE
		return true, u.push(true, nil)
	case 0x89: // NEWFALSE
		return true, u.push(false, nil)
	case 'I', 'L': // INT, LONG: text
		return true, u.push(u.textInt(op))
	case 'K': // BININT1
		return true, u.pushUint(1)
	case 'M': // BININT2
		return true, u.pushUint(2)
	case 'J': // BININT
		n, err := u.uint(4)
		return true, u.push(int64(int32(n)), err)
	case 0x8a: // LONG1
		return true, u.pushLong(1)
	case 0x8b: // LONG4
		return true, u.pushLong(4)
	case 'G': // BINFLOAT: the only big-endian one
		b, err := u.src.take(8)
		if err != nil {
			return true, err
		}
		return true, u.push(math.Float64frombits(binary.BigEndian.Uint64(b)), nil)
	case 0x8c, 'U': // SHORT_BINUNICODE, SHORT_BINSTRING
		return true, u.pushText(1)
	case 'X', 'T': // BINUNICODE, BINSTRING
		return true, u.pushText(4)
	case 0x8d: // BINUNICODE8
		return true, u.pushText(8)
	case 'C': // SHORT_BINBYTES
		return true, u.pushBytes(1)
	case 'B': // BINBYTES
		return true, u.pushBytes(4)
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		return true, u.pushBytes(8)
	}
	return false, nil
}

// collection executes the opcodes of tuples, lists, dicts and sets.
func (u *unpickler) collection(op byte) (handled bool, err error) {
	switch op {
	case ')': // EMPTY_TUPLE
		return true, u.push(tuple{}, nil)
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		return true, u.newTuple(u.popN(int(op-0x85) + 1))
	case 't': // TUPLE
		return true, u.newTuple(u.popMark())
	case ']', 'l': // EMPTY_LIST, LIST
		return true, u.newList(op == 'l')
	case 'a': // APPEND
		v, err := u.pop()
		if err != nil {
			return true, err
		}
		return true, u.extend([]any{v})
	case 'e', 0x90: // APPENDS, ADDITEMS
		items, err := u.popMark()
		if err != nil {
			return true, err
		}
		return true, u.extend(items)
	case 0x8f: // EMPTY_SET
		return true, u.push(&opaque{class: "set"}, u.spend(costContainer))
	case 0x91: // FROZENSET
		_, err := u.popMark()
		return true, u.push(&opaque{class: "frozenset"}, err)
	case '}', 'd': // EMPTY_DICT, DICT
		return true, u.newDict(op == 'd')
	case 's': // SETITEM
		items, err := u.popN(2)
		if err != nil {
			return true, err
		}
		return true, u.update(items)
	case 'u': // SETITEMS
		items, err := u.popMark()
		if err != nil {
			return true, err
		}
		return true, u.update(items)
	}
	return false, nil
}

// memory executes the opcodes that store a value in the memo or recall one.
func (u *unpickler) memory(op byte) (handled bool, err error) {
	switch op {
	case 'q': // BINPUT
		return true, u.put(u.uint(1))
	case 'r': // LONG_BINPUT
		return true, u.put(u.uint(4))
	case 0x94: // MEMOIZE
		return true, u.put(uint64(len(u.memo)), nil)
	case 'h': // BINGET
		return true, u.get(u.uint(1))
	case 'j': // LONG_BINGET
		return true, u.get(u.uint(4))
	}
	return false, nil
}

// object executes the opcodes that in Python name and call things. What they
// may name is listed in globals.go.
func (u *unpickler) object(op byte) (handled bool, err error) {
	switch op {
	case 'c': // GLOBAL
		module, err := u.src.line()
		if err != nil {
			return true, err
		}
		name, err := u.src.line()
		if err != nil {
			return true, err
		}
		return true, u.push(u.global(module, name))
	case 0x93: // STACK_GLOBAL
		return true, u.stackGlobal()
	case 'R', 0x81: // REDUCE, NEWOBJ
		return true, u.reduce()
	case 0x92: // NEWOBJ_EX: keyword arguments are for inert objects only
		if _, err := u.pop(); err != nil {
			return true, err
		}
		return true, u.reduce()
	case 'b': // BUILD
		return true, u.build()
	case 'Q': // BINPERSID
		return true, u.persistent()
	}
	return false, nil
}
