package images

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/libresnext/libresnext/internal/text"
)

// maxLabelBytes is the largest label file read: ImageNet-21k's has 1 MB.
const maxLabelBytes = 16 << 20

// ReadLabels reads the class names of a text file: UTF-8, one on each line in
// the order of the classes. The whole line is the label, commas included; space
// around it is dropped. Blank lines and lines that begin with '#' are passed
// over, as are a byte order mark and the carriage returns of Windows.
func ReadLabels(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("images: label file %s: %w", text.Printable(path), cause(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxLabelBytes+1))
	if err != nil {
		return nil, fmt.Errorf("images: label file %s: %w", text.Printable(path), cause(err))
	}
	if len(b) > maxLabelBytes {
		return nil, fmt.Errorf("images: label file %s: larger than %d MB: is this a text file?",
			text.Printable(path), maxLabelBytes>>20)
	}
	labels, err := parseLabels(b)
	if err != nil {
		return nil, fmt.Errorf("images: label file %s: %w", text.Printable(path), err)
	}
	return labels, nil
}

func parseLabels(b []byte) (labels []string, err error) {
	if bytes.HasPrefix(b, []byte("\xFF\xFE")) || bytes.HasPrefix(b, []byte("\xFE\xFF")) {
		return nil, fmt.Errorf("the text is UTF-16: save it as UTF-8")
	}
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(b, []byte("\uFEFF"))) {
		number++
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return nil, fmt.Errorf("line %d is not UTF-8 text: give one label on each line", number)
		}
		label := strings.TrimSpace(string(line))
		if label != "" && !strings.HasPrefix(label, "#") {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		return nil, fmt.Errorf("no labels: give one on each line")
	}
	return labels, nil
}
