package camera

import (
	"fmt"
	"slices"
	"strings"

	"github.com/blackjack/webcam"
)

// The pixel formats that are read, as V4L2's header has them.
var (
	formatMJPG = fourCC("MJPG")
	formatJPEG = fourCC("JPEG")
	formatYUYV = fourCC("YUYV")
)

func fourCC(s string) webcam.PixelFormat {
	return webcam.PixelFormat(s[0]) | webcam.PixelFormat(s[1])<<8 | webcam.PixelFormat(s[2])<<16 | webcam.PixelFormat(s[3])<<24
}

// largestYUYV is the picture up to which raw pixels are preferred: no JPEG to decode, and USB 2 can carry them.
const largestYUYV = 640 * 480

// choose finds the format and size to ask for.
func (d *device) choose(wanted Size) (webcam.PixelFormat, Size, error) {
	formats := d.GetSupportedFormats()
	order := []webcam.PixelFormat{formatMJPG, formatJPEG, formatYUYV}
	if wanted.W*wanted.H <= largestYUYV {
		order = []webcam.PixelFormat{formatYUYV, formatMJPG, formatJPEG}
	}
	for _, f := range order {
		if _, ok := formats[f]; ok {
			return f, nearest(d.GetSupportedFrameSizes(f), wanted), nil
		}
	}
	var names []string
	for f := range formats {
		names = append(names, spell(f))
	}
	slices.Sort(names)
	return 0, Size{}, fmt.Errorf("it gives neither YUYV nor MJPEG but %s: if it is the ribbon-cable camera, leave --source away "+
		"to use rpicam-vid", strings.Join(names, " "))
}

// nearest is the smallest size that covers what is wanted, or the largest of all. Of a device that does not tell its
// sizes the wanted one is taken.
func nearest(sizes []webcam.FrameSize, wanted Size) Size {
	var best Size
	for _, s := range sizes {
		z := Size{fit(wanted.W, s.MinWidth, s.MaxWidth, s.StepWidth), fit(wanted.H, s.MinHeight, s.MaxHeight, s.StepHeight)}
		if z.check() != nil {
			continue
		}
		covers, before := z.W >= wanted.W && z.H >= wanted.H, best.W >= wanted.W && best.H >= wanted.H
		smaller := z.W*z.H < best.W*best.H
		if best == (Size{}) || covers && !before || covers == before && smaller == covers {
			best = z
		}
	}
	if best == (Size{}) {
		return wanted
	}
	return best
}

// fit brings v into a range of steps.
func fit(v int, least, most, step uint32) int {
	lo, hi := int(min(least, maxSide+1)), int(min(most, maxSide+1))
	v = min(max(v, lo), hi)
	if step > 1 {
		v = lo + (v-lo)/int(step)*int(step)
	}
	return v
}

func spell(f webcam.PixelFormat) string {
	return string([]byte{byte(f), byte(f >> 8), byte(f >> 16), byte(f >> 24)})
}
