package resnext

import (
	"slices"
	"time"
)

// degree decides on how many threads inferences run: on all there are, or on fewer for a while where those do better,
// as on a machine whose cores are busy with other work. There a thread that loses its core in the middle of a task comes
// back after milliseconds, while the others wait, and threads of one inference take the core from each other.
//
// It goes by what inferences take. In a trial some numbers of threads take turns, and the best goes on. There is
// a trial in the beginning, and another whenever inferences take longer than they did, or after a pause while
// fewer threads than there are do the work. Pauses double while trials change nothing.
type degree struct {
	threads, most int
	// reference is what an inference on so many threads took at best, on average, and typical what one takes now. 0 is
	// not known.
	reference, typical time.Duration
	// No trial before retry, nor before rest more inferences; pause and resting are how long both were.
	retry         time.Time
	pause         time.Duration
	rest, resting int
	warm          int // inferences so far, up to warmUp

	trial trial
}

// trial compares candidates. Each has its turn several times, and runs some inferences in a turn of which the first,
// to which sleeping threads come late, does not count.
type trial struct {
	candidates [3]int // ascending
	count      int    // of candidates; 0 where no trial is under way
	inference  int    // so far
	times      [3][trialRounds * (trialTurn - 1)]time.Duration
}

const (
	warmUp      = 2
	trialRounds = 3
	trialTurn   = 3
	// A time counts at most so many times as much as the least, so that a single stall decides nothing.
	trialClip = 8
	// typicalClip is the same for typical: two stalls among a few inferences make nobody try.
	typicalClip = 2
	// leastGain is the part of the time that more threads must save.
	leastGain = 0.03
	// suspicious is by what factor inferences have grown slower when it is time to look.
	suspicious = 1.25
	// A pause lasts some inferences at first, by their number and by the time that they take, and at most either limit, so
	// that trials cost little, between series of inferences too.
	shortestPause = 20 * time.Millisecond
	longestPause  = 2 * time.Second
	firstRest     = 20
	longestRest   = 200
	// farWorse is by what factor a candidate must be worse than the best to end a trial early.
	farWorse = 1.25
	// average is the number of inferences that typical looks back.
	average = 8
)

func newDegree(threads int) degree { return degree{threads: threads, most: threads} }

// next returns the number of threads for an inference that begins now.
func (d *degree) next(now time.Time) int {
	if d.most == 1 {
		return 1
	}
	if d.trial.count == 0 && d.warm == warmUp && d.wantsTrial(now) {
		d.trial.begin(max(1, d.threads/2), d.threads, min(d.most, d.threads+1))
	}
	if d.trial.count > 0 {
		return d.trial.candidate()
	}
	return d.threads
}

func (d *degree) wantsTrial(now time.Time) bool {
	if d.reference == 0 {
		return true
	}
	slower := float64(d.typical) > suspicious*float64(d.reference)
	return (slower || d.threads < d.most) && d.rest <= 0 && now.After(d.retry)
}

// learn takes in how long the inference took for which next was asked.
func (d *degree) learn(now time.Time, took time.Duration) {
	switch {
	case d.most == 1:
	case d.warm < warmUp:
		d.warm++
	case d.trial.count > 0:
		if d.trial.record(took) {
			d.conclude(now)
		}
	default:
		d.rest--
		took = min(took, typicalClip*d.reference)
		d.typical += (took - d.typical) / average
		d.reference = min(d.reference, d.typical)
	}
}

// conclude ends the trial.
func (d *degree) conclude(now time.Time) {
	best, took := d.trial.best()
	d.trial.count = 0
	first := max(shortestPause, firstRest*took)
	if best != d.threads {
		d.pause, d.resting = first, firstRest
	} else {
		d.pause = min(max(first, 2*d.pause), max(longestPause, longestRest*took))
		d.resting = min(max(firstRest, 2*d.resting), longestRest)
	}
	d.rest = d.resting
	d.threads, d.reference, d.typical, d.retry = best, took, took, now.Add(d.pause)
}

// begin starts a trial of ascending numbers of threads, equal ones once.
func (t *trial) begin(candidates ...int) {
	t.count, t.inference = 0, 0
	for _, c := range candidates {
		if t.count == 0 || t.candidates[t.count-1] != c {
			t.candidates[t.count] = c
			t.count++
		}
	}
}

// candidate is whose turn it is.
func (t *trial) candidate() int { return t.candidates[t.inference/trialTurn%t.count] }

// record takes in an inference of the candidate's, and reports whether the trial is over: all have had their turns, or
// one is clearly the best after a round.
func (t *trial) record(took time.Duration) bool {
	turn, place := t.inference/trialTurn, t.inference%trialTurn
	if place > 0 {
		t.times[turn%t.count][turn/t.count*(trialTurn-1)+place-1] = took
	}
	t.inference++
	round := t.count * trialTurn
	return t.inference%round == 0 && (t.inference == round*trialRounds || t.decided())
}

// decided reports whether all candidates but the best are far from it.
func (t *trial) decided() bool {
	best, took := t.best()
	for i, c := range t.candidates[:t.count] {
		if c != best && float64(t.mean(i)) < farWorse*float64(took) {
			return false
		}
	}
	return true
}

// best returns the candidate that did best in the rounds so far, and what it took on average.
func (t *trial) best() (threads int, took time.Duration) {
	for i, c := range t.candidates[:t.count] {
		if mean := t.mean(i); i == 0 || float64(mean) < (1-leastGain)*float64(took) {
			threads, took = c, mean
		}
	}
	return threads, took
}

// mean is what a candidate took on average in the rounds so far.
func (t *trial) mean(candidate int) time.Duration {
	n := t.inference / (t.count * trialTurn) * (trialTurn - 1)
	least := t.times[0][0]
	for _, times := range t.times[:t.count] {
		least = min(least, slices.Min(times[:n]))
	}
	var sum time.Duration
	for _, v := range t.times[candidate][:n] {
		sum += min(v, trialClip*least)
	}
	return sum / time.Duration(n)
}
