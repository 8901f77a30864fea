package main

import (
	"fmt"
	"image"
	"io"

	"github.com/libresnext/libresnext/internal/images"
)

// standardInput is the one image on standard input.
type standardInput struct{ r io.Reader }

func (standardInput) count() int { return 1 }

func (standardInput) name(int) string { return stdinName }

func (standardInput) close() {}

func (s standardInput) load(int) (image.Image, error) {
	img, err := images.Decode(s.r)
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return img, nil
}
