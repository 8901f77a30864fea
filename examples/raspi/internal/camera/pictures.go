package camera

import (
	"context"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/libresnext/libresnext/internal/images"
)

// pictures plays an image set as frames.
type pictures struct {
	set *images.Set
	at  int
}

func (p *pictures) Next(ctx context.Context) (*Frame, error) {
	if ctx.Err() != nil || p.at >= p.set.Len() {
		return nil, io.EOF
	}
	set, i := p.set, p.at
	p.at++
	return &Frame{Time: time.Now(), decode: func() (image.Image, error) { return set.Load(i) }}, nil
}

// Damage is none: a picture that cannot be decoded says so itself.
func (p *pictures) Damage() Damage { return Damage{} }

// Close leaves the set open for frames that are yet to be decoded.
func (p *pictures) Close() {}

// Pictures is a camera that shows the images of a folder, a .zip archive or one file in the order of their names.
func Pictures(path string, fps float64) (Camera, error) {
	set, err := images.Open(path)
	if err != nil {
		return Camera{}, err
	}
	return Camera{
		Name:  fmt.Sprintf("pictures of %s", path),
		Still: true,
		Every: fps == 0,
		Open:  func(context.Context) (Source, error) { return pace(&pictures{set: set}, fps, picturesFPS), nil },
	}, nil
}
