package checkpoint

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzNPY reads one array as that of a folder and as that of an archive, whose checksums do not hide it: both give the
// same.
func FuzzNPY(f *testing.F) {
	f.Add([]byte(npy(npyDict("<f4", "False", "(2, 1)"), "\x00\x00\x80\x3f\x00\x00\x00\x40")))
	f.Add([]byte(npy(npyDict(">f2", "True", "(1, 2)"), "\x3c\x00\x40\x00")))
	f.Add([]byte(npy(npyDict("<i8", "False", "()"), "\x00\x00\x00\x00\x00\x00\x00\x00")))
	f.Add([]byte(npy(npyDict("<f8", "False", "(0, 99999999999L)"), "")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var folder *Checkpoint
		described, err := (&npySet{paths: []string{"w.npy"}, open: func(string) (io.ReadCloser, int64, error) {
			return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
		}}).describe()
		if err == nil {
			var all []*Checkpoint
			if all, err = described.checkpoints(&File{}); err == nil {
				folder, err = last(all)
			}
		}
		archive, archiveErr := parse(zipOf(t, "w.npy", string(b)))
		require.Equal(t, err == nil, archiveErr == nil, "%v, %v", err, archiveErr)
		if err == nil {
			requireSound(t, folder)
			require.True(t, same(folder, archive))
		}
	})
}
