// Package images reads the pictures people have: a folder, a .zip archive or a
// single file, in the layout of torchvision's ImageFolder (class/file) or in
// none, as JPEG, PNG, GIF, WebP, BMP or TIFF; and the IDX files of MNIST.
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
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/libresnext/libresnext/internal/text"
)

// extensions are the file name endings taken for images, in lower case.
var extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}

// An Item names one image of a [Set].
type Item struct {
	// Name is the path inside the folder or archive, with slashes; of a single
	// file, its last element. It is as strangers made it: see package text
	// before it is printed.
	Name string

	// Label is the first element of Name if there are more than one, as in
	// ImageFolder's class/file. Of an IDX file it is the number of the class.
	// Without a label it is "".
	Label string

	// Class is the index of the class, or Unlabelled: of Label among
	// [Set.Labels], as torchvision's ImageFolder counts, or the number that an
	// IDX file of labels gives.
	Class int
}

// Unlabelled is the class of an image without a label.
const Unlabelled = -1

// entry is an Item and where its bytes are: in the archive, in a file, or in an
// IDX file at a number.
type entry struct {
	Item
	zipped *zip.File
	file   string
	idx    *idxFile
	number int
}

// Set is an ordered list of images: sorted by name, in byte order. Its methods
// are safe for concurrent use, except Close.
type Set struct {
	path      string
	labelFile string // of an IDX file
	entries   []entry
	labels    []string
	skipped   int
	folders   map[string]bool // that were walked, resolved; nil unless the set is of a folder
	archive   io.Closer       // nil unless the set is a .zip or an IDX file
	// Of an IDX file there are no entries; see idxItem.
	idx        *idxFile
	idxClasses []byte
}

// Open lists the images of a folder (with its subfolders; symbolic links are
// followed), of a .zip archive, of an IDX file, or the one image file at path.
//
// In folders and archives a file counts as an image by the ending of its name,
// in any case: .jpg .jpeg .png .gif .webp .bmp .tif .tiff, and those of HEIC,
// AVIF, JPEG XL and JPEG 2000, which Load refuses. Other files and
// hidden ones (those whose name, or whose folder's name, begins with a dot) are
// skipped and counted. If all images of an archive lie in one common folder,
// that folder is dropped from their names, as long as each keeps another folder
// as its label.
//
// IDX files are those of MNIST, gzipped or not: images of unsigned bytes,
// n x height x width, or with 3 colours n x height x width x 3. The labels are
// found beside them by name: t10k-labels-idx1-ubyte or the same with .gz for
// t10k-images-idx3-ubyte.gz. A gzipped file is held in memory, a byte for each
// of its bytes; another is read as images are loaded. In a folder that holds no
// image files the IDX files are looked for; of several the test set is taken, see
// [OpenPart].
//
// No image is read yet: a file that is no image after all is reported by
// [Set.Load]. A path that does not exist, a damaged archive and a folder or
// archive without images are errors. Close the set after use.
func Open(path string) (*Set, error) { return OpenPart(path, Test) }

// OpenPart is [Open], but that it takes another part of a data set of IDX files.
func OpenPart(path string, part Part) (*Set, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("images: %s: %w; give a folder, a .zip archive or an image file",
			text.Printable(path), cause(err))
	}
	s := &Set{path: path}
	switch {
	case info.IsDir():
		err = s.listFolder(part)
	case isZip(path):
		err = s.listZip()
	case isIDX(path):
		err = s.listIDX(path)
	default:
		s.entries = []entry{{Item: Item{Name: info.Name()}, file: path}}
	}
	if err == nil && s.Len() == 0 {
		err = s.noImages()
	}
	if err != nil {
		_ = s.Close() // the archive was only read
		return nil, err
	}
	if !s.IDX() {
		slices.SortFunc(s.entries, func(a, b entry) int { return strings.Compare(a.Name, b.Name) })
		s.collectLabels()
	}
	return s, nil
}

func (s *Set) noImages() error {
	what := fmt.Sprintf("images: %s: no images found (looked for %s, and IDX files such as t10k-images-idx3-ubyte.gz)",
		text.Printable(s.path), strings.Join(extensions, " "))
	switch s.skipped {
	case 0:
		return errors.New(what)
	case 1:
		return errors.New(what + "; 1 other file was skipped")
	}
	return fmt.Errorf("%s; %d other files were skipped", what, s.skipped)
}

// add appends an image of the given name to the set, or counts it as skipped.
func (s *Set) add(name string, zipped *zip.File, file string) {
	if !isPicture(name) {
		s.skipped++
		return
	}
	s.entries = append(s.entries, entry{Item: Item{Name: name}, zipped: zipped, file: file})
}

// collectLabels sets each item's label and class, and the sorted list of labels.
func (s *Set) collectLabels() {
	seen := map[string]bool{}
	for i := range s.entries {
		e := &s.entries[i]
		if folder, _, ok := strings.Cut(e.Name, "/"); ok {
			e.Label = folder
			seen[folder] = true
		}
	}
	s.labels = slices.Sorted(maps.Keys(seen))
	for i := range s.entries {
		e := &s.entries[i]
		e.Class = Unlabelled
		if class, ok := slices.BinarySearch(s.labels, e.Label); ok && e.Label != "" {
			e.Class = class
		}
	}
}

// Path returns the path given to [Open], or in a folder of IDX files that of the
// one taken.
func (s *Set) Path() string { return s.path }

// LabelFile returns the path of the IDX file of labels, or "".
func (s *Set) LabelFile() string { return s.labelFile }

// Len returns the number of images, at least 1.
func (s *Set) Len() int {
	if s.idx != nil {
		return s.idx.dims[0]
	}
	return len(s.entries)
}

// Item returns image i, 0 <= i < Len.
func (s *Set) Item(i int) Item {
	if s.idx != nil {
		return s.idxItem(i)
	}
	return s.entries[i].Item
}

func (s *Set) entry(i int) entry {
	if s.idx != nil {
		return entry{Item: s.idxItem(i), idx: s.idx, number: i}
	}
	return s.entries[i]
}

// Where returns what people call image i in an error, see [LoadError].
func (s *Set) Where(i int) string {
	e := s.entry(i)
	return s.where(&e)
}

// IDX reports whether the images are those of an IDX file.
func (s *Set) IDX() bool { return s.idx != nil }

// Labels returns the distinct labels in byte order, without "": the index of a
// label in it is the class index that torchvision's ImageFolder gives. IDX files
// know no labels but numbers, and give none.
func (s *Set) Labels() []string { return slices.Clone(s.labels) }

// Skipped returns how many files were passed over because they are hidden or
// their names do not end like an image's. A hidden folder counts as one; in an
// archive each of its files counts.
func (s *Set) Skipped() int { return s.skipped }

// Close closes the archive or IDX file, after which Load fails. For folders and
// images it does nothing.
func (s *Set) Close() error {
	if s.archive == nil {
		return nil
	}
	return s.archive.Close()
}

// where returns the name of an entry as errors show it: on one line, whatever is in it.
func (s *Set) where(e *entry) string {
	if e.file == "" {
		return text.Printable(s.path + ": " + e.Name)
	}
	return text.Printable(e.file)
}

// named says in an error which file it is about.
func named(path string, err error) error {
	return fmt.Errorf("images: %s: %w", text.Printable(path), err)
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
