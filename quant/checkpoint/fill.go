package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A reader returns the little-endian bytes of a storage, in buf's array if the capacity is enough.
type reader func(s *storage, buf []byte) ([]byte, error)

// contents is what is known of a file once its descriptions are read: its state dicts, and how its numbers are got.
type contents struct {
	dicts []stateDict
	// labels are the names of the classes, if the file has them.
	labels []string
	// size bounds the numbers, in bytes.
	size int64
	read reader
}

// checkpoints describes the state dicts, whose numbers are not read yet.
func (c *contents) checkpoints(f *File) ([]*Checkpoint, error) {
	var all []*Checkpoint
	for _, d := range c.dicts {
		k := newCheckpoint(f.Path)
		k.Format, k.Files, k.Wrapper, k.Labels = f.Format, f.files, strings.Join(d.path, "."), c.labels
		if err := k.describe(d.list); err != nil {
			return nil, err
		}
		k.load = func(wanted func(name string) bool) error { return k.fill(d.list, c.size, c.read, wanted) }
		all = append(all, k)
	}
	return all, nil
}

// describe notes what entries there are, and their shapes.
func (c *Checkpoint) describe(list []entry) error {
	if !hasView(list) {
		return errors.New("no floating-point tensor; want the float32, float16, bfloat16 or float64 weights of a network")
	}
	if err := checkNames(list); err != nil {
		return err
	}
	for _, e := range list {
		if e.view == nil {
			c.Ignored = append(c.Ignored, e.name)
			if e.class != "" {
				c.Hidden[e.name] = e.class
			}
			continue
		}
		if _, err := e.view.elements(); err != nil {
			return fmt.Errorf("tensor %q: %w", e.name, err)
		}
		c.Order = append(c.Order, e.name)
		c.Tensors[e.name] = &Tensor{Name: e.name, Shape: e.view.ints(), DType: e.view.storage.dtype.name}
	}
	return nil
}

// checkNames wants no name twice.
func checkNames(list []entry) error {
	sorted := slices.SortedFunc(slices.Values(list), func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].name == sorted[i-1].name {
			return fmt.Errorf("two tensors are called %q", sorted[i].name)
		}
	}
	return nil
}

// fill reads the numbers of the wanted entries that are not read yet.
func (c *Checkpoint) fill(all []entry, size int64, read reader, wanted func(name string) bool) error {
	list := slices.DeleteFunc(slices.Clone(all), func(e entry) bool {
		return e.view == nil || c.Tensors[e.name].Data != nil || !wanted(e.name)
	})
	if err := checkTotal(list, size); err != nil {
		return err
	}
	users := map[*storage][]entry{}
	var order []*storage
	for _, e := range list {
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
			t := c.Tensors[e.name]
			count, _ := e.view.elements()
			t.Data = make([]float32, count)
			e.view.gather(t.Data, raw)
		}
	}
	return nil
}

// checkTotal bounds by the file's size what views, each of which describe has checked, take together: each storage once, as
// bytes, and each tensor as one element per byte of file. Only tensors that repeat the same memory many times over could
// take more.
func checkTotal(list []entry, size int64) error {
	var elements, stored int64
	seen := map[*storage]bool{}
	for _, e := range list {
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
