package main

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
)

// TestDoubt: labels in another order and a network that guesses are noticed, and nothing else.
func TestDoubt(t *testing.T) {
	fill := func(classes, each int, answer func(class, i int) int) confusion {
		c := confusion{}
		for class := range classes {
			for i := range each {
				c[[2]int{class, answer(class, i)}]++
			}
		}
		return c
	}
	for name, c := range map[string]struct {
		c       confusion
		classes int
		want    string
	}{
		"right":             {fill(5, 10, func(class, _ int) int { return class }), 5, ""},
		"mostly right":      {fill(5, 10, func(class, i int) int { return (class + i/7) % 5 }), 5, ""},
		"another order":     {fill(5, 10, func(class, _ int) int { return 4 - class }), 5, "right for 20.00% of the images, and would be for 100.00% if the classes were in another order: it calls class 0 (a) 4 (e)"},
		"two exchanged":     {fill(2, 10, func(class, _ int) int { return 1 - class }), 2, "it calls class 0 (a) 1 (b)"},
		"one answer":        {fill(5, 10, func(int, int) int { return 3 }), 5, "and guessing for 20.00%"},
		"guesses":           {fill(4, 100, func(class, i int) int { return (class + 1 + i%3) % 4 }), 4, "and guessing for 25.00%"},
		"too few":           {fill(5, 2, func(class, _ int) int { return 4 - class }), 5, ""},
		"few of many":       {fill(30, 1, func(class, _ int) int { return 29 - class }), 30, "and guessing"},
		"one class":         {fill(1, 30, func(int, int) int { return 0 }), 1, ""},
		"a hard data set":   {fill(5, 10, func(class, i int) int { return (class + i%3) % 5 }), 5, ""},
		"no labelled image": {confusion{}, 5, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.c.doubt(c.classes, []string{"a", "b", "c", "d", "e"})
			if c.want == "" {
				require.Empty(t, got)
			} else {
				require.Contains(t, got, c.want)
			}
		})
	}
}

// TestWrongOrderIsSaid: labels that are sorted otherwise than in training.
func TestWrongOrderIsSaid(t *testing.T) {
	set, err := images.OpenPart(fashion+"test.zip", images.Test)
	require.NoError(t, err)
	defer set.Close()
	labels := slices.Clone(folderLabels(set))
	require.Len(t, labels, 10)
	first := labels[0]
	slices.Reverse(labels)
	path := filepath.Join(t.TempDir(), "labels.txt")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(labels, "\n")), 0o600))
	folders := unpacked(t, set, 3)
	code, _, stderr := invoke("--weights", fashion+"resnext20_8x4d.pth", "--images", fashion+"calib.zip", "--limit", "16", "--effort", "fast",
		"--mean", "0.286", "--std", "0.353", "--labels", path, "--eval", folders, "--out", filepath.Join(t.TempDir(), "m.int8.safetensors"))
	require.Equal(t, cli.Done, code, stderr)
	require.Contains(t, stderr, "if the classes were in another order: it calls class 0 ("+labels[0]+") 9 ("+first+")")
}

// unpacked writes some images of each class of a set to folders that are named like the labels.
func unpacked(t *testing.T, set *images.Set, each int) string {
	dir := t.TempDir()
	labels, count := folderLabels(set), map[int]int{}
	for i := range set.Len() {
		item := set.Item(i)
		if count[item.Class]++; count[item.Class] > each {
			continue
		}
		img, err := set.Load(i)
		require.NoError(t, err)
		folder := filepath.Join(dir, labels[item.Class])
		require.NoError(t, os.MkdirAll(folder, 0o700))
		f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%d.png", i)))
		require.NoError(t, err)
		require.NoError(t, png.Encode(f, img))
		require.NoError(t, f.Close())
	}
	return dir
}
