package checkpoint

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strings"
)

// maxPickle bounds data.pkl, in bytes. It describes a tensor in about 150.
const maxPickle = 64 << 20

// A torchZip is the archive that torch.save writes since 1.6. Below one folder
// of any name:
//
//	data.pkl      the pickle of the object; storages by persistent id
//	data/KEY      the bytes of each storage
//	byteorder     "little" or "big", since 2.0
//	version       and others that do not matter here
//
// All entries are stored, not compressed.
type torchZip struct {
	entries map[string]*zip.File // by name below the folder
	size    int64                // of the whole file
	big     bool                 // storages are big-endian
}

func readZip(f *File) (*contents, error) {
	archive, err := zip.NewReader(f, f.size)
	if err != nil {
		return nil, fmt.Errorf("the zip archive is cut short or damaged (%w); copy or download it again", err)
	}
	if isNPZ(archive) {
		f.Format = FormatNPZ
		return readNPZ(archive, f.size)
	}
	z, err := openTorchZip(archive, f.size)
	if err != nil {
		return nil, err
	}
	pickle, err := z.read("data.pkl", nil, maxPickle)
	if err != nil {
		return nil, err
	}
	src := newSource(bytes.NewReader(pickle), int64(len(pickle)))
	u := &unpickler{src: src, load: storages{}.load}
	root, err := u.run()
	if err != nil {
		return nil, err
	}
	if n := src.left(); n > 0 {
		return nil, fmt.Errorf("data.pkl: %d bytes follow the end of the pickle", n)
	}
	dicts, err := stateDicts(root)
	if err != nil && z.script() {
		return nil, errors.New("is a TorchScript archive whose tensors have lost their names: torch.jit.freeze makes such; give the one from before, or an ONNX export")
	}
	if z.script() {
		f.Format = FormatScript
	}
	return &contents{dicts: dicts, labels: labels(root), size: f.size, read: z.storage}, err
}

// script reports whether an archive is a TorchScript program: its tensors are those of an object, whose names are
// the attributes'.
func (z *torchZip) script() bool { return z.entries["constants.pkl"] != nil }

// isNPZ reports whether an archive is NumPy's: its first entry is an array.
func isNPZ(archive *zip.Reader) bool {
	return len(archive.File) > 0 && path.Ext(archive.File[0].Name) == npyEnding
}

func openTorchZip(archive *zip.Reader, size int64) (*torchZip, error) {
	top, err := topFolder(archive.File)
	if err != nil {
		return nil, err
	}
	z := &torchZip{entries: map[string]*zip.File{}, size: size}
	for _, f := range archive.File {
		name, below := strings.CutPrefix(f.Name, top+"/")
		if !below {
			return nil, fmt.Errorf("zip entry %q is outside the folder %q", f.Name, top)
		}
		if z.entries[name] != nil {
			return nil, fmt.Errorf("zip entry %q comes twice", f.Name)
		}
		z.entries[name] = f
	}
	return z, z.readByteOrder()
}

// topFolder finds the folder that holds data.pkl.
func topFolder(files []*zip.File) (string, error) {
	for _, f := range files {
		if dir, name := path.Split(f.Name); name == "data.pkl" && strings.Count(dir, "/") == 1 {
			return strings.TrimSuffix(dir, "/"), nil
		}
	}
	inside := slices.IndexFunc(files, func(f *zip.File) bool {
		return slices.Contains([]string{".pth", ".pt", ".tar", ".safetensors", ".bin"}, path.Ext(f.Name))
	})
	if inside >= 0 {
		return "", fmt.Errorf("is a zip archive with %q in it; unpack it and give that file", files[inside].Name)
	}
	return "", errors.New("is a zip archive without a data.pkl, so torch.save did not write it")
}

func (z *torchZip) readByteOrder() error {
	const entry = "byteorder"
	if z.entries[entry] == nil {
		return nil // before 2.0, and then little
	}
	order, err := z.read(entry, nil, 16)
	if err != nil {
		return err
	}
	switch string(order) {
	case "little":
	case "big":
		z.big = true
	default:
		return fmt.Errorf("the byteorder entry says %q; want little or big", order)
	}
	return nil
}

// storage is the reader that fill needs.
func (z *torchZip) storage(s *storage, buf []byte) ([]byte, error) {
	raw, err := z.read("data/"+s.key, buf, s.bytes())
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) != s.bytes() {
		return nil, fmt.Errorf("zip entry \"data/%s\" has %d bytes; %d x %s need %d", s.key, len(raw), s.numel, s.dtype.name, s.bytes())
	}
	if z.big {
		swapBytes(raw, int(s.dtype.size))
	}
	return raw, nil
}

// read returns the bytes of an entry of at most limit, in buf's array if the
// capacity is enough.
func (z *torchZip) read(name string, buf []byte, limit int64) ([]byte, error) {
	f := z.entries[name]
	if f == nil {
		return nil, fmt.Errorf("zip entry %q is missing; the file is damaged", name)
	}
	if err := z.check(f, limit); err != nil {
		return nil, fmt.Errorf("zip entry %q %w", name, err)
	}
	r, err := f.OpenRaw()
	if err != nil {
		return nil, fmt.Errorf("zip entry %q: %w", name, err)
	}
	n := int(f.UncompressedSize64)
	buf = slices.Grow(buf[:0], n)[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, fmt.Errorf("zip entry %q is cut short: %w", name, err)
	}
	// PyTorch can be told not to compute sums; it writes 0 then.
	if f.CRC32 != 0 && crc32.ChecksumIEEE(buf) != f.CRC32 {
		return nil, fmt.Errorf("zip entry %q is damaged (%w); copy or download the file again", name, zip.ErrChecksum)
	}
	return buf, nil
}

// check looks at what the archive says of an entry before it is read.
func (z *torchZip) check(f *zip.File, limit int64) error {
	switch n := f.UncompressedSize64; {
	case f.Flags&1 != 0:
		return errors.New("is encrypted; save the checkpoint without a password")
	case f.Method != zip.Store:
		return errors.New("is compressed, which torch.save never does; load the file and torch.save it again")
	case n != f.CompressedSize64 || n > uint64(z.size):
		return fmt.Errorf("claims %d bytes in a file of %d; it is damaged", n, z.size)
	case n > uint64(limit):
		return fmt.Errorf("has %d bytes; want at most %d", n, limit)
	}
	return nil
}
