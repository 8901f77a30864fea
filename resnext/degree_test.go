package resnext

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// machine plays inferences against a degree on a clock of its own. Alone a thread needs 10 ms; of several all give equal
// help, and the caller waits for them as long as stall says.
type machine struct {
	degree
	now   time.Time
	stall func(threads int) time.Duration
}

func newMachine(threads int, stall func(threads int) time.Duration) *machine {
	return &machine{newDegree(threads), time.Unix(1e9, 0), stall}
}

// infer returns the number of threads and how long it took.
func (m *machine) infer() (int, time.Duration) {
	const alone = 10 * time.Millisecond
	n := m.next(m.now)
	took, waited := alone, time.Duration(0)
	if n > 1 {
		waited = m.stall(n)
		took = alone/time.Duration(n) + waited
	}
	m.now = m.now.Add(took)
	m.learn(n, m.now, took, waited, 100/n, 100)
	return n, took
}

// run infers for a while and returns how many inferences used each number of threads.
func (m *machine) run(d time.Duration) map[int]int {
	counts := map[int]int{}
	for end := m.now.Add(d); m.now.Before(end); {
		n, _ := m.infer()
		counts[n]++
	}
	return counts
}

func never(int) time.Duration { return 0 }

func TestDegreeKeepsAllThreadsThatPay(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 4, 8} {
		counts := newMachine(threads, func(int) time.Duration { return 300 * time.Microsecond }).run(time.Second)
		require.Len(t, counts, 1, "%d threads: %v", threads, counts)
		require.Contains(t, counts, threads)
	}
}

// A single stall, even one of several times an inference, costs a quiet machine little.
func TestDegreeForgivesAStall(t *testing.T) {
	m := newMachine(2, never)
	m.run(time.Second)
	m.stall = func(int) time.Duration { return 8 * time.Millisecond }
	m.infer()
	m.stall = never
	require.Len(t, m.run(time.Second), 1, "the balance bears a stall")
	m.stall = func(int) time.Duration { return 500 * time.Millisecond }
	m.infer()
	m.stall = never
	counts := m.run(time.Second)
	require.NotZero(t, counts[1], "it does not bear everything")
	require.Greater(t, counts[2], 8*counts[1], "and tries again soon: %v", counts)
}

// Where waiting always costs more than the others' help, nearly all inferences run on one thread.
func TestDegreeGivesUpWhereHelpCosts(t *testing.T) {
	for _, threads := range []int{2, 4} {
		m := newMachine(threads, func(int) time.Duration { return 12 * time.Millisecond })
		m.run(time.Second)
		counts := m.run(20 * time.Second)
		total := 0
		for _, n := range counts {
			total += n
		}
		require.Greater(t, counts[1], total*95/100, "%d threads: %v", threads, counts)
		m.stall = never
		m.run(longestPause * time.Duration(threads+1))
		require.Len(t, m.run(time.Second), 1, "%d threads: all work again once the machine is quiet", threads)
		require.Equal(t, threads, m.threads)
	}
}

// With one of four cores taken by another program, three threads settle.
func TestDegreeFindsTheCoresThatAreFree(t *testing.T) {
	m := newMachine(4, func(n int) time.Duration {
		if n == 4 {
			return 12 * time.Millisecond
		}
		return 0
	})
	m.run(10 * time.Second)
	counts := m.run(10 * time.Second)
	require.Greater(t, counts[3], 9*(counts[1]+counts[2]+counts[4]), "%v", counts)
}

// Workers that come too late for any task cost nothing but gain nothing either: they may sleep.
func TestDegreeRestsIdleWorkers(t *testing.T) {
	d := newDegree(2)
	now := time.Unix(1e9, 0)
	for range 100 {
		now = now.Add(time.Microsecond)
		d.learn(d.next(now), now, time.Millisecond, 0, 100, 100)
	}
	require.Equal(t, 1, d.threads)
}
