package checkpoint

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxArrays bounds the arrays of a folder; ResNet-152 has 930.
const maxArrays = 1 << 14

// maxWalked bounds the files and folders that are looked at for arrays: each may have a file beside it and a folder
// of its own.
const maxWalked = 4 * maxArrays

// maxInflation bounds what a compressed archive may unpack to, in sizes of its file. Weights hardly shrink.
const maxInflation = 64

// An npySet is the arrays of a folder or archive.
type npySet struct {
	paths   []string
	headers map[string]*npyHeader
	// open gives one file and its size, unpacked.
	open func(path string) (io.ReadCloser, int64, error)
}

// readNPYFolder reads the .npy files of a folder, one for each tensor.
func readNPYFolder(folder *File) (*contents, error) {
	s := npySet{paths: folder.arrays, open: func(path string) (io.ReadCloser, int64, error) {
		f, err := os.Open(filepath.Join(folder.Path, filepath.FromSlash(path)))
		if err != nil {
			return nil, 0, err
		}
		stat, err := f.Stat()
		if err == nil && !stat.Mode().IsRegular() {
			err = errors.New("is not a regular file")
		}
		if err != nil {
			f.Close()
			return nil, 0, err
		}
		return f, stat.Size(), nil
	}}
	folder.files = nil
	for _, path := range s.paths {
		folder.files = append(folder.files, filepath.Join(folder.Path, filepath.FromSlash(path)))
	}
	return s.describe()
}

// npyFiles lists the arrays in a folder and below it, sorted. It gives up on a tree that is no folder of weights.
func npyFiles(folder fs.FS) ([]string, error) {
	var paths []string
	walked := 0
	err := fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if walked++; walked > maxWalked {
			return fmt.Errorf("more than %d files and folders in it; give the folder of one network", maxWalked)
		}
		if !d.IsDir() && strings.HasSuffix(path, npyEnding) {
			if len(paths) == maxArrays {
				return fmt.Errorf("more than %d %s files; give the folder of one network", maxArrays, npyEnding)
			}
			paths = append(paths, path)
		}
		return nil
	})
	return paths, err
}

// readNPZ reads the archive of numpy.savez, compressed or not.
func readNPZ(archive *zip.Reader, size int64) (*contents, error) {
	entries := map[string]*zip.File{}
	s := npySet{open: func(path string) (io.ReadCloser, int64, error) {
		f := entries[path]
		r, err := f.Open()
		return r, int64(f.UncompressedSize64), err
	}}
	total := uint64(0)
	for _, f := range archive.File {
		switch {
		case !strings.HasSuffix(f.Name, npyEnding):
			return nil, fmt.Errorf("zip entry %q is no %s file; expected the arrays of numpy.savez alone", f.Name, npyEnding)
		case entries[f.Name] != nil:
			return nil, fmt.Errorf("zip entry %q comes twice", f.Name)
		case len(s.paths) == maxArrays:
			return nil, fmt.Errorf("more than %d arrays; give the archive of one network", maxArrays)
		case f.UncompressedSize64 > uint64(size)*maxInflation-total:
			return nil, fmt.Errorf("claims to unpack to more than %d times its size; save it with numpy.savez", maxInflation)
		}
		total += f.UncompressedSize64
		entries[f.Name], s.paths = f, append(s.paths, f.Name)
	}
	return s.describe()
}

// describe lists the tensors of a set.
func (s *npySet) describe() (*contents, error) {
	s.headers = map[string]*npyHeader{}
	var list []entry
	total := int64(0)
	for i, name := range npyNames(s.paths) {
		h, size, err := s.header(s.paths[i])
		if err != nil {
			return nil, fmt.Errorf("%s %w", s.paths[i], err)
		}
		e, err := h.entry(name, s.paths[i], size)
		if err != nil {
			return nil, err
		}
		list, s.headers[s.paths[i]] = append(list, e), h
		total += size
	}
	return &contents{dicts: []stateDict{{list: list}}, size: total, read: s.read}, nil
}

func (s *npySet) header(path string) (*npyHeader, int64, error) {
	f, size, err := s.open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	h, err := readNPYHeader(f)
	return h, size, err
}

// read is the reader that fill needs. It reads to the very end, where an archive's checksum is checked.
func (s *npySet) read(st *storage, buf []byte) ([]byte, error) {
	f, _, err := s.open(st.key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := s.headers[st.key]
	if _, err := io.CopyN(io.Discard, f, h.data); err != nil {
		return nil, fmt.Errorf("%s: %w", st.key, err)
	}
	n := int(st.bytes())
	buf = slices.Grow(buf[:0], n)[:n]
	if _, err := io.ReadFull(f, buf); err != nil {
		return nil, fmt.Errorf("%s is cut short or damaged: %w", st.key, err)
	}
	if _, err := io.Copy(io.Discard, f); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w); copy it again", st.key, err)
	}
	if h.big {
		swapBytes(buf, int(st.dtype.size))
	}
	return buf, nil
}
