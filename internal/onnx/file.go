package onnx

import (
	"bufio"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
)

// replace makes the file at path hold the parts.
func replace(path string, parts [][]byte) error {
	temp := filepath.Join(filepath.Dir(path), ".tmp-"+rand.Text())
	err := writeSynced(temp, parts)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(temp))
	}
	return nil
}

func writeSynced(path string, parts [][]byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
