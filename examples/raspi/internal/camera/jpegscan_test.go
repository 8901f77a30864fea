package camera

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// testJPEG makes a small picture of one gray.
func testJPEG(t testing.TB, gray byte) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 24, 16))
	for i := range m.Pix {
		m.Pix[i] = gray
	}
	m.Set(3, 3, color.RGBA{R: 200, A: 255})
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, nil))
	return b.Bytes()
}

// scanAll gives all pictures of a stream and the error that ended it.
func scanAll(s *Scanner) (pictures [][]byte, err error) {
	for {
		b, err := s.Next()
		if err != nil {
			return pictures, err
		}
		pictures = append(pictures, bytes.Clone(b))
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// withSegment puts a segment behind the start of a picture.
func withSegment(picture []byte, marker byte, content []byte) []byte {
	n := len(content) + 2
	return join(picture[:2], []byte{0xff, marker, byte(n >> 8), byte(n)}, content, picture[2:])
}

func TestScanner(t *testing.T) {
	a, b, c := testJPEG(t, 10), testJPEG(t, 120), testJPEG(t, 250)
	thumbnail := withSegment(a, 0xe1, join([]byte("Exif"), b))
	noise := make([]byte, 200_000)
	rnd := rand.NewChaCha8([32]byte{1})
	_, _ = rnd.Read(noise) // it never fails
	for i := range noise {
		if noise[i] == 0xff {
			noise[i] = 0xfe
		}
	}
	for _, test := range []struct {
		name   string
		stream []byte
		want   [][]byte
	}{
		{"one after the other", join(a, b, c), [][]byte{a, b, c}},
		{"the same again", join(a, a), [][]byte{a, a}},
		{"text between", join([]byte("--boundary\r\nContent-Length: 99999999\r\n\r\n"), a, []byte("\r\n--b\r\n"), b), [][]byte{a, b}},
		{"much noise", join(noise, a, noise, b, noise), [][]byte{a, b}},
		{"cut short at the end", join(a, b[:len(b)-30]), [][]byte{a}},
		{"cut short in its scan", join(a[:len(a)-9], b), [][]byte{b}},
		{"cut short in its tables", join(a[:100], b, c), [][]byte{b, c}},
		{"start twice", join([]byte{0xff, 0xd8, 0xff, 0xd8}, a), [][]byte{a}},
		{"fill bytes", join(a[:2], []byte{0xff, 0xff}, a[2:]), [][]byte{join(a[:2], []byte{0xff, 0xff}, a[2:])}},
		{"thumbnail inside", join(thumbnail, c), [][]byte{thumbnail, c}},
		{"a length beyond the end", join(a, []byte{0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff}, b), [][]byte{a, b}},
		{"a length of nothing", join([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 1}, b), [][]byte{b}},
		{"a picture without a scan", join([]byte{0xff, 0xd8, 0xff, 0xd9}, b), [][]byte{b}},
		{"many starts", join(bytes.Repeat([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xd8}, 20_000), a), [][]byte{a}},
	} {
		t.Run(test.name, func(t *testing.T) {
			readers := map[string]io.Reader{
				"whole": bytes.NewReader(test.stream), "bytes": iotest.OneByteReader(bytes.NewReader(test.stream)),
				"half": iotest.HalfReader(bytes.NewReader(test.stream)), "eof": iotest.DataErrReader(bytes.NewReader(test.stream)),
			}
			for name, r := range readers {
				s := NewScanner(r)
				got, err := scanAll(s)
				require.ErrorIs(t, err, io.EOF, name)
				require.Equal(t, len(test.want), len(got), name)
				used := 0
				for i := range got {
					require.True(t, bytes.Equal(test.want[i], got[i]), "%s: picture %d", name, i)
					used += len(got[i])
				}
				require.LessOrEqual(t, s.skipped, int64(len(test.stream)-used), name)
			}
		})
	}
}

// bare is a picture without its end marker.
func bare(picture []byte) []byte { return picture[:len(picture)-2] }

func TestPicturesWithoutEnd(t *testing.T) {
	a, b, c := testJPEG(t, 10), testJPEG(t, 120), testJPEG(t, 250)
	cut := a[:len(a)-9] // in the middle of its scan
	header := []byte("\r\n--b\r\n\r\n")
	for _, test := range []struct {
		name    string
		stream  []byte
		want    [][]byte
		damaged uint64
	}{
		{"none has one", join(bare(a), bare(b), bare(c)), [][]byte{a, b, c}, 0},
		{"headers between", join(bare(a), header, bare(b)), [][]byte{join(bare(a), header, endOfImage), b}, 0},
		{"one alone", bare(a), [][]byte{a}, 0},
		{"the last is cut", join(bare(b), bare(c), cut), [][]byte{b, c}, 1},
		{"the first is cut", join(cut, bare(b), bare(c)), [][]byte{b, c}, 1},
		{"cut ones among whole ones", join(a, cut, b, cut, c), [][]byte{a, b, c}, 2},
		{"the first is cut, the others have one", join(cut, b, bare(c), a), [][]byte{b, a}, 2},
		{"a cut one at the end", join(a, b, cut), [][]byte{a, b}, 1},
		{"cut in its tables", join(a, b[:100], c), [][]byte{a, c}, 1},
		{"too large", join(a, bare(b), bytes.Repeat([]byte{0x55}, maxJPEG), c), [][]byte{a, c}, 1},
		{"rubbish is no picture", join([]byte("\xff\xd8\xff rubbish"), a, []byte("\xff\xd8\xff rubbish")), [][]byte{a}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{
				"whole": bytes.NewReader(test.stream), "half": iotest.HalfReader(bytes.NewReader(test.stream)),
			} {
				s := NewScanner(r)
				got, err := scanAll(s)
				require.ErrorIs(t, err, io.EOF, name)
				require.Equal(t, test.want, got, name)
				require.Equal(t, test.damaged, s.Damage().Count, name)
				require.Equal(t, test.damaged > 0, s.Damage().Last != nil)
			}
		})
	}
	s := NewScanner(bytes.NewReader(join(bytes.Repeat(cut, mostDoubts), bare(a), b)))
	got, err := scanAll(s)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, [][]byte{b}, got, "so many cannot be decoded: a whole one would have an end")
	_, err = NewScanner(bytes.NewReader(join(cut, cut))).Next()
	require.ErrorContains(t, err, "no whole JPEG picture in")
	require.ErrorContains(t, err, "but 2 damaged: a picture is cut short")
}

