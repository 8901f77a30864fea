package main

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"

	"github.com/libresnext/libresnext/internal/images"
)

// maxStdin is the largest picture read from standard input.
const maxStdin = 256 << 20

// standardInput is the one picture on standard input.
type standardInput struct{ r io.Reader }

func (standardInput) count() int { return 1 }

func (standardInput) name(int) string { return stdinName }

func (standardInput) close() {}

// load copies the picture to a temporary file, because package images reads files.
func (s standardInput) load(int) (image.Image, error) {
	img, err := s.decode()
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return img, nil
}

func (s standardInput) decode() (img image.Image, err error) {
	dir, err := os.MkdirTemp("", "resnext-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "picture")
	if err := spool(file, s.r); err != nil {
		return nil, err
	}
	set, err := images.Open(file)
	if err != nil {
		return nil, withoutName(err)
	}
	defer set.Close()
	if img, err = set.Load(0); err != nil {
		return nil, withoutName(err)
	}
	return img, nil
}

func spool(file string, r io.Reader) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, maxStdin+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if n > maxStdin {
		return fmt.Errorf("the picture is larger than %d MB", maxStdin>>20)
	}
	return nil
}

// withoutName takes the name of the temporary file, which tells people nothing, off an error.
func withoutName(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}
