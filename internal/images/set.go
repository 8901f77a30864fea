// Package images reads the pictures people have: a folder, a .zip archive or a
// single file, in the layout of torchvision's ImageFolder (class/file) or in
// none, as JPEG, PNG, GIF, WebP, BMP or TIFF.
//
// Names and labels come in one fixed order, nothing is extracted to disk, and
// a picture is decoded only when it is asked for. Every size taken from a file
// is checked before memory is allocated for it. Errors name the file and say
// what is wrong with it.
package images

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// extensions are the file name endings taken for images, in lower case.
var extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}

// An Item names one image of a [Set].
type Item struct {
	// Name is the path inside the folder or archive, with slashes; of a single
	// file, its last element.
	Name string

	// Label is the first element of Name if there are more than one, as in
	// ImageFolder's class/file; else it is "".
	Label string
}

// entry is an Item and where its bytes are: in the archive, or in a file.
type entry struct {
	Item
	zipped *zip.File
	file   string
}

// Set is an ordered list of images: sorted by name, in byte order. Its methods
// are safe for concurrent use, except Close.
type Set struct {
	path    string
	entries []entry
	labels  []string
	skipped int
	archive io.Closer // nil unless the set is a .zip
}

// Open lists the images of a folder (with its subfolders; symbolic links are
// followed), of a .zip archive, or the one image file at path.
//
// In folders and archives a file counts as an image by the ending of its name,
// in any case: .jpg .jpeg .png .gif .webp .bmp .tif .tiff. Other files and
// hidden ones (those whose name, or whose folder's name, begins with a dot) are
// skipped and counted. If all images of an archive lie in one common folder,
// that folder is dropped from their names, as long as each keeps another folder
// as its label.
//
// No image is read yet: a file that is no image after all is reported by
// [Set.Load]. A path that does not exist, a damaged archive and a folder or
// archive without images are errors. Close the set after use.
func Open(path string) (*Set, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("images: %s: %w; give a folder, a .zip archive or an image file", path, cause(err))
	}
	s := &Set{path: path}
	switch {
	case info.IsDir():
		err = s.listFolder()
	case isZip(path):
		err = s.listZip()
	default:
		s.entries = []entry{{Item: Item{Name: info.Name()}, file: path}}
	}
	if err == nil && len(s.entries) == 0 {
		err = s.noImages()
	}
	if err != nil {
		_ = s.Close() // the archive was only read
		return nil, err
	}
	slices.SortFunc(s.entries, func(a, b entry) int { return strings.Compare(a.Name, b.Name) })
	s.collectLabels()
	return s, nil
}

func (s *Set) noImages() error {
	text := fmt.Sprintf("images: %s: no images found (looked for %s)", s.path, strings.Join(extensions, " "))
	switch s.skipped {
	case 0:
		return errors.New(text)
	case 1:
		return errors.New(text + "; 1 other file was skipped")
	}
	return fmt.Errorf("%s; %d other files were skipped", text, s.skipped)
}

// add appends an image of the given name to the set, or counts it as skipped.
func (s *Set) add(name string, zipped *zip.File, file string) {
	if !slices.Contains(extensions, strings.ToLower(path.Ext(name))) {
		s.skipped++
		return
	}
	s.entries = append(s.entries, entry{Item: Item{Name: name}, zipped: zipped, file: file})
}

// collectLabels sets each item's label and the sorted list of them.
func (s *Set) collectLabels() {
	seen := map[string]bool{}
	for i := range s.entries {
		e := &s.entries[i]
		if folder, _, ok := strings.Cut(e.Name, "/"); ok {
			e.Label = folder
			seen[folder] = true
		}
	}
	for label := range seen {
		s.labels = append(s.labels, label)
	}
	slices.Sort(s.labels)
}

// Path returns the path given to [Open].
func (s *Set) Path() string { return s.path }

// Len returns the number of images, at least 1.
func (s *Set) Len() int { return len(s.entries) }

// Item returns image i, 0 <= i < Len.
func (s *Set) Item(i int) Item { return s.entries[i].Item }

// Labels returns the distinct labels in byte order, without "": the index of a
// label in it is the class index that torchvision's ImageFolder gives.
func (s *Set) Labels() []string { return slices.Clone(s.labels) }

// Skipped returns how many files were passed over because they are hidden or
// their names do not end like an image's. A hidden folder counts as one; in an
// archive each of its files counts.
func (s *Set) Skipped() int { return s.skipped }

// Close closes the archive, after which Load fails. For folders and files it
// does nothing.
func (s *Set) Close() error {
	if s.archive == nil {
		return nil
	}
	return s.archive.Close()
}

// where returns the name of an entry as errors show it.
func (s *Set) where(e *entry) string {
	if e.zipped != nil {
		return s.path + ": " + e.Name
	}
	return e.file
}

// cause takes the operation and the path off an error of package os.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// hidden reports whether a file or folder name is passed over.
func hidden(name string) bool { return strings.HasPrefix(name, ".") }