// TestDamageIsTold: frames carry what was left out, through restarts, and the end of a file that is cut is told.
func TestDamageIsTold(t *testing.T) {
	a := testJPEG(t, 10)
	stream := join(a, a[:len(a)-9], a, a[:len(a)-9])
	var seen []uint64
	var said []string
	report := func(f string, args ...any) { said = append(said, fmt.Sprintf(f, args...)) }
	runs := 0
	camera := Camera{Name: "cam", Loop: true, Open: func(context.Context) (Source, error) {
		if runs++; runs > 2 {
			return nil, io.ErrUnexpectedEOF
		}
		return newStream(bytes.NewReader(stream), Format{}, func() {})
	}}
	put := func(f *Frame) { seen = append(seen, f.Damage.Count) }
	require.ErrorIs(t, camera.Run(t.Context(), put, report), io.ErrUnexpectedEOF)
	require.Equal(t, []uint64{0, 1, 2, 3}, seen)
	const end = "cam: left out at its end: a picture is cut short"
	require.Equal(t, []string{end, end}, said)
}

// TestScannerHostile feeds streams made to use up memory or time.
func TestScannerHostile(t *testing.T) {
	good := testJPEG(t, 77)
	endless := join(good[:len(good)-2], bytes.Repeat([]byte{0x55}, maxJPEG+100)) // a scan that never ends
	for name, stream := range map[string][]byte{
		"a picture too large": join(endless, good),
		"starts only":         join(good, bytes.Repeat([]byte{0xff, 0xd8, 0xff}, 700_000), good),
		"hops":                join(good, bytes.Repeat([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 6, 0xff, 0xd8, 0xff, 0xe0}, 300_000), make([]byte, 70_000), good),
		"standalone markers":  join([]byte{0xff, 0xd8}, bytes.Repeat([]byte{0xff, 0x01}, 1_000_000), good),
	} {
		t.Run(name, func(t *testing.T) {
			s := NewScanner(bytes.NewReader(stream))
			got, err := scanAll(s)
			require.ErrorIs(t, err, io.EOF)
			require.NotEmpty(t, got)
			require.Equal(t, good, got[len(got)-1])
			require.LessOrEqual(t, cap(s.store), maxJPEG+(64<<10))
		})
	}
}

