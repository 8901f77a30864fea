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
)

const (
	// namedBad is how many bad pictures a message names, and reportedBad the object of --json.
	namedBad    = 5
	reportedBad = 100
	// maxKept is how many bytes of prepared pictures are kept, so that few are decoded twice.
	maxKept = 128 << 20
)

// badPicture is a picture that cannot be used.
type badPicture struct {
	Image  string `json:"image"`
	Reason string `json:"reason"`
}

// readPictures reads all pictures that will be used, and tells of those that cannot be.
func (w *work) readPictures(stderr io.Writer) error {
	s := w.settings
	for _, part := range []struct {
		flag, path string
		feed       feed
	}{{"images", s.images, w.plan.calibration}, {"eval", s.eval, w.plan.compared}} {
		f, ok := part.feed.(*setFeed)
		if !ok {
			continue // made up, or part of the other
		}
		found, err := do(w, "reading", f.len(), func(p *phase) (*sifted, error) { return f.sift(w.ctx, s.threads, p.step) })
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

// reported are the bad pictures that --json lists.
func reported(bad []badPicture) []badPicture {
	return append([]badPicture{}, bad[:min(len(bad), reportedBad)]...)
}

// sifted is what reading all pictures of a feed found.
type sifted struct {
	bad             []badPicture // in the order of the pictures
	total           int          // bad ones included
	same, oneColour bool         // all good pictures are equal; each is of one colour
}

// look is what one worker found out about one picture.
type look struct {
	rgb  []byte // nil unless kept
	hash uint64
	flat bool
	bad  *badPicture
}

// sift reads every picture once, on so many threads, and drops those that cannot be read or prepared: what
// comes after it works on the same pictures in the same order whatever the number of threads.
func (f *setFeed) sift(ctx context.Context, threads int, step func(done, total int)) (*sifted, error) {
	seed := maphash.MakeSeed()
	looks := make([]look, len(f.chosen))
	var done atomic.Int64
	err := forEach(ctx, len(looks), threads, func(i int) {
		looks[i] = f.look(i, seed)
		step(int(done.Add(1)), len(looks))
	})
	if err != nil {
		return nil, err
	}
	s := &sifted{total: len(looks), same: true, oneColour: true}
	good := f.chosen[:0:0]
	first := -1
	for i, l := range looks {
		if l.bad != nil {
			s.bad = append(s.bad, *l.bad)
			continue
		}
		if first < 0 {
			first = i
		}
		s.same = s.same && l.hash == looks[first].hash
		s.oneColour = s.oneColour && l.flat
		good = append(good, f.chosen[i])
		f.kept = append(f.kept, l.rgb)
	}
	f.chosen = good
	return s, nil
}

// look reads picture i. The first pictures are kept, as many as there is room for.
func (f *setFeed) look(i int, seed maphash.Seed) look {
	rgb, _, err := f.load(i)
	if err != nil {
		bad := badPicture{f.set.Where(f.chosen[i]), cli.Plain(err).Error()}
		if l, ok := errors.AsType[*images.LoadError](err); ok {
			bad.Reason = cli.Plain(l.Err).Error()
		}
		return look{bad: &bad}
	}
	l := look{hash: maphash.Bytes(seed, rgb), flat: bytes.Equal(rgb[3:], rgb[:len(rgb)-3])}
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

// check makes an error of what is too bad to go on. flag names the pictures.
func (s *sifted) check(flag, path string, strict bool) error {
	n := len(s.bad)
	switch {
	case n == 0 || !strict && 2*n <= s.total:
		return nil
	case n == s.total:
		return fmt.Errorf("--%s %s: no picture of %d can be read: %s", flag, path, n, s.names("; "))
	case strict:
		return fmt.Errorf("--%s %s: %d of %s cannot be read, and --strict skips none: %s",
			flag, path, n, cli.Plural(s.total, "picture"), s.names("; "))
	}
	return fmt.Errorf("--%s %s: %d of %s cannot be read, more than half: %s", flag, path, n, cli.Plural(s.total, "picture"), s.names("; "))
}

// names lists the first bad pictures with their reasons.
func (s *sifted) names(separator string) string {
	var all []string
	for _, b := range s.bad[:min(len(s.bad), namedBad)] {
		all = append(all, b.Image+": "+b.Reason)
	}
	if more := len(s.bad) - len(all); more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, separator)
}

// warn tells of pictures that were skipped.
func (s *sifted) warn(stderr io.Writer, path string) {
	if n := len(s.bad); n > 0 {
		cli.Warn(stderr, tool, "%d of %s of %s cannot be read and %s skipped (--strict makes that an error):\n  %s",
			n, cli.Plural(s.total, "picture"), path, map[bool]string{true: "is", false: "are"}[n == 1], s.names("\n  "))
	}
}

// warnAlike tells of calibration pictures that show next to nothing.
func (s *sifted) warnAlike(stderr io.Writer) {
	n := s.total - len(s.bad)
	if s.same && n > 1 {
		cli.Warn(stderr, tool, "all %d calibration pictures are equal once they are prepared: the ranges will be those of one picture; "+
			"give different ones, like those that the network will see", n)
	}
	if s.oneColour {
		cli.Warn(stderr, tool, "the calibration pictures show a single colour each: the ranges will fit nothing else; "+
			"give pictures like those that the network will see")
	}
}
