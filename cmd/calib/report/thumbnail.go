package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
)

const (
	// thumbnailSide is the largest side of an image on the page.
	thumbnailSide = 96
	// smallImage is the largest side of an image that is stored without loss: it is enlarged on the page,
	// where traces of JPEG would show.
	smallImage = 48
	// thumbnailQuality is JPEG's.
	thumbnailQuality = 80
)

// Thumbnail is a small image, encoded. The zero value shows nothing.
type Thumbnail struct {
	kind          string
	data          []byte
	Width, Height int
}

// NewThumbnail makes one of width*height*3 bytes RGB, row by row.
func NewThumbnail(rgb []byte, width, height int) (Thumbnail, error) {
	if width < 1 || height < 1 || len(rgb) != width*height*3 {
		return Thumbnail{}, fmt.Errorf("an image of %d bytes, expected %dx%d pixels of 3", len(rgb), width, height)
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	gray := true
	for i := range width * height {
		r, g, b := rgb[3*i], rgb[3*i+1], rgb[3*i+2]
		gray = gray && r == g && g == b
		copy(img.Pix[4*i:], []byte{r, g, b, 255})
	}
	return encode(shrink(img), gray)
}

// shrink keeps the longer side to thumbnailSide.
func shrink(img *image.RGBA) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if max(w, h) <= thumbnailSide {
		return img
	}
	if w > h {
		w, h = thumbnailSide, max(1, h*thumbnailSide/w)
	} else {
		w, h = max(1, w*thumbnailSide/h), thumbnailSide
	}
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(small, small.Rect, img, img.Rect, draw.Src, nil)
	return small
}

func encode(img *image.RGBA, gray bool) (Thumbnail, error) {
	var source image.Image = img
	if gray {
		g := image.NewGray(img.Rect)
		draw.Draw(g, g.Rect, img, image.Point{}, draw.Src)
		source = g
	}
	var b bytes.Buffer
	t := Thumbnail{kind: "image/jpeg", Width: img.Rect.Dx(), Height: img.Rect.Dy()}
	var err error
	if max(t.Width, t.Height) <= smallImage {
		t.kind = "image/png"
		err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, source)
	} else {
		err = jpeg.Encode(&b, source, &jpeg.Options{Quality: thumbnailQuality})
	}
	t.data = b.Bytes()
	return t, err
}

// URI is the image as a data URI, "" for none.
func (t Thumbnail) URI() template.URL {
	if len(t.data) == 0 {
		return ""
	}
	// Nothing in it comes from outside but bytes in base64.
	return template.URL("data:" + t.kind + ";base64," + base64.StdEncoding.EncodeToString(t.data))
}

// Crisp reports whether the image is enlarged on the page, pixel by pixel.
func (t Thumbnail) Crisp() bool { return t.kind == "image/png" }
