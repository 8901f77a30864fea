package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext"
)

// TestHeaderHasTheVersion: the release is written down in two places.
func TestHeaderHasTheVersion(t *testing.T) {
	header, err := os.ReadFile("resnext.h")
	require.NoError(t, err)
	found := regexp.MustCompile(`#define RESNEXT_VERSION "(.*)"`).FindSubmatch(header)
	require.NotNil(t, found)
	require.Equal(t, resnext.Version, string(found[1]))
}

func goString(p unsafe.Pointer) string {
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}

func TestCStrings(t *testing.T) {
	var c cStrings
	words := []string{"", "cat", "猫", "a\x00b", strings.Repeat("x", 5000), ""}
	for i, w := range words {
		require.Equal(t, i, c.add(w))
	}
	c.pin()
	runtime.GC()
	for i, w := range words {
		require.Equal(t, strings.ReplaceAll(w, "\x00", ""), goString(c.at(i)))
	}
	c.unpin()
}

func TestDescriptor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("0123456789"), 0o600))
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	d, b := descriptor(f.Fd()), make([]byte, 4)
	n, err := d.ReadAt(b, 3)
	require.NoError(t, err)
	require.Equal(t, "3456", string(b[:n]))
	n, err = d.ReadAt(b, 8)
	require.Error(t, err)
	require.Equal(t, "89", string(b[:n]))
	var failed *failure
	_, err = openDescriptor(987654, resnext.Options{})
	require.ErrorAs(t, err, &failed)
	require.Equal(t, statusIO, failed.status)
	_, err = openDescriptor(int(f.Fd()), resnext.Options{})
	require.ErrorAs(t, err, &failed)
	require.Equal(t, statusModel, failed.status)
	require.Contains(t, failed.text, "model of file descriptor")
}
