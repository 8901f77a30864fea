package images

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// listFolder adds the images of the folder s.path, or those of an IDX file in it.
func (s *Set) listFolder(part Part) error {
	w := folderWalk{set: s}
	if err := w.walk(s.path, ""); err != nil || len(s.entries) > 0 {
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
	set     *Set
	parents []fs.FileInfo // the folders being walked, to notice a link to one of them
}

// walk adds the images of the folder dir, whose names begin with prefix.
func (w *folderWalk) walk(dir, prefix string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("images: %s: %w", dir, cause(err))
	}
	if slices.ContainsFunc(w.parents, func(p fs.FileInfo) bool { return os.SameFile(p, info) }) {
		w.set.skipped++
		return nil
	}
	w.parents = append(w.parents, info)
	defer func() { w.parents = w.parents[:len(w.parents)-1] }()

	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("images: %s: cannot list the folder: %w", dir, cause(err))
	}
	for _, f := range files {
		if err := w.visit(filepath.Join(dir, f.Name()), prefix, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *folderWalk) visit(file, prefix string, f fs.DirEntry) error {
	mode := f.Type()
	if mode&fs.ModeSymlink != 0 {
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
		return w.walk(file, prefix+f.Name()+"/")
	default:
		w.set.add(prefix+f.Name(), nil, file)
	}
	return nil
}
