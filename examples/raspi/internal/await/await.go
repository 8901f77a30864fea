// Package await lets tests wait for what is to happen, however slow the computer is.
package await

import (
	"fmt"
	"testing"
	"time"
)

const (
	// firstLook and lastLook are the pauses between two looks, which double.
	firstLook = time.Millisecond
	lastLook  = 20 * time.Millisecond
	// spare is what is left of the test's own time limit to say what did not happen.
	spare = 10 * time.Second
)

// True waits until a condition is true. There is no limit but that of the whole run ("go test -timeout"). What is said
// when it is reached is a text, or functions that make one then.
func True(t testing.TB, condition func() bool, saying ...any) {
	t.Helper()
	var end time.Time
	if limited, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, ok := limited.Deadline(); ok {
			end = deadline.Add(-spare)
		}
	}
	for pause := firstLook; !condition(); pause = min(2*pause, lastLook) {
		if !end.IsZero() && time.Now().After(end) {
			t.Fatalf("it does not happen: %s", text(saying))
		}
		time.Sleep(pause)
	}
}

func text(saying []any) string {
	for i, s := range saying {
		if say, ok := s.(func() string); ok {
			saying[i] = say()
		}
	}
	return fmt.Sprintln(saying...)
}
