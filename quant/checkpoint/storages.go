package checkpoint

import (
	"fmt"
	"math"
	"strings"
)

// storages collects the storages that a pickle names.
type storages map[string]*storage

// load resolves a persistent id:
//
//	("storage", class, key, device, elements)
//	("storage", class, key, device, elements, None or (view key, offset, elements))
//	("module", class, path of its source, its source)
//
// the last two in files of the older format. The device does not matter here.
func (s storages) load(id tuple) (any, error) {
	if len(id) == 4 && id[0] == "module" {
		if class, ok := id[1].(global); ok {
			return class, nil
		}
	}
	if len(id) != 5 && len(id) != 6 {
		return nil, fmt.Errorf("persistent id of %d parts; want 5 or 6", len(id))
	}
	class, _ := id[1].(global)
	if name := string(class); id[0] == "storage" && strings.HasPrefix(name, "torch.") && strings.HasSuffix(name, "Storage") && storageTypes[class].size == 0 {
		return &opaque{class: name}, nil // quantised or complex
	}
	dtype, known := storageTypes[class]
	key, isKey := id[2].(string)
	numel, isCount := id[4].(int64)
	if id[0] != "storage" || !known || !isKey || !isCount {
		return nil, fmt.Errorf("persistent id (%v, %s, %s, ..., %s) is not that of a storage", id[0], kind(id[1]), kind(id[2]), kind(id[4]))
	}
	if numel < 0 || numel > math.MaxInt64/dtype.size {
		return nil, fmt.Errorf("storage %q cannot have %d elements", key, numel)
	}
	root, err := s.add(key, dtype, numel)
	if err != nil || len(id) == 5 || id[5] == nil {
		return storageRef{root, 0, numel}, err
	}
	return root.slice(id[5])
}

func (s storages) add(key string, d dtype, numel int64) (*storage, error) {
	if old, ok := s[key]; ok {
		if old.dtype.name != d.name || old.numel != numel {
			return nil, fmt.Errorf("storage %q is both %d x %s and %d x %s", key, old.numel, old.dtype.name, numel, d.name)
		}
		return old, nil
	}
	s[key] = &storage{key, d, numel}
	return s[key], nil
}

// slice resolves the last part of a long persistent id.
func (s *storage) slice(v any) (any, error) {
	part, ok := v.(tuple)
	if !ok || len(part) != 3 {
		return nil, fmt.Errorf("storage %q: its view is %s; want None or a tuple of 3", s.key, kind(v))
	}
	offset, ok1 := part[1].(int64)
	numel, ok2 := part[2].(int64)
	if !ok1 || !ok2 || offset < 0 || numel < 0 || offset > s.numel || numel > s.numel-offset {
		return nil, fmt.Errorf("storage %q of %d elements has no view of %v elements from %v on", s.key, s.numel, part[2], part[1])
	}
	return storageRef{s, offset, numel}, nil
}

// bytes returns the size of the storage.
func (s *storage) bytes() int64 { return s.numel * s.dtype.size }
