package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// runScript runs a Python quantiser and adds what it reports, line by line.
func runScript(ctx context.Context, python, script string, args []string, t *table) error {
	command := exec.CommandContext(ctx, python, append([]string{script}, args...)...)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("%s: %w", script, err)
	}
	lines := bufio.NewScanner(out)
	for err == nil && lines.Scan() {
		err = t.read(lines.Bytes())
	}
	if err := errors.Join(err, lines.Err(), command.Wait()); err != nil {
		return fmt.Errorf("%s: %w", script, err)
	}
	return nil
}

// read adds one line of a script's report.
func (t *table) read(line []byte) error {
	var r result
	if err := json.Unmarshal(line, &r); err != nil {
		return fmt.Errorf("its report %q: %w", line, err)
	}
	if r.Error != "" {
		t.Results = append(t.Results, r)
		return nil
	}
	data, err := os.ReadFile(r.File)
	if err != nil {
		return err
	}
	logits := make([]float32, len(data)/4)
	if _, err := binary.Decode(data, binary.LittleEndian, logits); err != nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	if len(logits) != len(t.float) {
		return fmt.Errorf("%s: %d logits, expected %d", r.File, len(logits), len(t.float))
	}
	t.add(r, logits)
	return nil
}
