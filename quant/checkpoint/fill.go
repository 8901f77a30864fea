package checkpoint

import "fmt"

// A reader returns the little-endian bytes of a storage, in buf's array if the
// capacity is enough.
type reader func(s *storage, buf []byte) ([]byte, error)

// fill makes c hold the entries of a state dict from a file of size bytes.
func (c *Checkpoint) fill(list []entry, size int64, read reader) error {
	if err := checkPresent(list); err != nil {
		return err
	}
	c.stripPrefix(list)
	if err := checkNames(list); err != nil {
		return err
	}
	if err := checkTotal(list, size); err != nil {
		return err
	}
	users := map[*storage][]entry{}
	var order []*storage
	for _, e := range list {
		if e.view == nil {
			c.Ignored = append(c.Ignored, e.name)
			if e.class != "" {
				c.Hidden[e.name] = e.class
			}
			continue
		}
		c.Order = append(c.Order, e.name)
		s := e.view.storage
		if users[s] == nil {
			order = append(order, s)
		}
		users[s] = append(users[s], e)
	}
	// Storage by storage, so that only one is in memory as bytes.
	var raw []byte
	for _, s := range order {
		var err error
		if raw, err = read(s, raw); err != nil {
			return fmt.Errorf("tensor %q: %w", users[s][0].name, err)
		}
		for _, e := range users[s] {
			c.Tensors[e.name] = e.view.tensor(e.name, raw)
		}
	}
	return nil
}

// checkTotal checks every view, and bounds by the file's size what they take
// together: each storage once, as bytes, and each tensor as one element per
// byte of file. Only tensors that repeat the same memory many times over could
// take more.
func checkTotal(list []entry, size int64) error {
	var elements, stored int64
	seen := map[*storage]bool{}
	for _, e := range list {
		if e.view == nil {
			continue
		}
		s := e.view.storage
		if !seen[s] {
			seen[s] = true
			if s.bytes() > size-stored {
				return fmt.Errorf("tensor %q: storage %q of %d bytes does not fit in a file of %d; it is cut short or damaged",
					e.name, s.key, s.bytes(), size)
			}
			stored += s.bytes()
		}
		n, err := e.view.elements()
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.name, err)
		}
		if n > size-elements {
			return fmt.Errorf("tensor %q of shape %v: the tensors have more elements than a file of %d bytes can hold; make expanded tensors contiguous before saving",
				e.name, e.view.shape, size)
		}
		elements += n
	}
	return nil
}

// tensor copies a checked view out of the bytes of its storage.
func (v *view) tensor(name string, raw []byte) *Tensor {
	count, _ := v.elements()
	t := &Tensor{Name: name, Shape: v.ints(), DType: v.storage.dtype.name, Data: make([]float32, count)}
	v.gather(t.Data, raw)
	return t
}
