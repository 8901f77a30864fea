package resnext

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// machine plays inferences against a degree, on a clock of its own. took says how long one takes on some threads.
type machine struct {
	degree
	now  time.Time
	took func(threads int) time.Duration
}

func newMachine(threads int, took func(threads int) time.Duration) *machine {
	return &machine{newDegree(threads), time.Unix(1e9, 0), took}
}

// infer returns the number of threads.
func (m *machine) infer() int {
	n := m.next(m.now)
	took := m.took(n)
	m.now = m.now.Add(took)
	m.learn(m.now, took)
	return n
}

// run infers for a while and returns how many inferences used each number of threads.
func (m *machine) run(d time.Duration) map[int]int {
	counts := map[int]int{}
	for end := m.now.Add(d); m.now.Before(end); {
		counts[m.infer()]++
	}
	return counts
}

// share is the part of all inferences that ran on so many threads.
func share(counts map[int]int, threads int) float64 {
	all := 0
	for _, n := range counts {
		all += n
	}
	return float64(counts[threads]) / float64(all)
}

// quiet is a machine on which threads help: 10 ms alone, a tenth of it no thread can help with.
func quiet(threads int) time.Duration {
	return time.Millisecond + 9*time.Millisecond/time.Duration(threads)
}

// crowded is one on which every thread but the first costs more than it gains.
func crowded(threads int) time.Duration { return time.Duration(10+5*(threads-1)) * time.Millisecond }

func TestDegreeKeepsAllThreadsThatPay(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 4, 8} {
		m := newMachine(threads, quiet)
		require.Equal(t, threads, m.infer(), "the first inference has all")
		m.run(time.Second) // warms up, tries once
		require.Len(t, m.run(time.Minute), 1, "and never again while nothing changes")
		require.Equal(t, threads, m.threads)
	}
}

// A stall makes nobody try, and several that follow each other cost one trial.
func TestDegreeForgivesAStall(t *testing.T) {
	m := newMachine(2, quiet)
	m.run(time.Second)
	m.took = func(int) time.Duration { return 50 * time.Millisecond }
	m.infer()
	m.took = quiet
	require.Len(t, m.run(time.Second), 1)
	m.took = func(int) time.Duration { return 50 * time.Millisecond }
	for range 5 {
		m.infer()
	}
	m.took = quiet
	counts := m.run(10 * time.Second)
	require.LessOrEqual(t, counts[1], 2*trialRounds*trialTurn)
	require.Equal(t, 2, m.threads)
}

// Where the others cost more than they gain nearly all inferences run on one thread, from the start and when it becomes
// so later, and all threads come back when the machine is quiet.
func TestDegreeGivesUpWhereHelpCosts(t *testing.T) {
	for _, threads := range []int{2, 3, 4, 8} {
		m := newMachine(threads, crowded)
		for range 3 {
			m.run(2 * time.Second)
			counts := m.run(30 * time.Second)
			require.Greater(t, share(counts, 1), 0.9, "%d threads: %v", threads, counts)
			m.took = quiet
			m.run(time.Duration(threads) * 2 * longestPause)
			require.Equal(t, threads, m.threads)
			require.Len(t, m.run(10*time.Second), 1)
			m.took = crowded
		}
	}
}

// With one of four cores taken by another program three threads do best.
func TestDegreeFindsTheCoresThatAreFree(t *testing.T) {
	m := newMachine(4, quiet)
	m.run(time.Second)
	m.took = func(threads int) time.Duration {
		if threads == 4 {
			return 9 * time.Millisecond
		}
		return quiet(threads)
	}
	m.run(10 * time.Second)
	counts := m.run(20 * time.Second)
	require.Greater(t, share(counts, 3), 0.8, "%v", counts)
}

// A machine that becomes slower for all, as a hot one does, is tried out once in a while, not for ever.
func TestDegreeLivesWithASlowMachine(t *testing.T) {
	m := newMachine(2, quiet)
	m.run(time.Second)
	m.took = func(threads int) time.Duration { return 2 * quiet(threads) }
	require.Greater(t, share(m.run(10*time.Second), 2), 0.98)
}

// Seldom inferences, between which the threads fall asleep, may find that one thread is as good.
func TestDegreeRestsThreadsThatGainNothing(t *testing.T) {
	m := newMachine(2, func(int) time.Duration { return time.Millisecond })
	m.run(time.Second)
	require.Greater(t, share(m.run(time.Minute), 1), 0.95)
}
