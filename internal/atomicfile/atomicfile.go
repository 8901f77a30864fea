// Package atomicfile writes files that appear whole or not at all.
package atomicfile

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Write makes the file at path hold what write produces, or leaves it as it
// was and returns an error: the bytes go to a temporary file in the same
// folder, are synced, and the file is renamed. A symbolic link is followed, not
// replaced; a path that exists and is no regular file is refused.
func Write(path string, write func(io.Writer) error) error {
	target, err := resolveTarget(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(target)
	temp := filepath.Join(dir, ".tmp-"+rand.Text())
	if err := writeSynced(temp, write); err != nil {
		return errors.Join(err, removeTemp(temp))
	}
	if err := os.Rename(temp, target); err != nil {
		return errors.Join(err, removeTemp(temp))
	}
	return syncDir(dir)
}

// resolveTarget follows symbolic links. A rename onto a device or a pipe would
// replace it by a plain file, so only a plain file or a free name will do.
func resolveTarget(path string) (string, error) {
	stat, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return "", err
	case !stat.Mode().IsRegular():
		return "", errors.New("it exists and is not a regular file; give another path")
	}
	return filepath.EvalSymlinks(path)
}

// writeSynced creates the file at path and returns once its bytes are on disk.
// The mode obeys the caller's umask, as that of any new file does.
func writeSynced(path string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

func removeTemp(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("a temporary file is left behind: %w", err)
	}
	return nil
}

// syncDir makes a rename in dir survive a power cut, where the system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // a folder cannot be synced there
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
