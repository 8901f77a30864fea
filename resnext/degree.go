package resnext

import "time"

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
	retry              time.Time // no trial before
	pause              time.Duration
	warm               int // inferences so far, up to warmUp

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
	// A pause lasts some inferences at first, and at most either limit, so that trials cost little.
	shortestPause               = 20 * time.Millisecond
	firstPause                  = 20 // inferences
	longestPause                = 2 * time.Second
	mostPause                   = 200 // inferences
	average       time.Duration = 8   // inferences that typical looks back
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
	return (slower || d.threads < d.most) && now.After(d.retry)
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
		took = min(took, typicalClip*d.reference)
		d.typical += (took - d.typical) / average
		d.reference = min(d.reference, d.typical)
	}
}

// conclude ends the trial.
func (d *degree) conclude(now time.Time) {
	best, took := d.trial.best()
	d.trial.count = 0
	first := max(shortestPause, firstPause*took)
	if best != d.threads {
		d.pause = first
	} else {
		d.pause = min(max(first, 2*d.pause), max(longestPause, mostPause*took))
	}
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

// record takes in an inference of the candidate's, and reports whether it was the last.
func (t *trial) record(took time.Duration) bool {
	turn, place := t.inference/trialTurn, t.inference%trialTurn
	if place > 0 {
		t.times[turn%t.count][turn/t.count*(trialTurn-1)+place-1] = took
	}
	t.inference++
	return t.inference == t.count*trialRounds*trialTurn
}

// best returns the candidate that did best, and what it took on average.
func (t *trial) best() (threads int, took time.Duration) {
	least := t.times[0][0]
	for _, times := range t.times[:t.count] {
		for _, v := range times {
			least = min(least, v)
		}
	}
	for i, times := range t.times[:t.count] {
		var sum time.Duration
		for _, v := range times {
			sum += min(v, trialClip*least)
		}
		if mean := sum / time.Duration(len(times)); i == 0 || float64(mean) < (1-leastGain)*float64(took) {
			threads, took = t.candidates[i], mean
		}
	}
	return threads, took
}
