package images

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/libresnext/libresnext/internal/text"
)

// A Part is the half of a data set that is taken where a folder holds more than one, as MNIST's does.
type Part string

// The parts of MNIST and its relatives, by the beginning of their files' names.
const (
	Train Part = "train"
	Test  Part = "t10k"
)

// idxName is the usual name of an IDX file of images or labels, gzipped or not: t10k-images-idx3-ubyte.gz.
var idxName = regexp.MustCompile(`(images|labels)([-_.])idx[134]([-_.])ubyte(\.gz)?$`)

// isImagesName reports whether a name is that of an IDX file of images.
func isImagesName(name string) bool {
	m := idxName.FindStringSubmatch(name)
	return m != nil && m[1] == "images"
}

// labelNames returns the names that the label file of a file of images may have, best first; none if the name
// is not the usual one.
func labelNames(imagesPath string) []string {
	if !isImagesName(imagesPath) {
		return nil
	}
	plain := idxName.ReplaceAllString(imagesPath, "labels${2}idx1${3}ubyte")
	return []string{plain, plain + ".gz"}
}

// listIDX opens a file of images and the label file beside it, if there is one.
func (s *Set) listIDX(path string) error {
	x, err := openIDX(path)
	if err != nil {
		return err
	}
	s.path, s.archive = path, x
	if len(x.dims) == 1 {
		return fmt.Errorf("images: %s: it holds labels: give the file of the images beside it", text.Printable(path))
	}
	for _, name := range labelNames(path) {
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if s.idxClasses, err = s.readClasses(name, x.dims[0]); err != nil {
			return err
		}
		break
	}
	s.idx = x
	return nil
}

// readClasses reads the label file of n images.
func (s *Set) readClasses(path string, n int) ([]byte, error) {
	x, err := openIDX(path)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	if len(x.dims) != 1 {
		return nil, fmt.Errorf("images: %s: it has %d dimensions, expected 1: a label for each image",
			text.Printable(path), len(x.dims))
	}
	if x.dims[0] != n {
		return nil, fmt.Errorf("images: %s has %d labels, but %s has %d images: give files that belong together",
			text.Printable(path), x.dims[0], text.Printable(s.path), n)
	}
	classes, err := x.bytes(0, n)
	if err != nil {
		return nil, named(path, err)
	}
	s.labelFile = path
	return classes, nil
}

// idxItem is image i. Its name is a number; all are of equal length, so that they sort as the images stand. Items are
// made when they are asked for: a small gzip file can announce millions.
func (s *Set) idxItem(i int) Item {
	item := Item{Name: fmt.Sprintf("%0*d", len(strconv.Itoa(s.idx.dims[0]-1)), i), Class: s.class(i)}
	if s.idxClasses != nil {
		item.Label = strconv.Itoa(item.Class)
	}
	return item
}

// findIDX returns the IDX file of images to take from a folder; "" if it holds none. Files of the wanted part
// come first, and plain ones before gzipped ones.
func findIDX(dir string, part Part) (string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("images: %s: cannot list the folder: %w", text.Printable(dir), cause(err))
	}
	var plain []string // without .gz
	found := map[string]string{}
	for _, f := range files {
		name := f.Name()
		if f.IsDir() || !isImagesName(name) {
			continue
		}
		key := strings.TrimSuffix(name, ".gz")
		if _, ok := found[key]; !ok {
			plain = append(plain, key)
			found[key] = name
		} else if name == key {
			found[key] = name
		}
	}
	if len(plain) == 0 {
		return "", nil
	}
	if len(plain) > 1 {
		wanted := slices.DeleteFunc(slices.Clone(plain), func(n string) bool { return !part.names(n) })
		if len(wanted) != 1 {
			return "", fmt.Errorf("images: %s: it holds %s: give one of these files",
				text.Printable(dir), text.Printable(strings.Join(plain, ", ")))
		}
		plain = wanted
	}
	return filepath.Join(dir, found[plain[0]]), nil
}

// names reports whether a file's name is one of the part.
func (p Part) names(file string) bool {
	file = strings.ToLower(file)
	if p == Test {
		return strings.Contains(file, string(Test)) || strings.Contains(file, "test")
	}
	return strings.Contains(file, string(p))
}
