package camera

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxJPEG is the largest picture taken from a stream, and so what the scanner's buffer can grow to.
const maxJPEG = 8 << 20

// maxSegments bounds a picture's segments; cameras write about ten, a progressive picture some dozens.
const maxSegments = 256

// JPEG's markers (ITU-T T.81, table B.1): each is 0xff and one of these.
const (
	markTEM  = 0x01
	markSOF0 = 0xc0
	markSOF2 = 0xc2
	markDHT  = 0xc4
	markRST0 = 0xd0
	markRST7 = 0xd7
	markSOI  = 0xd8
	markEOI  = 0xd9
	markSOS  = 0xda
)

var (
	startOfImage = []byte{0xff, markSOI, 0xff}
	endOfImage   = []byte{0xff, markEOI}
)

// Scanner cuts a stream of JPEG pictures (motion JPEG) into its pictures by their markers. What lies between pictures,
// the headers of an AVI file for instance, is skipped. A picture that is damaged is counted, and the next whole one is
// found again. Where pictures have no end marker, which some cameras leave out, each ends where the next begins: that
// is believed of a stream in which no picture has had one, and in which the first could be decoded. The stream's
// lengths are followed but not believed, and no more than 8 MB are kept.
type Scanner struct {
	r   io.Reader
	max int

	store []byte // what was read and not yet overwritten
	buf   []byte // the end of store that was not yet given out or skipped
	done  int    // buf[:done] was given out and is dropped next

	in       part
	pos      int  // buf[:pos] was looked at; may lie beyond the end of buf
	segments int  // of this picture
	scanned  bool // this picture's first scan was seen
	ends     ends
	doubts   int // pictures that did not prove how the stream's end
	pictures int
	damage   Damage
	skipped  int64   // bytes that belonged to no whole picture
	head     [4]byte // the stream's first bytes
	seen     int
}

// part is what the scanner is looking at.
type part int

const (
	outside  part = iota // between pictures
	segments             // inside one, at a marker
	scan                 // in entropy-coded data
)

// ends is what is known of how a stream's pictures end.
type ends int

const (
	unknown  ends = iota
	marked        // by a marker: a picture without one is cut short
	unmarked      // by the next one's beginning
)

// mostDoubts is how many pictures without an end are decoded to find out.
const mostDoubts = 30

// Damage is what was left out of a stream.
type Damage struct {
	Count uint64 // of pictures
	Last  error  // what was wrong with the last of them; nil if there was none
}

var (
	errCutShort = errors.New("a picture is cut short")
	errBroken   = errors.New("a picture is damaged: what follows its beginning is no JPEG")
	errTooLarge = fmt.Errorf("a picture is larger than %d MB", maxJPEG>>20)
)

// Damage tells what was left out so far.
func (s *Scanner) Damage() Damage { return s.damage }

// spoiled counts a picture that is left out, unless what was taken for its beginning stood there by chance.
func (s *Scanner) spoiled(why error) {
	if s.in != outside && s.segments > 0 {
		s.damage.Count++
		s.damage.Last = why
	}
}

// NewScanner makes a scanner that reads from r.
func NewScanner(r io.Reader) *Scanner { return &Scanner{r: r, max: maxJPEG} }

