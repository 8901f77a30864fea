package images

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadLabels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "labels.txt")
	for name, c := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"plain":        {"cat\ndog\n", []string{"cat", "dog"}, ""},
		"no last line": {"cat\ndog", []string{"cat", "dog"}, ""},
		"Windows":      {"\uFEFFtench, Tinca tinca\r\n\r\ngoldfish\r\n", []string{"tench, Tinca tinca", "goldfish"}, ""},
		"comments":     {"# classes\n\n  crane \n#\n\tcrane\nC# sharp\n", []string{"crane", "crane", "C# sharp"}, ""},
		"not latin":    {"日本\nä\n", []string{"日本", "ä"}, ""},
		"empty":        {"", nil, "no labels"},
		"only comment": {"#\n\n", nil, "no labels"},
		"UTF-16":       {"\xFF\xFEc\x00a\x00", nil, "UTF-16: save it as UTF-8"},
		"UTF-16 BE":    {"\xFE\xFF\x00c", nil, "UTF-16"},
		"Latin-1":      {"cat\nB\xe4r\n", nil, "line 2 is not UTF-8"},
		"binary":       {"cat\x00dog", nil, "line 1 is not UTF-8 text"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o644))
			got, err := ReadLabels(path)
			require.Equal(t, c.want, got)
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, "images: label file "+path+": ")
			require.ErrorContains(t, err, c.err)
		})
	}
	require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("a\n"), maxLabelBytes/2+1), 0o644))
	_, err := ReadLabels(path)
	require.ErrorContains(t, err, "larger than 16 MB")
	_, err = ReadLabels(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
