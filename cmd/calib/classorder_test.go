package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/cli"
)

func TestMisnumbered(t *testing.T) {
	for names, want := range map[string]string{
		"0 1 2 3 4 5 6 7 8 9":                "",
		"00 01 02 10":                        "",
		"2019 2020":                          "",
		"n01440764 n01443537":                "",
		"1 10 2 cat":                         "",
		"a":                                  "",
		"0 1 2 3 4 5 6 7 8 9 10":             "10 is class 2; if the network was trained in the order of the numbers, give all of them the same number of digits, as in 02",
		"1-a 2-b 10-c 9-d 100-e":             "10-c is class 1;",
		"0_a 1_b 2_c 3_d 4_e 5_f 6_g 10_k":   "10_k is class 1;",
		"999999999999999999999 1 10 2":       "",
		"99999999999999999999999999_x 1_a 0": "",
	} {
		set := folders(t, strings.Fields(names)...)
		got := unpaddedNumbers(set)
		if want == "" {
			require.Empty(t, got, names)
			continue
		}
		require.Contains(t, got, want)
		require.Contains(t, got, set.Path()+": ")
	}
}

// TestNumberedFolders: a warning where calibration images name the classes, or images are scored, in an order
// that may not be meant.
func TestNumberedFolders(t *testing.T) {
	files := map[string][]byte{}
	for i := range 10 {
		files[fmt.Sprintf("%d_x/a.png", i+1)] = pngImage(t, 28+i, 28)
	}
	numbered := archive(t, files)
	args := []string{"--weights", reference, "--effort", "fast", "--out", filepath.Join(t.TempDir(), "m"), "--images"}
	for name, c := range map[string]struct {
		args []string
		want int
	}{
		"images":            {[]string{numbered}, 1},
		"eval":              {[]string{fashion + "calib.zip", "--limit", "8", "--eval", numbered}, 1},
		"names, not orders": {[]string{fashion + "calib.zip", "--limit", "8", "--eval", numbered, "--labels", write(t, "l.txt", []byte("1_x\n2_x\n3_x\n4_x\n5_x\n6_x\n7_x\n8_x\n9_x\n10_x\n"))}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := invoke(append(args, c.args...)...)
			require.Equal(t, cli.Done, code, stderr)
			require.Equal(t, c.want, strings.Count(stderr, "10_x is class 0"), stderr)
		})
	}
}

// TestClassesOfNumbers: labels that are numbers name the folders that are.
func TestClassesOfNumbers(t *testing.T) {
	set := folders(t, "0", "1", "2", "10")
	got, err := classesByName(set, strings.Fields("0 1 2 3 4 5 6 7 8 9 10"), "labels.txt")
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 10, 2}, got)
	got, err = classesByName(set, strings.Fields("a 1 2 10"), "labels.txt") // 0 is not named
	require.NoError(t, err)
	require.Nil(t, got)
}
