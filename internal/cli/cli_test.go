package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/resnext"
)

// execute runs a tool whose commands end with err.
func execute(err error, args ...string) (code int, stdout, stderr string) {
	root := &cobra.Command{Use: "tool COMMAND", Long: "About the tool.", Version: "1.2"}
	command := &cobra.Command{
		Use: "work FILE", Short: "Do it", Args: Args(1, 2, "a file"),
		RunE: func(c *cobra.Command, args []string) error {
			fmt.Fprintln(c.OutOrStdout(), strings.Join(args, " "))
			return err
		},
	}
	command.Flags().Int("count", 1, "a `N`umber")
	root.AddCommand(command)
	var out, errs bytes.Buffer
	code = Execute(context.Background(), root, append([]string{}, args...), &out, &errs) // cobra takes nil for the program's own
	return code, out.String(), errs.String()
}

func TestExecute(t *testing.T) {
	notFound := &fs.PathError{Op: "open", Path: "m.bin", Err: fs.ErrNotExist}
	for _, c := range []struct {
		args           string
		err            error
		code           int
		stdout, stderr string
	}{
		{"work a", nil, Done, "a\n", ""},
		{"work a b", nil, Done, "a b\n", ""},
		{"work a", errors.New("a: broken"), Failed, "a\n", "tool: a: broken\n"},
		{"work a", fmt.Errorf("images: %w", errors.New("a: empty")), Failed, "a\n", "tool: a: empty\n"},
		{"work a", notFound, Failed, "a\n", "tool: m.bin: file does not exist\n"},
		{"work a", fmt.Errorf("model: %w", notFound), Failed, "a\n", "tool: model: m.bin: file does not exist\n"},
		{"work a", errors.New("\x1b[2J\x07: bad\xff"), Failed, "a\n", `tool: \x1b[2J\a: bad\xff` + "\n"},
		{"work a", ErrReported, Failed, "a\n", ""},
		{"work a", Usage("--count is %d", 0), Misuse, "a\n", "tool: --count is 0\n"},
		{"work", nil, Misuse, "", `tool: a file is missing: see "tool work --help"` + "\n"},
		{"work a b c", nil, Misuse, "", `tool: unexpected argument "c": see "tool work --help"` + "\n"},
		{"work --sum a", nil, Misuse, "", `tool: unknown flag: --sum: see "tool work --help"` + "\n"},
		{"work --count x a", nil, Misuse, "", `tool: invalid argument "x" for "--count" flag: see "tool work --help"` + "\n"},
		{"wrok a", nil, Misuse, "", `tool: unknown command "wrok": did you mean work? see "tool --help"` + "\n"},
		{"play", nil, Misuse, "", `tool: unknown command "play": see "tool --help"` + "\n"},
		{"help play", nil, Misuse, "", `tool: unknown command "play": see "tool --help"` + "\n"},
		{"--version", nil, Done, "tool version 1.2\n", ""},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, stdout, stderr := execute(c.err, strings.Fields(c.args)...)
			require.Equal(t, c.code, code)
			require.Equal(t, c.stdout, stdout)
			require.Equal(t, c.stderr, stderr)
		})
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"--help", "help", "-h"} {
		code, stdout, stderr := execute(nil, args)
		require.Equal(t, Done, code)
		require.Empty(t, stderr)
		require.Contains(t, stdout, "About the tool.")
		require.Contains(t, stdout, "work        Do it")
	}
	for _, args := range []string{"work --help", "help work"} {
		code, stdout, stderr := execute(nil, strings.Fields(args)...)
		require.Equal(t, Done, code)
		require.Empty(t, stderr)
		require.Contains(t, stdout, "tool work FILE\n")
		require.Contains(t, stdout, "--count N")
	}
	// Without a command the help is shown, but nothing was done.
	code, stdout, stderr := execute(nil)
	require.Equal(t, Misuse, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "About the tool.")
	require.True(t, strings.HasSuffix(stderr, "tool: no command given\n"))
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestOutputThatCannotBeWritten(t *testing.T) {
	var stderr bytes.Buffer
	c := &cobra.Command{Use: "tool", RunE: func(c *cobra.Command, _ []string) error {
		fmt.Fprintln(c.OutOrStdout(), "lost")
		return nil
	}}
	require.Equal(t, Failed, Execute(context.Background(), c, nil, fullDisk{}, &stderr))
	require.Equal(t, "tool: cannot write the output: no space left\n", stderr.String())
}

