package checkpoint

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// The values that an unpickler builds are nil, bool, int64, *big.Int, float64,
// string, *view, storageRef and these.
type (
	tuple []any
	list  struct{ items []any }
	// A dict keeps the order in which its keys were set. Keys that are not
	// strings occur in the state of optimizers, which nobody looks up.
	dict struct {
		keys   []any
		values []any
		at     map[string]int // positions of the string keys
	}
	// A global is the name of a class or function: module and name joined by a
	// dot.
	global string
	// An opaque is an object of some class, known or not, with the attributes that
	// were set in it. What is put into it as into a list or dict is dropped.
	opaque struct {
		class string
		state any
	}
	// A storageRef is a storage from an element on: old files have views of
	// storages in it.
	storageRef struct {
		*storage
		offset, numel int64
	}
)

// get returns the value of a string key, nil if there is none.
func (d *dict) get(key string) any {
	if i, ok := d.at[key]; ok {
		return d.values[i]
	}
	return nil
}

// set adds an entry. Python never pickles a key twice.
func (d *dict) set(key, value any) error {
	if s, ok := key.(string); ok {
		if _, dup := d.at[s]; dup {
			return refusef("the pickle sets the key %q twice; save the checkpoint again", s)
		}
		if d.at == nil {
			d.at = map[string]int{}
		}
		d.at[s] = len(d.keys)
	}
	d.keys = append(d.keys, key)
	d.values = append(d.values, value)
	return nil
}

// kind describes a value in an error.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64, *big.Int:
		return "an integer"
	case float64:
		return "a float"
	case string:
		return "a string"
	case tuple:
		return "a tuple"
	case *list:
		return "a list"
	case *dict:
		return "a dict"
	case *view:
		return "a tensor"
	case storageRef:
		return "a bare storage"
	case global:
		return fmt.Sprintf("the name %.200q", string(v))
	case *opaque:
		return fmt.Sprintf("an object of class %.200q", v.class)
	}
	return fmt.Sprintf("a %T", v)
}

// A refusedError is about what a pickle asks for, not how it is encoded.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }

func refusef(format string, args ...any) error {
	return &refusedError{fmt.Sprintf(format, args...)}
}

// newTuple pushes a tuple of items that were popped with the result err.
func (u *unpickler) newTuple(items []any, err error) error {
	if err != nil {
		return err
	}
	return u.push(tuple(items), u.spend(costContainer))
}

// newList pushes an empty list, or one of the items above the mark.
func (u *unpickler) newList(filled bool) error {
	if err := u.spend(costContainer); err != nil {
		return err
	}
	if !filled {
		return u.push(&list{}, nil)
	}
	items, err := u.popMark()
	return u.push(&list{items}, err)
}

// newDict pushes an empty dict, or one of the pairs above the mark.
func (u *unpickler) newDict(filled bool) error {
	if err := u.spend(costContainer); err != nil {
		return err
	}
	if !filled {
		return u.push(&dict{}, nil)
	}
	items, err := u.popMark()
	if err != nil {
		return err
	}
	if err := u.push(&dict{}, nil); err != nil {
		return err
	}
	return u.update(items)
}

// extend appends items to the list, or drops them into the opaque object, on
// top of the stack.
func (u *unpickler) extend(items []any) error {
	target, err := u.top()
	if err != nil {
		return err
	}
	switch target := target.(type) {
	case *list:
		target.items = append(target.items, items...)
		return nil
	case *opaque:
		return nil
	}
	return fmt.Errorf("appends to %s", kind(target))
}

// update sets keys and values, in turn, of the dict on top of the stack.
func (u *unpickler) update(items []any) error {
	target, err := u.top()
	if err != nil {
		return err
	}
	if len(items)%2 != 0 {
		return errors.New("sets a key without a value")
	}
	d, ok := target.(*dict)
	if _, inert := target.(*opaque); inert {
		return nil
	}
	if !ok {
		return fmt.Errorf("sets keys of %s", kind(target))
	}
	for pair := range slices.Chunk(items, 2) {
		if err := u.spend(costEntry); err != nil {
			return err
		}
		if err := d.set(pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

// twosComplement decodes a little-endian signed integer of any length.
func twosComplement(b []byte) *big.Int {
	be := slices.Clone(b)
	slices.Reverse(be)
	n := new(big.Int).SetBytes(be)
	if len(be) > 0 && be[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(be))))
	}
	return n
}

// integer returns an int64 if n fits, else n itself.
func integer(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}
