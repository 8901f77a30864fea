package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
)

// legacyMagic is the integer that the older format begins with.
var legacyMagic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

// legacyVersion is the only version that the older format has had.
const legacyVersion = 1001

// readLegacy reads the format of torch.save before 1.6, and later with
// _use_new_zipfile_serialization=False. In a row:
//
//	five pickles     magic number, version, a dict about the machine, the object,
//	                 the list of storage keys
//	for each key     int64 number of elements, then their bytes
//
// Everything after the pickles is little-endian on any machine.
func readLegacy(r io.ReaderAt, size int64) (*contents, error) {
	known := storages{}
	src := newSource(io.NewSectionReader(r, 0, size), size)
	u := &unpickler{src: src, load: known.load}
	if err := readPreamble(u); err != nil {
		return nil, err
	}
	root, err := u.run()
	if err != nil {
		return nil, err
	}
	keys, err := u.run()
	if err != nil {
		return nil, fmt.Errorf("list of storages: %w", err)
	}
	dicts, err := stateDicts(root)
	if err != nil {
		return nil, err
	}
	offsets, err := locate(r, src.pos, size, keys, known)
	if err != nil {
		return nil, err
	}
	return &contents{dicts: dicts, labels: labels(root), size: size, read: func(s *storage, buf []byte) ([]byte, error) {
		offset, ok := offsets[s.key]
		if !ok {
			return nil, fmt.Errorf("storage %q is not in the file's list of storages", s.key)
		}
		n := int(s.bytes())
		buf = slices.Grow(buf[:0], n)[:n]
		_, err := io.ReadFull(io.NewSectionReader(r, offset, s.bytes()), buf)
		return buf, err
	}}, nil
}

// readPreamble runs the three pickles before the object.
func readPreamble(u *unpickler) error {
	magic, err := u.run()
	if err != nil {
		return err
	}
	if n, ok := magic.(*big.Int); !ok || n.Cmp(legacyMagic) != 0 {
		return fmt.Errorf("is a Python pickle of %s that torch.save did not write; save a state_dict: torch.save(model.state_dict(), path)", kind(magic))
	}
	version, err := u.run()
	if err != nil {
		return err
	}
	if version != int64(legacyVersion) {
		return fmt.Errorf("is PyTorch's older format in version %v; only %d is known", version, legacyVersion)
	}
	_, err = u.run()
	return err
}

// locate returns the offset of each storage's bytes, the first of which begins
// at pos.
func locate(r io.ReaderAt, pos, size int64, keys any, known storages) (map[string]int64, error) {
	names, ok := keys.(*list)
	if !ok {
		return nil, fmt.Errorf("the list of storages is %s", kind(keys))
	}
	offsets := map[string]int64{}
	for _, item := range names.items {
		key, _ := item.(string)
		s := known[key]
		if s == nil {
			return nil, fmt.Errorf("the list of storages names %q, of which no tensor is a view", key)
		}
		if _, dup := offsets[key]; dup {
			return nil, fmt.Errorf("the list of storages names %q twice", key)
		}
		if err := checkCount(r, pos, size, s); err != nil {
			return nil, fmt.Errorf("storage %q: %w", key, err)
		}
		offsets[key] = pos + 8
		pos += 8 + s.bytes()
	}
	if pos < size {
		return nil, fmt.Errorf("%d bytes follow the last storage; give a file with one object in it", size-pos)
	}
	return offsets, nil
}

// checkCount compares the number of elements at pos with the pickle's, and
// both with what is left of the file.
func checkCount(r io.ReaderAt, pos, size int64, s *storage) error {
	var count [8]byte
	if size-pos < 8 {
		return fmt.Errorf("the file is cut short: %d bytes are missing", 8-(size-pos)+s.bytes())
	}
	if _, err := r.ReadAt(count[:], pos); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if n := int64(binary.LittleEndian.Uint64(count[:])); n != s.numel {
		return fmt.Errorf("%d elements; its tensors need %d: the file is damaged", n, s.numel)
	}
	if left := size - pos - 8; s.bytes() > left {
		return fmt.Errorf("the file is cut short: %d bytes are missing", s.bytes()-left)
	}
	return nil
}
