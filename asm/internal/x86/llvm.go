package x86

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// line is one instruction as LLVM decodes it.
type line struct {
	text string
	code []byte
}

var encoded = regexp.MustCompile(`(?m)^\s*(\S.*\S|\S)\s+# encoding: \[(.*)\]$`)

// Disassemble gives the instructions in machine code, in Intel's syntax with single blanks.
func Disassemble(code []byte) ([]string, error) {
	lines, err := disassemble(code)
	var text []string
	for _, l := range lines {
		text = append(text, l.text)
	}
	return text, err
}

func disassemble(code []byte) ([]line, error) {
	var in strings.Builder
	for _, b := range code {
		fmt.Fprintf(&in, "%#02x ", b)
	}
	out, err := llvm(in.String(), "--disassemble", "--output-asm-variant=1")
	if err != nil {
		return nil, err
	}
	var lines []line
	rest := code
	for _, m := range encoded.FindAllStringSubmatch(out, -1) {
		// Some bytes of a jump are shown as letters, so only their number counts.
		n := strings.Count(m[2], ",") + 1
		if n > len(rest) {
			break
		}
		lines = append(lines, line{strings.Join(strings.Fields(m[1]), " "), rest[:n]})
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("x86: llvm-mc did not decode the last %d bytes", len(rest))
	}
	return lines, nil
}

// Assemble gives LLVM's machine code of instructions in Intel's syntax, without jumps.
func Assemble(text ...string) ([]byte, error) {
	out, err := llvm(".intel_syntax noprefix\n"+strings.Join(text, "\n")+"\n", "--assemble")
	if err != nil {
		return nil, err
	}
	var code []byte
	for _, m := range encoded.FindAllStringSubmatch(out, -1) {
		for _, s := range strings.Split(m[2], ",") {
			b, err := strconv.ParseUint(s, 0, 8)
			if err != nil {
				return nil, fmt.Errorf("x86: llvm-mc: %s: %w", m[0], err)
			}
			code = append(code, byte(b))
		}
	}
	return code, nil
}

// llvm runs the tool, whose complaints are errors.
func llvm(input string, args ...string) (string, error) {
	tool, err := exec.LookPath("llvm-mc")
	if err != nil {
		return "", fmt.Errorf("x86: this test needs llvm-mc, of the Debian package llvm: %w", err)
	}
	cmd := exec.Command(tool, append(args, "--triple=x86_64", "--show-encoding")...)
	cmd.Stdin = strings.NewReader(input)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		return "", fmt.Errorf("x86: llvm-mc: %v: %s", err, &complaints)
	}
	return string(out), nil
}
