package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// What the opcodes of pickle.go share: the stack with its marks, the memo,
// the arguments that follow an opcode, and the count of memory.

// maxPickleMemory bounds what one pickle may build, in bytes as estimated by
// spend. Descriptions of thousands of tensors take a few megabytes.
const maxPickleMemory = 256 << 20

// Costs in bytes of what a pickle builds, rounded up from Go's own sizes.
const (
	costValue     = 16 // an interface on the stack or in a list
	costContainer = 96
	costEntry     = 96 // of a dict or the memo
)

var (
	errUnderflow = errors.New("takes a value from an empty stack")
	errNoMark    = errors.New("wants a mark and there is none")
)

// spend accounts for memory that the pickle makes us take.
func (u *unpickler) spend(bytes int64) error {
	u.spent += bytes
	if u.spent > maxPickleMemory {
		return refusef("the pickle builds more than %d MiB of objects beside the tensors; only a state_dict is read", maxPickleMemory>>20)
	}
	return nil
}

func (u *unpickler) push(v any, err error) error {
	if err != nil {
		return err
	}
	u.stack = append(u.stack, v)
	return nil
}

// floor is the height that pops may not go below: that of the last mark.
func (u *unpickler) floor() int {
	if len(u.marks) == 0 {
		return 0
	}
	return u.marks[len(u.marks)-1]
}

func (u *unpickler) top() (any, error) {
	if len(u.stack) <= u.floor() {
		return nil, errUnderflow
	}
	return u.stack[len(u.stack)-1], nil
}

func (u *unpickler) pop() (any, error) {
	v, err := u.top()
	if err == nil {
		u.stack = u.stack[:len(u.stack)-1]
	}
	return v, err
}

// popN pops n values and returns them in the order they were pushed.
func (u *unpickler) popN(n int) ([]any, error) {
	if len(u.stack)-n < u.floor() {
		return nil, errUnderflow
	}
	return u.cut(len(u.stack) - n), nil
}

// popMark pops the last mark and all values above it.
func (u *unpickler) popMark() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, errNoMark
	}
	height := u.floor()
	u.marks = u.marks[:len(u.marks)-1]
	return u.cut(height), nil
}

// cut takes the values from height up off the stack.
func (u *unpickler) cut(height int) []any {
	items := append([]any(nil), u.stack[height:]...)
	u.stack = u.stack[:height]
	return items
}

func (u *unpickler) popOrUnmark() error {
	if len(u.marks) > 0 && u.floor() == len(u.stack) {
		u.marks = u.marks[:len(u.marks)-1]
		return nil
	}
	_, err := u.pop()
	return err
}

// uint reads a little-endian number of n bytes, at most 8.
func (u *unpickler) uint(n uint64) (uint64, error) {
	b, err := u.src.take(n)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

func (u *unpickler) proto() error {
	version, err := u.uint(1)
	if err == nil && version > 5 {
		err = fmt.Errorf("pickle protocol %d is newer than 5", version)
	}
	return err
}

func (u *unpickler) pushUint(n uint64) error {
	v, err := u.uint(n)
	return u.push(int64(v), err)
}

// pushLong reads an integer in two's complement after a length of n bytes.
func (u *unpickler) pushLong(n uint64) error {
	length, err := u.uint(n)
	if err != nil {
		return err
	}
	if length > maxLine {
		return fmt.Errorf("an integer of %d bytes", length)
	}
	b, err := u.src.take(length)
	return u.push(integer(twosComplement(b)), err)
}

// textInt reads the decimal argument of INT and LONG. INT also spells the
// booleans, as 00 and 01.
func (u *unpickler) textInt(op byte) (any, error) {
	text, err := u.src.line()
	if err != nil {
		return nil, err
	}
	if op == 'I' && (text == "00" || text == "01") {
		return text == "01", nil
	}
	if op == 'L' {
		text = strings.TrimSuffix(text, "L")
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		return nil, fmt.Errorf("%s is not an integer", strconv.Quote(text))
	}
	return integer(n), nil
}

// pushText reads a string after a length of n bytes.
func (u *unpickler) pushText(n uint64) error {
	length, err := u.uint(n)
	if err != nil {
		return err
	}
	if err := u.src.fits(length); err != nil {
		return err
	}
	if err := u.spend(2 * int64(length)); err != nil { // bytes, then string
		return err
	}
	b, err := u.src.take(length)
	return u.push(string(b), err)
}

// pushBytes passes over a bytes object: nothing that is kept is made of one.
func (u *unpickler) pushBytes(n uint64) error {
	length, err := u.uint(n)
	if err != nil {
		return err
	}
	return u.push(&opaque{class: "bytes"}, u.src.skip(length))
}

func (u *unpickler) put(key uint64, err error) error {
	if err != nil {
		return err
	}
	v, err := u.top()
	if err != nil {
		return err
	}
	u.memo[key] = v
	return u.spend(costEntry)
}

func (u *unpickler) get(key uint64, err error) error {
	if err != nil {
		return err
	}
	v, ok := u.memo[key]
	if !ok {
		return fmt.Errorf("recalls value %d, which was never stored", key)
	}
	return u.push(v, nil)
}
