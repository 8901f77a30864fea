package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// sniffed is how many bytes from the start of a file decide its format; a tar
// archive shows itself last, at byte 257.
const sniffed = 512

// foreign lists files that are often given in place of a checkpoint, by how
// they begin, and what to do about each.
var foreign = []struct{ magic, advice string }{
	{"\xff\xd8\xff", "is a JPEG image, not a checkpoint"},
	{"\x89PNG\r\n", "is a PNG image, not a checkpoint"},
	{"GIF8", "is a GIF image, not a checkpoint"},
	{"\x1f\x8b", "is compressed by gzip; run gunzip on it first"},
	{"\x28\xb5\x2f\xfd", "is compressed by zstd; run unzstd on it first"},
	{"\xfd7zXZ\x00", "is compressed by xz; run unxz on it first"},
	{"\x89HDF\r\n", "is an HDF5 file (Keras?); only PyTorch and safetensors files are read"},
	{"\x93NUMPY", "is one NumPy array; give the folder of .npy files, one for each tensor, or an .npz of them"},
	{"PK\x05\x06", "is an empty zip archive, not a checkpoint"},
	{"version https://git-lfs", "is a Git LFS pointer, not the checkpoint itself; run git lfs pull"},
}

// sniff names the format of a file by its first bytes.
func sniff(r io.ReaderAt, size int64) (string, error) {
	if size == 0 {
		return "", errors.New("the file is empty (0 bytes); copy or download it again")
	}
	head := make([]byte, min(size, sniffed))
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), head); err != nil {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return FormatZip, nil
	case looksLikePickle(head):
		return FormatLegacy, nil
	case looksLikeSafetensors(head):
		return FormatSafetensors, nil
	case looksLikeONNX(head):
		return FormatONNX, nil
	case looksLikeTorch7(head):
		return FormatTorch7, nil
	case looksLikeIndex(head):
		return FormatSharded, nil
	}
	return "", foreignError(head)
}

// looksLikePickle knows the header of protocols 2 to 5, and of protocol 1, in
// which the first pickle has to be the text of PyTorch's magic number.
func looksLikePickle(head []byte) bool {
	if len(head) >= 2 && head[0] == 0x80 {
		return head[1] >= 2 && head[1] <= 5
	}
	return bytes.HasPrefix(head, []byte("L"+legacyMagic.String()+"L\n"))
}

// looksLikeSafetensors knows a plausible header length before a '{'. Whether
// the file is that long is for its own reader, which says what is missing.
func looksLikeSafetensors(head []byte) bool {
	return len(head) > 8 && head[8] == '{' && binary.LittleEndian.Uint64(head) <= 100_000_000
}

// foreignError says what the file is, or at least what it is not.
func foreignError(head []byte) error {
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return errors.New(f.advice)
		}
	}
	if len(head) >= 262 && string(head[257:262]) == "ustar" {
		return errors.New("is a tar archive: unpack it, or, if an early PyTorch wrote it, load it and save it again with a current one")
	}
	if start := bytes.TrimLeft(head, " \t\r\n\ufeff"); len(start) > 0 && start[0] == '<' {
		return fmt.Errorf("starts with %s: looks like a web page, not a checkpoint; download the file itself", firstWords(start))
	}
	return fmt.Errorf("starts with % x: not a PyTorch, safetensors, ONNX, NumPy or Torch7 file", head[:min(len(head), 8)])
}

// firstWords quotes the start of a text file, without what would upset a
// terminal.
func firstWords(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, line)
	return line[:min(len(line), 40)]
}

// looksLikeONNX knows the start of a ModelProto: field 1, ir_version, a small
// varint, followed by one of the length-delimited fields that come next.
func looksLikeONNX(head []byte) bool {
	return len(head) > 2 && head[0] == 0x08 && head[1] < 0x20 && bytes.IndexByte([]byte{0x12, 0x1a, 0x22, 0x2a, 0x32, 0x3a, 0x42}, head[2]) >= 0
}

// looksLikeTorch7 knows the start of an object in Torch7's binary form: the tag
// of a class (4) or a table (3) and the number of the first object, 1.
func looksLikeTorch7(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\x04\x00\x00\x00\x01\x00\x00\x00")) || bytes.HasPrefix(head, []byte("\x03\x00\x00\x00\x01\x00\x00\x00"))
}

// looksLikeIndex knows the start of a JSON object.
func looksLikeIndex(head []byte) bool {
	text := bytes.TrimLeft(head, " \t\r\n\ufeff")
	return len(text) > 0 && text[0] == '{'
}