func TestPlainKeepsTheError(t *testing.T) {
	err := Plain(fmt.Errorf("images: x: %w", io.ErrUnexpectedEOF))
	require.EqualError(t, err, "x: unexpected EOF")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a b": "a b", "Größe 猫": "Größe 猫", "a\tb\n": `a\tb\n`, "\x1b[31m": `\x1b[31m`,
		"\xff": `\xff`, "\u202etxt": `\u202etxt`, "�": "�", `a"b\`: `a"b\`,
	} {
		require.Equal(t, want, Printable(in))
	}
}

func TestShorten(t *testing.T) {
	require.Equal(t, "abc", Shorten("abc", 3))
	require.Equal(t, "…cd", Shorten("abcd", 3))
	require.Equal(t, "…öü", Shorten("äöäöü", 3))
}

func TestUnits(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.00 KB", 562_161: "562 KB", 999_499: "999 KB", 999_500: "1.00 MB",
		25_100_000: "25.1 MB", 1 << 62: "4611686 TB",
	} {
		require.Equal(t, want, Bytes(n))
	}
	for n, want := range map[int]string{0: "0", 99_999: "99999", 100_000: "100 K", 2_140_000_000: "2.14 G"} {
		require.Equal(t, want, Count(n))
	}
	for ms, want := range map[time.Duration]string{
		0: "0.0 s", 340: "0.3 s", 9_949: "9.9 s", 9_960: "10 s", 59_400: "59 s", 59_600: "1 min 0 s",
		200_000: "3 min 20 s", 7_500_000: "2 h 5 min",
	} {
		require.Equal(t, want, Seconds(ms*time.Millisecond))
	}
	require.Equal(t, "1 image", Plural(1, "image"))
	require.Equal(t, "0 images", Plural(0, "image"))
	require.Equal(t, "9 classes", Plural(9, "class"))
}

func TestTable(t *testing.T) {
	table := Table{Right: []bool{false, true}, Indent: " "}
	table.Row("a", 10, "x")
	table.Row("größer", 9)
	var b bytes.Buffer
	table.Print(&b)
	require.Equal(t, " a       10  x\n größer   9\n", b.String())
}

func TestIsTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/f")
	require.NoError(t, err)
	defer f.Close()
	require.False(t, IsTerminal(f))
	require.False(t, IsTerminal(&output{w: f}))
	require.False(t, IsTerminal(io.Discard))
}

func TestNetworkTexts(t *testing.T) {
	c, err := resnext.Named("resnext50_32x4d")
	require.NoError(t, err)
	require.Equal(t, "resnext50_32x4d", ArchName(c))
	// 25,028,904 in PyTorch; folding leaves one of the four numbers that normalisation has for a channel,
	// two of which count as parameters.
	channels := 0
	for _, s := range c.Convs() {
		channels += s.Out
	}
	require.Equal(t, 25_028_904-channels, Parameters(c))
	p := resnext.ImageNetPreprocess()
	require.Equal(t, "resize the shorter side to 256, bilinear; crop 224x224 at the centre", PreprocessText(c, p))
	p.Resize = 0
	require.Equal(t, "resize to 224x224, bilinear", PreprocessText(c, p))
	require.Equal(t, "0.485, 0.456, 0.406", Triple(p.Mean))
	require.Equal(t, "0.5", Triple([3]float32{0.5, 0.5, 0.5}))
	c.Name = ""
	require.Equal(t, "unnamed 50-layer 32x4d", ArchName(c))
}

func TestTimesAndPercent(t *testing.T) {
	require.Equal(t, "3.8 times smaller", Times(380, 100, "smaller", "larger"))
	require.Equal(t, "2.0 times larger", Times(1, 2, "smaller", "larger"))
	require.Equal(t, "1.0 times faster", Times(1, 1, "faster", "slower"))
	require.Equal(t, "1000000.0 times faster", Times(1, 0, "faster", "slower"))
	require.Equal(t, "99.80%", Percent(0.998))
}
