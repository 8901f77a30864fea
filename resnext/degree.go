package resnext

import "time"

// degree decides on how many threads inferences run: all there are, and fewer for a while where waiting for the others'
// tasks costs more than their help gains, as on a machine whose cores are busy with other work. A thread that loses its
// core in the middle of a task comes back after milliseconds, while the others can only wait.
//
// After each inference the time that one thread would have taken is estimated from the caller's own share of the tasks.
// What the threads gained or lost beside it, as a part of it, adds up in a balance that forgets; when the balance is
// negative, half of the threads rest. After a pause one more thread is tried. Pauses double while trying fails.
type degree struct {
	threads, most int
	balance       float64
	// trying tells that the last thread is on trial: if it does not pay, the others go on without it.
	trying bool
	retry  time.Time // when to try one more
	pause  time.Duration
	steady int // inferences since the last change that paid
}

const (
	// balanceKept is the part of the balance that is left after an inference.
	balanceKept = 0.75
	// leastGain is the part of the time of one thread that several must save to pay.
	leastGain = 0.03
	// trial is how many inferences must pay until a thread is trusted.
	trial = 4
	// A pause lasts some inferences at first, so that trying costs little, and no longer than longestPause, so that a
	// machine that has become quiet is noticed.
	pauseInferences = 10
	shortestPause   = 10 * time.Millisecond
	longestPause    = 2 * time.Second
)

func newDegree(threads int) degree { return degree{threads: threads, most: threads} }

// next returns the number of threads for an inference that begins now.
func (d *degree) next(now time.Time) int {
	if d.threads < d.most && !d.trying && now.After(d.retry) {
		d.threads++
		d.trying, d.balance, d.steady = true, 0, 0
	}
	return d.threads
}

// learn takes in an inference on some threads: how long it took, how much of that the caller waited for others, and how
// many of all tasks it ran itself.
func (d *degree) learn(threads int, now time.Time, took, waited time.Duration, own, all int) {
	if threads == 1 || own == 0 || took <= 0 {
		return
	}
	alone := float64(took-waited) * float64(all) / float64(own)
	d.balance = d.balance*balanceKept + (alone-float64(took))/alone - leastGain
	if d.balance >= 0 {
		if d.steady++; d.steady >= trial {
			d.trying, d.pause = false, 0
		}
		return
	}
	// As before the trial, or half.
	d.threads = threads / 2
	if d.trying {
		d.threads = threads - 1
	}
	first := max(shortestPause, time.Duration(pauseInferences*alone))
	d.pause = min(max(first, 2*d.pause), longestPause)
	d.retry = now.Add(d.pause)
	d.trying, d.balance, d.steady = false, 0, 0
}
