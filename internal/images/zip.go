package images

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/internal/text"
)

// isZip reports whether a file is to be opened as an archive: by its name, or
// by its first bytes.
func isZip(file string) bool {
	if strings.EqualFold(filepath.Ext(file), ".zip") {
		return true
	}
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [4]byte
	_, err = io.ReadFull(f, head[:])
	return err == nil && string(head[:]) == "PK\x03\x04"
}

// listZip opens the archive s.path and adds its images.
func (s *Set) listZip() error {
	f, err := os.Open(s.path)
	if err != nil {
		return named(s.path, cause(err))
	}
	s.archive = f
	info, err := f.Stat()
	if err != nil {
		return named(s.path, cause(err))
	}
	directory := &directoryReader{f, memory.limit / memoryOfDirectory}
	r, err := zip.NewReader(directory, info.Size())
	directory.left = math.MaxInt64 // what follows are pictures
	if errors.Is(err, errDirectory) {
		return named(s.path, fmt.Errorf("the zip archive's directory has more than %s: unpack the archive, "+
			"or allow pictures more memory (--image-memory of calib and resnext)",
			megabytes(memory.limit/memoryOfDirectory)))
	}
	// Nothing is written to the disk, so names that lead out of a folder are
	// harmless.
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return fmt.Errorf("images: %s: the zip archive is damaged or cut short (%w): copy or make it again",
			text.Printable(s.path), cause(err))
	}
	for _, f := range r.File {
		s.addZipped(f)
	}
	s.dropCommonFolders()
	return nil
}

// memoryOfDirectory is about how many bytes are kept for each byte of an archive's directory, at worst: 500 for the 47
// of an entry that is called by one letter.
const memoryOfDirectory = 10

var errDirectory = errors.New("the directory is too large")

// directoryReader is an archive of which only so many bytes may be read: archive/zip reads the whole directory, however
// many entries a small archive states, or hides from its count.
type directoryReader struct {
	io.ReaderAt
	left int64
}

func (d *directoryReader) ReadAt(b []byte, at int64) (int, error) {
	if d.left == math.MaxInt64 {
		return d.ReaderAt.ReadAt(b, at)
	}
	if d.left < int64(len(b)) {
		return 0, errDirectory
	}
	n, err := d.ReaderAt.ReadAt(b, at)
	d.left -= int64(n)
	return n, err
}

// addZipped adds one archive entry, unless it is a folder.
func (s *Set) addZipped(f *zip.File) {
	name := strings.ReplaceAll(f.Name, `\`, "/") // some Windows tools write these
	if strings.HasSuffix(name, "/") {
		return
	}
	name = strings.TrimPrefix(path.Clean(name), "/")
	if slices.ContainsFunc(strings.Split(name, "/"), hidden) {
		s.skipped++
		return
	}
	s.add(name, f, "")
}

// dropCommonFolders removes the first folder of all names while it is the same
// in all and each name keeps another one.
func (s *Set) dropCommonFolders() {
	for len(s.entries) > 0 {
		top, _, _ := strings.Cut(s.entries[0].Name, "/")
		for _, e := range s.entries {
			rest, ok := strings.CutPrefix(e.Name, top+"/")
			if !ok || !strings.Contains(rest, "/") {
				return
			}
		}
		for i := range s.entries {
			s.entries[i].Name = s.entries[i].Name[len(top)+1:]
		}
	}
}

// openZipped opens an archive entry, with an error that says what to do.
func openZipped(f *zip.File) (io.ReadCloser, error) {
	if f.Flags&1 != 0 {
		return nil, errors.New("the zip entry is encrypted: make the archive without a password")
	}
	if f.Method != zip.Store && f.Method != zip.Deflate {
		return nil, fmt.Errorf("the zip entry is compressed with method %d: make the archive with deflate or without compression", f.Method)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("cannot open the zip entry: %w", err)
	}
	return r, nil
}
