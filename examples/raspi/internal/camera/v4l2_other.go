//go:build !linux

package camera

import (
	"context"
	"errors"
)

// Device is a camera that is a V4L2 device, on Linux.
func Device(path string, _ Size, _ float64) Camera {
	return Camera{Name: path, Open: func(context.Context) (Source, error) {
		return nil, errors.New("V4L2 devices are Linux's")
	}}
}
