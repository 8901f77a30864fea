package asm

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wordMacro is one line of arm64.h: an instruction word as an expression of its operands, and the
// instruction that it stands for.
type wordMacro struct {
	name     string
	operands []string
	word     string
	comment  string
}

var (
	macroLine    = regexp.MustCompile(`^#define (\w+)\(([^)]*)\)\s+WORD \$\((.*)\) // (.*)$`)
	registerName = regexp.MustCompile(`[VQX][a-z]\b`)
	laneNumber   = regexp.MustCompile(`\[([a-z])\]`)
	rawWord      = regexp.MustCompile(`(?m)^[^/\n]*\bWORD\b.*$`)
	reservedName = regexp.MustCompile(`(?m)^[^/\n]*\bR(18|27|28|29|30)\b.*$`)
)

// readMacros reads the header and fails on a line that it would not check.
func readMacros(t *testing.T) []wordMacro {
	header, err := os.ReadFile("arm64.h")
	require.NoError(t, err)
	var macros []wordMacro
	for i, line := range strings.Split(string(header), "\n") {
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		m := macroLine.FindStringSubmatch(line)
		require.NotNil(t, m, "arm64.h:%d is neither a comment nor a macro of the form '#define NAME(d, n) WORD $(...) // instruction'", i+1)
		macros = append(macros, wordMacro{m[1], strings.Split(m[2], ", "), m[3], m[4]})
	}
	require.NotEmpty(t, macros)
	return macros
}

// expand gives the word and the instruction for the operands' values.
func (m wordMacro) expand(t *testing.T, values map[string]int) (uint32, string) {
	pkg := types.NewPackage("operands", "operands")
	for name, v := range values {
		pkg.Scope().Insert(types.NewConst(token.NoPos, pkg, name, types.Typ[types.UntypedInt], constant.MakeInt64(int64(v))))
	}
	tv, err := types.Eval(token.NewFileSet(), pkg, token.NoPos, m.word)
	require.NoError(t, err, m.name)
	word, exact := constant.Uint64Val(tv.Value)
	require.True(t, exact && word>>32 == 0, "%s: %s is no 32-bit word", m.name, tv.Value)
	value := func(s string) int {
		v, ok := values[s]
		require.True(t, ok, "%s: the comment names %s, which is no operand", m.name, s)
		return v
	}
	text := registerName.ReplaceAllStringFunc(m.comment, func(s string) string {
		return fmt.Sprintf("%s%d", strings.ToLower(s[:1]), value(s[1:]))
	})
	text = laneNumber.ReplaceAllStringFunc(text, func(s string) string { return fmt.Sprintf("[%d]", value(s[1:2])) })
	return uint32(word), text
}

// disassemble gives LLVM's reading of each word, blanks made single.
func disassemble(t *testing.T, words []uint32) []string {
	tool, err := exec.LookPath("llvm-mc")
	require.NoError(t, err, "this test needs llvm-mc, of the Debian package llvm")
	var in strings.Builder
	for _, w := range words {
		fmt.Fprintf(&in, "0x%02x 0x%02x 0x%02x 0x%02x\n", byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	cmd := exec.Command(tool, "--disassemble", "-triple=aarch64", "-mattr=+v8.6a,+fp-armv8,+neon")
	cmd.Stdin = strings.NewReader(in.String())
	out, err := cmd.Output()
	require.NoError(t, err)
	var lines []string
	for _, line := range strings.Split(string(out), "\n") {
		if fields := strings.Fields(line); len(fields) > 0 && !strings.HasPrefix(fields[0], ".") {
			lines = append(lines, strings.Join(fields, " "))
		}
	}
	require.Len(t, lines, len(words), "llvm-mc did not know some of the words")
	return lines
}

// TestHeaderEncodings expands every macro of arm64.h with the least, the greatest and random operands and
// compares the instruction that LLVM reads in the word with the one in the macro's comment.
func TestHeaderEncodings(t *testing.T) {
	const rounds = 10
	rnd := rand.New(rand.NewPCG(5, 6))
	var words []uint32
	var want []string
	for _, m := range readMacros(t) {
		for round := range rounds {
			values := map[string]int{}
			for _, name := range m.operands {
				limit := 32
				switch {
				case name == "i": // a 32-bit lane
					limit = 4
				case strings.Contains(m.comment, "X"+name): // R31 is no register
					limit = 31
				}
				values[name] = []int{0, limit - 1, rnd.IntN(limit)}[min(round, 2)]
			}
			word, text := m.expand(t, values)
			words, want = append(words, word), append(want, text)
		}
	}
	for i, got := range disassemble(t, words) {
		require.Equal(t, want[i], got, "%#08x", words[i])
	}
}

// TestArm64Sources: words that no disassembler has read stay out of the kernels, and so do the registers
// that belong to the platform, the linker and the Go runtime (R18, R27 to R30).
func TestArm64Sources(t *testing.T) {
	files, err := filepath.Glob("*_arm64.s")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Empty(t, rawWord.FindAllString(string(source), -1), "%s: instruction words belong into arm64.h", name)
		require.Empty(t, reservedName.FindAllString(string(source), -1), "%s: reserved registers", name)
	}
}
