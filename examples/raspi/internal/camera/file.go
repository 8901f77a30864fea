package camera

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	// AsRecorded plays a file at its own rate.
	AsRecorded = -1
	// recordedFPS is the rate of a file that does not tell, picturesFPS that of a folder of pictures.
	recordedFPS, picturesFPS = 25, 1
)

// File is a camera that plays a file or folder: pictures, motion JPEG (.mjpeg, or .avi with MJPG inside), or, with the
// help of an installed ffmpeg, any other video. fps is the rate; 0 gives each frame as soon as the last was taken.
func File(path string, fps float64) (Camera, error) {
	kind, recorded, err := sniff(path)
	if err != nil {
		return Camera{}, err
	}
	rate := fps
	if fps == AsRecorded {
		rate = recorded
	}
	switch kind {
	case pictureFile:
		return Pictures(path, rate)
	case motionJPEG:
		return Camera{Name: path, Every: rate == 0, Open: func(context.Context) (Source, error) {
			f, err := os.Open(path)
			if err != nil {
				return nil, err
			}
			src, err := newStream(f, Format{}, func() { _ = f.Close() }) // read only
			if err != nil {
				return nil, err
			}
			return pace(src, rate, recorded), nil
		}}, nil
	}
	return ffmpeg(path, fps)
}

// ffmpeg plays a video that only ffmpeg can read.
func ffmpeg(path string, fps float64) (Camera, error) {
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		return Camera{}, fmt.Errorf("%s: it is neither pictures nor motion JPEG, and ffmpeg, which reads other videos, is not installed: "+
			"sudo apt install ffmpeg", path)
	}
	args := []string{"-nostdin", "-loglevel", "error"}
	if fps == AsRecorded {
		args = append(args, "-re")
	}
	args = append(args, "-i", "file:"+path, "-an", "-q:v", "3", "-f", "mjpeg", "-")
	return Camera{Name: path, Every: fps == 0, Open: func(context.Context) (Source, error) {
		src, err := openCommand(Format{}, program, args...)
		if err != nil {
			return nil, err
		}
		if fps == AsRecorded {
			return src, nil
		}
		return pace(src, fps, recordedFPS), nil
	}}, nil
}

type fileKind int

const (
	otherVideo fileKind = iota
	pictureFile
	motionJPEG
)

// sniffBytes is how much of a file is looked at; the headers of an AVI file are shorter.
const sniffBytes = 64 << 10

// sniff finds out what a file is, by its content rather than its name, and how many frames a second it has.
func sniff(path string) (fileKind, float64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return 0, 0, err
	} else if info.IsDir() {
		return pictureFile, picturesFPS, nil
	}
	head := make([]byte, sniffBytes)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	kind, fps := sniffHead(head[:n], filepath.Ext(path))
	return kind, fps, nil
}

func sniffHead(head []byte, extension string) (fileKind, float64) {
	if len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "AVI " {
		if !hasFold(head, "vidsmjpg") {
			return otherVideo, recordedFPS
		}
		return motionJPEG, aviFPS(head)
	}
	if bytes.HasPrefix(head, startOfImage) {
		if e := strings.ToLower(extension); e == ".jpg" || e == ".jpeg" {
			return pictureFile, picturesFPS
		}
		return motionJPEG, recordedFPS
	}
	_, _, err := image.DecodeConfig(bytes.NewReader(head))
	if err == nil || strings.HasPrefix(string(head), "PK") || strings.EqualFold(extension, ".zip") {
		return pictureFile, picturesFPS
	}
	if !isContainer(head) && beginsLater(head) {
		return motionJPEG, recordedFPS
	}
	return otherVideo, recordedFPS
}

// isContainer reports whether a file begins as other videos do: in one of them a JPEG is the cover, or there by chance.
func isContainer(head []byte) bool {
	for at, marks := range map[int][]string{
		0: {"RIFF", "OggS", "FLV", "\x1aE\xdf\xa3", "\x00\x00\x01", "\x00\x00\x00\x01", "0&\xb2u"},
		4: {"ftyp", "moov", "mdat", "wide", "free", "skip"},
	} {
		for _, m := range marks {
			if bytes.HasPrefix(head[min(at, len(head)):], []byte(m)) {
				return true
			}
		}
	}
	return len(head) > 188 && head[0] == 0x47 && head[188] == 0x47 // an MPEG transport stream
}

// beginsLater reports whether rubbish is followed by what is the beginning of a JPEG to the decoder too.
func beginsLater(head []byte) bool {
	for i := 0; ; i++ {
		n := bytes.Index(head[i:], startOfImage)
		if n < 0 {
			return false
		}
		i += n
		if _, err := jpeg.DecodeConfig(bytes.NewReader(head[i:])); err == nil {
			return true
		}
	}
}

// hasFold looks for ASCII text in any case.
func hasFold(b []byte, text string) bool { return bytes.Contains(bytes.ToLower(b), []byte(text)) }

// aviFPS reads the main header's microseconds a frame.
func aviFPS(head []byte) float64 {
	i := bytes.Index(head, []byte("avih"))
	if i < 0 || len(head) < i+12 {
		return recordedFPS
	}
	us := binary.LittleEndian.Uint32(head[i+8:])
	if us < 1000 || us > 60_000_000 {
		return recordedFPS
	}
	return 1e6 / float64(us)
}
