package images

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

// unread are the endings, in lower case, of pictures that are not read. They count as images all the same:
// a folder of them must not look empty, and one among others must not be missing in silence.
var unread = []string{".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2"}

// isPicture reports whether a file's name ends as an image's does.
func isPicture(name string) bool {
	ending := strings.ToLower(path.Ext(name))
	return slices.Contains(extensions, ending) || slices.Contains(unread, ending)
}

// signature tells a format by the bytes that stand at an offset.
type signature struct {
	at    int
	bytes string
	name  string
}

// foreign are formats that are recognised in order to say what they are.
var foreign = []signature{
	{4, "ftypheic", "a HEIC picture"}, {4, "ftypheix", "a HEIC picture"}, {4, "ftyphevc", "a HEIC picture"},
	{4, "ftypheim", "a HEIC picture"}, {4, "ftypheis", "a HEIC picture"}, {4, "ftypmif1", "a HEIF picture"},
	{4, "ftypmsf1", "a HEIF picture"}, {4, "ftypavif", "an AVIF picture"}, {4, "ftypavis", "an AVIF picture"},
	{4, "ftypcrx ", "a camera's raw picture"}, {0, "FUJIFILMCCD-RAW", "a camera's raw picture"},
	{4, "ftyp", "a video"}, {0, "\x1A\x45\xDF\xA3", "a video"},
	{0, "\xFF\x0A", "a JPEG XL picture"}, {0, "\x00\x00\x00\x0CJXL \r\n\x87\n", "a JPEG XL picture"},
	{0, "\x00\x00\x00\x0CjP  \r\n\x87\n", "a JPEG 2000 picture"}, {0, "\xFF\x4F\xFF\x51", "a JPEG 2000 picture"},
	{0, "8BPS", "a Photoshop file"}, {0, "%PDF-", "a PDF document"}, {0, "<svg", "an SVG drawing"},
	{0, "\x00\x00\x01\x00", "an icon file"},
}

// archives are such formats too, which hold pictures at best.
var archives = []signature{
	{257, "ustar", "a tar archive"}, {0, "7z\xBC\xAF\x27\x1C", "a 7z archive"}, {0, "Rar!\x1A\x07", "a RAR archive"},
	{0, "\x1F\x8B", "a gzip file"},
}

// recognise returns the name of the format in a list that b begins as, or "".
func recognise(b []byte, list []signature) string {
	for _, f := range list {
		if len(b) > f.at && bytes.HasPrefix(b[f.at:], []byte(f.bytes)) {
			return f.name
		}
	}
	return ""
}

// notAnImage describes the bytes of a file that none of the decoders knows.
func notAnImage(b []byte) error {
	if name := recognise(b, foreign); name != "" {
		return fmt.Errorf("it is %s, which is not read: save it as JPEG or PNG", name)
	}
	if name := recognise(b, archives); name != "" {
		return fmt.Errorf("it is %s, and of archives only .zip is read: unpack it", name)
	}
	return fmt.Errorf("not an image: it begins with %q, and JPEG, PNG, GIF, WebP, BMP and TIFF are read", b[:min(len(b), 16)])
}
