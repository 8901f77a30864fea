package checkpoint

import "fmt"

func (u *unpickler) stackGlobal() error {
	names, err := u.popN(2)
	if err != nil {
		return err
	}
	module, ok1 := names[0].(string)
	name, ok2 := names[1].(string)
	if !ok1 || !ok2 {
		return fmt.Errorf("names a global by %s and %s", kind(names[0]), kind(names[1]))
	}
	return u.push(u.global(module, name))
}

// reduce applies the name below the top of the stack to the tuple on top.
func (u *unpickler) reduce() error {
	operands, err := u.popN(2)
	if err != nil {
		return err
	}
	if err := u.spend(costContainer); err != nil {
		return err
	}
	if o, ok := operands[0].(*opaque); ok { // what came out of an opaque call
		return u.push(o, nil)
	}
	g, ok := operands[0].(global)
	if !ok {
		return fmt.Errorf("calls %s", kind(operands[0]))
	}
	args, ok := operands[1].(tuple)
	if !ok {
		return fmt.Errorf("calls %s with %s, not a tuple", g, kind(operands[1]))
	}
	if _, storage := storageTypes[g]; storage {
		return fmt.Errorf("calls %s", g)
	}
	f, ok := callables[g]
	if !ok {
		return u.push(&opaque{class: string(g)}, nil)
	}
	v, err := f(u, args)
	if err != nil {
		return fmt.Errorf("%s: %w", g, err)
	}
	return u.push(v, nil)
}

// build sets the attributes of the object below the top of the stack. Those of a
// state_dict are version numbers of its modules and do not matter.
func (u *unpickler) build() error {
	operands, err := u.popN(2)
	if err != nil {
		return err
	}
	switch target := operands[0].(type) {
	case *opaque:
		target.state = operands[1]
		return u.push(target, nil)
	case *dict:
		return u.push(target, nil)
	}
	return fmt.Errorf("sets attributes of %s", kind(operands[0]))
}