// Next returns the next whole picture, valid until the call after. At the end of the stream it returns io.EOF, but if
// there was no picture at all an error that says what the stream looks like.
func (s *Scanner) Next() ([]byte, error) {
	s.buf = s.buf[s.done:]
	s.done = 0
	for idle := 0; ; {
		if n := s.advance(); n > 0 {
			if picture := s.take(n); picture != nil {
				s.pictures++
				return picture, nil
			}
			s.buf = s.buf[s.done:]
			s.done = 0
			continue
		}
		if s.pictures == 0 && s.skipped > int64(s.max) {
			return nil, s.noPictures()
		}
		n, err := s.fill()
		if n > 0 {
			idle = 0
			continue
		}
		if idle++; err == nil && idle > 100 {
			err = io.ErrNoProgress
		}
		if errors.Is(err, io.EOF) {
			if s.in == segments && !s.scanned { // what it claims to have may be a true one
				s.spoiled(errCutShort)
				s.giveUp(min(2, len(s.buf)))
				continue
			}
			if picture := s.last(); picture != nil {
				s.pictures++
				return picture, nil
			}
			if s.pictures == 0 {
				return nil, s.noPictures()
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

// take is the picture in the first n bytes of buf; nil if it is none.
func (s *Scanner) take(n int) []byte {
	picture := s.buf[:n]
	switch {
	case bytes.HasSuffix(picture, endOfImage):
		s.ends = marked
	case s.ends == marked:
		s.spoiled(errCutShort)
		picture = nil
	default:
		picture = s.unmarked(picture, s.ends == unknown)
	}
	if picture == nil {
		s.skipped += int64(n)
	}
	s.done, s.in, s.pos = n, outside, 0
	return picture
}

// last is the picture without an end marker that the stream's end leaves behind; nil if there is none.
func (s *Scanner) last() []byte {
	var picture []byte
	if s.in == scan && s.ends != marked {
		picture = s.unmarked(s.buf, true)
	} else {
		s.spoiled(errCutShort)
	}
	s.giveUp(len(s.buf))
	return picture
}

// unmarked gives a picture that has no end marker one; nil if doubted and it cannot be decoded.
func (s *Scanner) unmarked(picture []byte, doubted bool) []byte {
	picture = append(bytes.Clone(picture), endOfImage...)
	if doubted {
		if _, err := decodeJPEG(withTables(picture)); err != nil {
			s.spoiled(errCutShort)
			if s.doubts++; s.doubts == mostDoubts {
				s.ends = marked
			}
			return nil
		}
	}
	s.ends = unmarked
	return picture
}

// advance looks at what is there. It returns the length of the picture at the beginning of buf once it is whole, or 0
// if more bytes are needed.
func (s *Scanner) advance() int {
	for s.pos <= len(s.buf) {
		n, more := 0, false
		switch s.in {
		case outside:
			more = s.find()
		case segments:
			n, more = s.segment()
		case scan:
			n, more = s.entropy()
		}
		if n > 0 {
			return n
		}
		if more {
			break
		}
	}
	if len(s.buf) >= s.max { // no camera's picture
		s.spoiled(errTooLarge)
		s.giveUp(len(s.buf))
	}
	return 0
}

// find skips to the next start of a picture.
func (s *Scanner) find() (more bool) {
	i := bytes.Index(s.buf, startOfImage)
	if i < 0 {
		s.giveUp(max(0, len(s.buf)-len(startOfImage)+1))
		return true
	}
	s.giveUp(i)
	s.in, s.pos, s.segments, s.scanned = segments, 2, 0, false
	return false
}

// segment steps over the marker at pos and what belongs to it. It returns the picture's length at its end.
func (s *Scanner) segment() (end int, more bool) {
	b := s.buf[min(s.pos, len(s.buf)):]
	if len(b) < 2 {
		return 0, true
	}
	marker := b[1]
	switch {
	case b[0] != 0xff:
		s.bad()
	case marker == 0xff: // a fill byte
		s.pos++
	case marker == markEOI && s.scanned:
		return s.pos + 2, false
	case marker == markEOI || marker == markSOI || marker < markSOF0 && marker != markTEM:
		s.bad()
	case marker == markTEM || marker >= markRST0 && marker <= markRST7:
		s.step(2)
	case len(b) < 4:
		return 0, true
	default:
		length := int(b[2])<<8 | int(b[3])
		if length < 2 {
			s.bad()
		} else if s.step(2+length) && marker == markSOS {
			s.in, s.scanned = scan, true
		}
	}
	return 0, false
}

// step goes on behind a segment of n bytes, unless there were too many of them.
func (s *Scanner) step(n int) bool {
	s.pos += n
	s.segments++
	if s.segments > maxSegments {
		s.bad()
		return false
	}
	return true
}

// entropy looks for the marker that ends entropy-coded data, where 0xff is followed by 0 or a restart marker.
func (s *Scanner) entropy() (end int, more bool) {
	i := bytes.IndexByte(s.buf[s.pos:], 0xff)
	if i < 0 {
		s.pos = len(s.buf)
		return 0, true
	}
	s.pos += i
	if s.pos+1 >= len(s.buf) {
		return 0, true
	}
	switch marker := s.buf[s.pos+1]; {
	case marker == 0 || marker >= markRST0 && marker <= markRST7:
		s.pos += 2
	case marker == 0xff:
		s.pos++
	case marker == markEOI:
		return s.pos + 2, false
	case marker == markSOI: // the next picture
		return s.pos, false
	default:
		s.in = segments
	}
	return 0, false
}

// bad leaves a picture that is none. Before the first scan a true picture may begin inside what was stepped over; later
// there is none, because entropy looked at every byte.
func (s *Scanner) bad() {
	s.spoiled(errBroken)
	if s.scanned {
		s.giveUp(min(s.pos, len(s.buf)))
	} else {
		s.giveUp(2)
	}
}

// giveUp skips n bytes and looks for a picture behind them.
func (s *Scanner) giveUp(n int) {
	s.skipped += int64(n)
	s.buf = s.buf[n:]
	s.in, s.pos = outside, 0
}

// fill reads more, behind buf.
func (s *Scanner) fill() (int, error) {
	const chunk = 64 << 10
	if cap(s.buf)-len(s.buf) < chunk {
		if cap(s.store)-len(s.buf) < chunk {
			s.store = make([]byte, min(max(2*cap(s.store), 4*chunk), s.max+chunk))
		}
		s.buf = s.store[:copy(s.store, s.buf)]
	}
	n, err := s.r.Read(s.buf[len(s.buf) : len(s.buf)+chunk])
	fresh := s.buf[len(s.buf) : len(s.buf)+n]
	s.seen += copy(s.head[s.seen:], fresh)
	s.buf = s.buf[:len(s.buf)+n]
	return n, err
}

func (s *Scanner) noPictures() error {
	head := s.head[:s.seen]
	switch {
	case len(head) == 0:
		return errors.New("nothing came: it ended before the first byte")
	case bytes.HasPrefix(head, []byte{0, 0, 0, 1}) || bytes.HasPrefix(head, []byte{0, 0, 1}):
		return errors.New("this is H.264 or H.265 video, expected JPEG pictures: give rpicam-vid --codec mjpeg")
	}
	if s.damage.Count > 0 {
		return fmt.Errorf("no whole JPEG picture in %d bytes but %d damaged: %w",
			s.skipped+int64(len(s.buf)), s.damage.Count, s.damage.Last)
	}
	return fmt.Errorf("no whole JPEG picture in %d bytes, which begin with %q: expected motion JPEG "+
		"(rpicam-vid --codec mjpeg), or give --yuv WIDTHxHEIGHT for raw pixels", s.skipped+int64(len(s.buf)), head)
}
