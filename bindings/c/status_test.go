package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/resnext"
)

// fault is what a panic of the runtime's about memory looks like.
type fault uintptr

func (f fault) Addr() uintptr { return uintptr(f) }

func TestRun(t *testing.T) {
	for name, c := range map[string]struct {
		f     func() error
		want  status
		words string
	}{
		"success": {func() error { return nil }, statusOK, ""},
		"failure": {func() error { return fail(statusBusy, "%d users", 2) }, statusBusy, "2 users"},
		"wrapped": {func() error { return fmt.Errorf("x: %w", fail(statusIO, "y")) }, statusIO, "x: y"},
		"unknown": {func() error { return errors.New("odd") }, statusInternal, "odd"},
		"panic":   {func() error { panic("at once") }, statusInternal, "a bug in libresnext, please report it: at once"},
		"range":   {func() error { return []error{}[len(os.Args)] }, statusInternal, "index out of range"},
		"fault":   {func() error { panic(fault(0x1234)) }, statusInvalid, "the memory at 0x1234 cannot be used"},
	} {
		s, words := run(c.f)
		require.Equal(t, c.want, s, name)
		require.Contains(t, words, c.words, name)
	}
}

func TestOpenStatus(t *testing.T) {
	require.Equal(t, statusIO, openStatus(fmt.Errorf("m: %w", &fs.PathError{Op: "read", Path: "m", Err: os.ErrPermission})))
	require.Equal(t, statusKernels, openStatus(fmt.Errorf("m: %w", asm.ErrKernels)))
	require.Equal(t, statusMemory, openStatus(fmt.Errorf("m: %w", resnext.ErrMemoryLimit)))
	require.Equal(t, statusModel, openStatus(fmt.Errorf("m: %w", resnext.ErrModelFile)))
}

func TestSetText(t *testing.T) {
	for _, c := range []struct {
		size        int
		words, want string
	}{
		{1, "", ""}, {1, "a", ""}, {2, "a", "a"}, {3, "abc", "ab"}, {9, "a\x1b[31m\nb", "a [31m b"},
		{4, "猫猫", "猫"}, {6, "猫猫", "猫"}, {7, "猫猫", "猫猫"}, {9, "a\xff\xfeb", "a?b"}, {5, "a\x00b\u0085", "a b "},
	} {
		buffer := []byte(strings.Repeat("x", c.size+1))
		setText(buffer[:c.size], c.words)
		got, _, ends := strings.Cut(string(buffer[:c.size]), "\x00")
		require.True(t, ends, "%+v", c)
		require.Equal(t, c.want, got, "%+v", c)
		require.Equal(t, byte('x'), buffer[c.size])
	}
}