func TestScannerSaysWhatIsWrong(t *testing.T) {
	for stream, want := range map[string]string{
		"":                                  "ended before the first byte",
		"\x00\x00\x00\x01\x67\x42":          "H.264",
		"\x00\x00\x01\xb3":                  "H.264",
		"RIFF....WAVE":                      "begin with \"RIFF\"",
		strings.Repeat("x", maxJPEG+70_000): "--yuv",
	} {
		_, err := NewScanner(strings.NewReader(stream)).Next()
		require.ErrorContains(t, err, want)
		require.NotErrorIs(t, err, io.EOF)
	}
	broken := errors.New("broken")
	s := NewScanner(io.MultiReader(bytes.NewReader(testJPEG(t, 1)), iotest.ErrReader(broken)))
	got, err := scanAll(s)
	require.Len(t, got, 1)
	require.ErrorIs(t, err, broken)
	_, err = NewScanner(idle{}).Next()
	require.ErrorIs(t, err, io.ErrNoProgress)
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func FuzzScanner(f *testing.F) {
	f.Add(testJPEG(f, 5))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xda, 0, 2, 0xff, 0xd9})
	f.Fuzz(func(t *testing.T, b []byte) {
		total := 0
		got, err := scanAll(NewScanner(bytes.NewReader(b)))
		require.Error(t, err)
		for _, picture := range got {
			require.True(t, bytes.HasPrefix(picture, startOfImage))
			if !bytes.Contains(b, picture) {
				total -= len(endOfImage) // it has been given one
			}
			require.True(t, bytes.HasSuffix(picture, []byte{0xff, 0xd9}))
			total += len(picture)
			_, _ = decodeJPEG(withTables(picture)) // it may fail, and must not panic
		}
		require.LessOrEqual(t, total, len(b))
	})
}

func TestMissingHuffmanTables(t *testing.T) {
	whole := testJPEG(t, 90)
	var bare []byte
	bare = append(bare, whole[:2]...)
	end := 2
	eachSegment(whole, func(marker byte, segment []byte) bool {
		end += len(segment)
		if marker != markDHT {
			bare = append(bare, segment...)
		}
		return marker != markSOS
	})
	bare = append(bare, whole[end:]...)
	require.Less(t, len(bare), len(whole)-400)
	_, err := decodeJPEG(bare)
	require.Error(t, err)

	want, err := decodeJPEG(whole)
	require.NoError(t, err)
	got, err := newJPEG(bare).Image()
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, whole, withTables(whole))
	for _, short := range [][]byte{nil, {0xff}, {0xff, 0xd8}, {0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff}} {
		require.Equal(t, short, withTables(short))
	}
}

func TestHostileJPEG(t *testing.T) {
	picture := testJPEG(t, 5)
	i := bytes.Index(picture, []byte{0xff, 0xc0})
	copy(picture[i+5:], []byte{0xff, 0xff, 0xff, 0xff}) // 65535x65535 pixels
	_, err := decodeJPEG(picture)
	require.ErrorContains(t, err, "65535x65535")
	copy(picture[i+5:], []byte{0x0f, 0xff, 0x0f, 0xff}) // 4095x4095 pixels are 50 MB, and 250 if they are progressive
	picture[i+1] = markSOF2
	_, err = decodeJPEG(picture)
	require.ErrorContains(t, err, "needs 239 MB to decode, expected 96 at most")
	_, err = decodeJPEG(join(picture[:i], []byte("behind rubbish"), picture[i:]))
	require.ErrorContains(t, err, "needs 239 MB")
	_, err = decodeJPEG([]byte("no picture"))
	require.ErrorContains(t, err, "damaged")
}
