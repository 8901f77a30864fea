package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/internal/progress"
)

const (
	// namedBad is how many bad images a message names, and reportedBad the object of --json.
	namedBad    = 5
	reportedBad = 100
	// maxKept is how many bytes of prepared images are kept, so that few are decoded twice.
	maxKept = 128 << 20
)

// badImage is an image that cannot be used.
type badImage struct {
	Image  string `json:"image"`
	Reason string `json:"reason"`
}

// readImages reads all images that will be used, and reports those that cannot be.
func (w *work) readImages(stderr io.Writer) error {
	s := w.settings
	for _, part := range []struct {
		flag, path string
		source     imageSource
	}{{"images", s.images, w.plan.calibration}, {"eval", s.eval, w.plan.compared}} {
		f, ok := part.source.(*datasetSource)
		if !ok {
			continue // made up, or part of the other
		}
		found, err := do(w, "reading", f.len(), func(p *progress.Phase) (*scanResult, error) {
			return f.validateImages(w.ctx, s.threads, p.Step)
		})
		if err != nil {
			return err
		}
		if err := found.check(part.flag, part.path, s.strict); err != nil {
			return err
		}
		found.warn(stderr, part.path)
		if part.flag == "images" {
			found.warnAlike(stderr)
		}
		w.skipped = append(w.skipped, found.bad...)
	}
	return nil
}

// reported are the bad images that --json lists.
func reported(bad []badImage) []badImage {
	return append([]badImage{}, bad[:min(len(bad), reportedBad)]...)
}

// scanResult is what reading all images of a source found.
type scanResult struct {
	bad             []badImage // in the order of the images
	total           int        // bad ones included
	same, oneColour bool       // all good images are equal; each is of one colour
	deep            int        // gray images of 16 bits
}

// scan is what was found out about one image.
type scan struct {
	rgb  []byte // nil unless kept
	hash uint64
	flat bool
	bad  *badImage
}

// validateImages decodes every image once, on up to threads goroutines, and drops those that cannot be read or
// prepared: later passes see the same images in the same order whatever the number of threads.
func (d *datasetSource) validateImages(
	ctx context.Context, threads int, step func(done, total int),
) (*scanResult, error) {
	seed := maphash.MakeSeed()
	scans := make([]scan, len(d.chosen))
	var done atomic.Int64
	err := forEach(ctx, len(scans), threads, func(i int) {
		scans[i] = d.scan(i, seed)
		step(int(done.Add(1)), len(scans))
	})
	if err != nil {
		return nil, err
	}
	s := &scanResult{total: len(scans), same: true, oneColour: true}
	good := d.chosen[:0:0]
	first := -1
	for i, l := range scans {
		if l.bad != nil {
			s.bad = append(s.bad, *l.bad)
			continue
		}
		if first < 0 {
			first = i
		}
		s.same = s.same && l.hash == scans[first].hash
		s.oneColour = s.oneColour && l.flat
		good = append(good, d.chosen[i])
		d.kept = append(d.kept, l.rgb)
	}
	d.chosen, s.deep = good, int(d.deep.Load())
	return s, nil
}

// scan decodes image i. The first images are kept, as many as there is room for.
func (d *datasetSource) scan(i int, seed maphash.Seed) scan {
	rgb, _, err := d.load(i)
	if err != nil {
		bad := badImage{d.set.Where(d.chosen[i]), cli.Plain(err).Error()}
		if l, ok := errors.AsType[*images.LoadError](err); ok {
			bad.Reason = cli.Plain(l.Err).Error()
		}
		return scan{bad: &bad}
	}
	l := scan{hash: maphash.Bytes(seed, rgb), flat: bytes.Equal(rgb[3:], rgb[:len(rgb)-3])}
	if i < maxKept/len(rgb) { // no product, which could leave the int of a 32-bit machine
		l.rgb = rgb
	}
	return l
}

// forEach runs work on 0..n-1, in any order, until ctx ends. threads is the number of goroutines, 0 for one
// per CPU.
func forEach(ctx context.Context, n, threads int, work func(i int)) error {
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(threads, n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	workers.Wait()
	return ctx.Err()
}

// check returns an error where too few images are left to go on. flag names the images.
func (s *scanResult) check(flag, path string, strict bool) error {
	n := len(s.bad)
	switch {
	case n == 0 || !strict && 2*n <= s.total:
		return nil
	case n == s.total:
		return fmt.Errorf("--%s %s: no image of %d can be read: %s", flag, path, n, s.names("; "))
	case strict:
		return fmt.Errorf("--%s %s: %d of %s cannot be read, and --strict skips none: %s",
			flag, path, n, cli.Plural(s.total, "image"), s.names("; "))
	}
	return fmt.Errorf("--%s %s: %d of %s cannot be read, more than half: %s", flag, path, n, cli.Plural(s.total, "image"), s.names("; "))
}

// names lists the first bad images with their reasons.
func (s *scanResult) names(separator string) string {
	var all []string
	for _, b := range s.bad[:min(len(s.bad), namedBad)] {
		all = append(all, b.Image+": "+b.Reason)
	}
	if more := len(s.bad) - len(all); more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, separator)
}

// warn reports the images that were skipped, and those that training may have seen otherwise.
func (s *scanResult) warn(stderr io.Writer, path string) {
	if s.deep > 0 {
		cli.Warn(stderr, tool, "%d of %s of %s are gray in 16 bits: here they are brought to 8 bits by scale; torchvision's loader (Pillow's convert) clips them at 255, to white for the most part, and where training did so the network must see the same",
			s.deep, cli.Plural(s.total, "image"), path)
	}
	if n := len(s.bad); n > 0 {
		cli.Warn(stderr, tool, "%d of %s of %s cannot be read and %s skipped (--strict makes that an error):\n  %s",
			n, cli.Plural(s.total, "image"), path, map[bool]string{true: "is", false: "are"}[n == 1], s.names("\n  "))
	}
}

// warnAlike warns where the calibration images are all alike or blank.
func (s *scanResult) warnAlike(stderr io.Writer) {
	n := s.total - len(s.bad)
	if s.same && n > 1 {
		cli.Warn(stderr, tool, "all %d calibration images are equal once they are prepared: the ranges will be those of one image; "+
			"give different ones, like those that the network will see", n)
	}
	if s.oneColour {
		cli.Warn(stderr, tool, "the calibration images show a single colour each: the ranges will fit nothing else; "+
			"give images like those that the network will see")
	}
}
