package images

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/libresnext/libresnext/internal/text"
)

// maxLinks bounds the links to folders, and the folders reached through them: every folder of a tree may link to
// every other.
const maxLinks = 1 << 17

// listFolder adds the images of the folder s.path, or those of an IDX file in it.
func (s *Set) listFolder(part Part) error {
	root, err := resolve(s.path)
	if err != nil {
		return named(s.path, cause(err))
	}
	s.folders = map[string]bool{}
	w := folderWalk{set: s, root: root}
	if err := w.walk(folderPath{s.path, root, "", false}); err != nil || len(s.entries) > 0 {
		return err
	}
	file, err := findIDX(s.path, part)
	if err != nil || file == "" {
		return err
	}
	s.skipped = 0 // they were no pictures, and need not be
	return s.listIDX(file)
}

// folderWalk walks a folder tree through symbolic links.
type folderWalk struct {
	set  *Set
	root string // the tree's own folder, resolved
	// seen are the folders below the entry of the root that is being walked, resolved: an entry has every folder
	// once, whatever links to it, and two entries may be links to one folder.
	seen  map[string]bool
	links int
}

// folderPath is a folder on the walk.
type folderPath struct {
	path, real string // as it is shown, and without links
	prefix     string // of its pictures' names
	linked     bool   // it was reached through a link
}

// walk adds the images of a folder.
func (w *folderWalk) walk(dir folderPath) error {
	if dir.linked {
		if w.links++; w.links > maxLinks {
			return fmt.Errorf("images: %s: more than %d links to folders and folders behind them: remove links that lead back into the tree",
				text.Printable(w.set.path), maxLinks)
		}
	}
	if w.seen[dir.real] {
		w.set.skipped++
		return nil
	}
	w.set.folders[dir.real] = true
	if dir.prefix != "" {
		w.seen[dir.real] = true
	}
	files, err := os.ReadDir(dir.path)
	if err != nil {
		return fmt.Errorf("images: %s: cannot list the folder: %w", text.Printable(dir.path), cause(err))
	}
	for _, f := range files {
		if dir.prefix == "" {
			w.seen = map[string]bool{w.root: true}
		}
		if err := w.visit(dir, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *folderWalk) visit(dir folderPath, f fs.DirEntry) error {
	file := filepath.Join(dir.path, f.Name())
	mode := f.Type()
	link := mode&fs.ModeSymlink != 0
	if link {
		// A link that leads nowhere stays in the set under its name, for Load
		// to report.
		mode = 0
		if info, err := os.Stat(file); err == nil {
			mode = info.Mode().Type()
		}
	}
	switch {
	case hidden(f.Name()) || !mode.IsDir() && !mode.IsRegular():
		w.set.skipped++
	case mode.IsDir():
		below := folderPath{file, filepath.Join(dir.real, f.Name()), dir.prefix + f.Name() + "/", dir.linked || link}
		if link {
			var err error
			if below.real, err = resolve(file); err != nil {
				return named(file, cause(err))
			}
		}
		return w.walk(below)
	default:
		w.set.add(dir.prefix+f.Name(), nil, file)
	}
	return nil
}

// resolve gives a path from the root of the file system, without links.
func resolve(path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(full)
}

// Uses reports whether the set was opened from the file at path: it is the archive, the IDX file, its labels or the
// picture itself, or a picture in one of the folders that were walked, readable or not. A file that does not
// exist is none of them.
func (s *Set) Uses(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	for _, own := range []string{s.path, s.labelFile} {
		if in, err := os.Stat(own); err == nil && os.SameFile(in, info) {
			return true
		}
	}
	folder, err := resolve(filepath.Dir(path))
	if err == nil && s.folders[folder] && isPicture(path) {
		return true
	}
	target, err := resolve(path)
	return err == nil && s.folders[filepath.Dir(target)] && isPicture(target)
}

// Single reports whether the set is one image file, and no folder or archive with one in it.
func (s *Set) Single() bool { return len(s.entries) == 1 && s.entries[0].file == s.path }
