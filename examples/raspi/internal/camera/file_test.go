//go:build unix

package camera

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// put writes a file into a new folder.
func put(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// avi makes a small AVI file: headers, frames and an index, as RIFF has it.
func avi(codec string, us uint32, frames ...[]byte) []byte {
	chunk := func(id string, content []byte) []byte {
		b := append([]byte(id), binary.LittleEndian.AppendUint32(nil, uint32(len(content)))...)
		b = append(b, content...)
		return append(b, make([]byte, len(content)%2)...)
	}
	list := func(id string, parts ...[]byte) []byte { return chunk("LIST", join([]byte(id), join(parts...))) }
	header := append(binary.LittleEndian.AppendUint32(nil, us), make([]byte, 52)...)
	stream := append([]byte("vids"+codec), make([]byte, 48)...)
	var movie [][]byte
	for _, f := range frames {
		movie = append(movie, chunk("00dc", f))
	}
	return chunk("RIFF", join([]byte("AVI "), list("hdrl", chunk("avih", header), list("strl", chunk("strh", stream))),
		list("movi", movie...), chunk("idx1", make([]byte, 32))))
}

// play runs a camera to its end and gives the widths of the pictures.
func play(t *testing.T, c Camera) (frames []*Frame) {
	t.Helper()
	require.NoError(t, c.Run(t.Context(), func(f *Frame) {
		_, err := f.Image()
		require.NoError(t, err)
		frames = append(frames, f)
	}, nil))
	return frames
}

func TestFiles(t *testing.T) {
	a, b := testJPEG(t, 30), testJPEG(t, 200)
	var zipped bytes.Buffer
	w := zip.NewWriter(&zipped)
	for _, name := range []string{"b.jpg", "a.jpg"} {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write(a)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	for _, c := range []struct {
		name    string
		content []byte
		frames  int
		still   bool
	}{
		{"a.mjpeg", join(a, b, a), 3, false},
		{"a.bin", join(a, b), 2, false},
		{"a.avi", avi("MJPG", 40_000, a, b, a, b), 4, false},
		{"lower.AVI", avi("mjpg", 40_000, a), 1, false},
		{"rubbish.mjpeg", join(bytes.Repeat([]byte("rubbish \xff\xd8\xff"), 100), a, b), 2, false},
		{"endless.mjpeg", join(bare(a), bare(b)), 2, false},
		{"a.jpg", a, 1, true},
		{"a.zip", zipped.Bytes(), 2, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := put(t, c.name, c.content)
			camera, err := File(path, 0)
			require.NoError(t, err)
			require.True(t, camera.Every)
			require.Equal(t, c.still, camera.Still)
			require.Len(t, play(t, camera), c.frames)
			require.Len(t, play(t, camera), c.frames) // it can be opened again
		})
	}
	folder, err := File(filepath.Dir(put(t, "one.jpg", a)), 0)
	require.NoError(t, err)
	require.Len(t, play(t, folder), 1)
}

func TestPace(t *testing.T) { synctest.Test(t, pacing) }

func pacing(t *testing.T) {
	a := testJPEG(t, 30)
	camera, err := File(put(t, "a.avi", avi("MJPG", 50_000, a, a, a, a)), AsRecorded)
	require.NoError(t, err)
	require.False(t, camera.Every)
	begin := time.Now()
	frames := play(t, camera)
	require.Equal(t, 150*time.Millisecond, time.Since(begin))
	require.Equal(t, frames[1].Time, frames[1].Taken)

	// Played at once, the frames still know when they were taken.
	camera, err = File(put(t, "a.avi", avi("MJPG", 50_000, a, a, a, a)), 0)
	require.NoError(t, err)
	frames = play(t, camera)
	require.Equal(t, 150*time.Millisecond, frames[3].Taken.Sub(frames[0].Taken))
}

func TestAVIRate(t *testing.T) {
	for us, want := range map[uint32]float64{40_000: 25, 33_333: 1e6 / 33_333.0, 0: 25, 1: 25, 1 << 31: 25} {
		_, fps := sniffHead(avi("MJPG", us), ".avi")
		require.InDelta(t, want, fps, 1e-9)
	}
	kind, _ := sniffHead(avi("H264", 1), ".avi")
	require.Equal(t, otherVideo, kind)
	transport := "G" + strings.Repeat("x", 187) + "G"
	for _, container := range []string{"\x00\x00\x00\x20ftypisom", "\x1aE\xdf\xa3", "OggS", transport} {
		kind, _ = sniffHead(append([]byte(container), testJPEG(t, 1)...), ".mjpeg")
		require.Equal(t, otherVideo, kind, "its cover is not the video")
	}
	whole := avi("MJPG", 40_000)
	for n := range whole {
		_, fps := sniffHead(whole[:n], ".avi")
		require.Positive(t, fps)
	}
}

func TestFFmpeg(t *testing.T) {
	video := put(t, "-v.mp4", []byte("no video at all"))
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	_, err := File(video, AsRecorded)
	require.ErrorContains(t, err, "ffmpeg")
	require.ErrorContains(t, err, "apt install")

	picture := jpegFile(t)
	text := "#!/bin/sh\necho \"$@\" >'" + folder + "/args'\n/bin/cat '" + picture + "' '" + picture + "'\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "ffmpeg"), []byte(text), 0o700))
	for fps, want := range map[float64]string{AsRecorded: " -re ", 0: "error -i file:" + video + " -an"} {
		camera, err := File(video, fps)
		require.NoError(t, err)
		require.Equal(t, fps == 0, camera.Every)
		require.Len(t, play(t, camera), 2)
		args, err := os.ReadFile(filepath.Join(folder, "args"))
		require.NoError(t, err)
		require.Contains(t, string(args), want)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	_, err := File(filepath.Join(t.TempDir(), "missing.avi"), AsRecorded)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = File(t.TempDir(), AsRecorded)
	require.ErrorContains(t, err, "no images")
	camera, err := File(put(t, "cut.mjpeg", testJPEG(t, 3)[:200]), 0)
	require.NoError(t, err)
	require.ErrorContains(t, camera.Run(t.Context(), nil, nil), "no whole JPEG")
}
