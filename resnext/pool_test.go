package resnext

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	i8 "github.com/libresnext/libresnext/int8"
)

// funcJob is a job made of a function.
type funcJob func(task int)

func (f funcJob) run(task int, _ *i8.Scratch) { f(task) }

// TestPoolRunsEachTaskOnce: with any number of threads, tasks and idle inferences between.
func TestPoolRunsEachTaskOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := newPool(threads)
		for round := range 50 {
			p.begin()
			for _, tasks := range []int{1, 2, 7, 64} {
				counts := make([]atomic.Int32, tasks)
				p.do(funcJob(func(task int) { counts[task].Add(1) }), tasks)
				for i := range counts {
					require.EqualValues(t, 1, counts[i].Load(), "threads %d, round %d, task %d of %d", threads, round, i, tasks)
				}
			}
			p.end(true)
		}
		require.Zero(t, running.Load())
		p.close()
	}
}

// TestPoolPassesPanicsOn: a task's panic reaches the caller, whichever thread ran it, when no task runs any more; and
// the pool works afterwards.
func TestPoolPassesPanicsOn(t *testing.T) {
	p := newPool(4)
	defer p.close()
	for bad := range 16 {
		p.begin()
		var under atomic.Int32
		job := funcJob(func(task int) {
			under.Add(1)
			defer under.Add(-1)
			runtime.Gosched()
			if task == bad {
				panic("planted")
			}
		})
		require.PanicsWithValue(t, "planted", func() { p.do(job, 16) })
		require.Zero(t, under.Load())
		var sum atomic.Int32
		p.do(funcJob(func(task int) { sum.Add(int32(task)) }), 16)
		require.EqualValues(t, 120, sum.Load())
		p.end(true)
	}
}

// TestPoolWaitsForNobodyIdle: a worker that has not begun, because its CPU is busy elsewhere, holds up no job, and one
// that comes late finds its way into the job that is under way.
func TestPoolWaitsForNobodyIdle(t *testing.T) {
	p := preparePool(3)
	p.begin()
	var ran [64]atomic.Int32
	count := funcJob(func(task int) { ran[task].Add(1) })
	for range 10 {
		p.do(count, len(ran))
	}
	// Now both begin, in the middle of a job that waits for them.
	var here atomic.Int32
	p.startWorkers()
	p.do(funcJob(func(int) {
		here.Add(1)
		for here.Load() < 3 {
			runtime.Gosched()
		}
	}), 3)
	p.do(count, len(ran))
	p.end(true)
	p.close()
	for i := range ran {
		require.EqualValues(t, 11, ran[i].Load(), "task %d", i)
	}
}

// TestPoolRestsWorkers: where the degree says so an inference runs on fewer threads.
func TestPoolRestsWorkers(t *testing.T) {
	p := newPool(4)
	defer p.close()
	for _, threads := range []int{4, 1, 2, 4, 3} {
		p.degree.threads, p.degree.reference, p.degree.retry = threads, 1, time.Now().Add(time.Hour)
		p.begin()
		var here, most atomic.Int32
		job := funcJob(func(int) {
			n := here.Add(1)
			defer here.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			runtime.Gosched()
		})
		for range 50 {
			p.do(job, 32)
		}
		p.end(false)
		require.LessOrEqual(t, most.Load(), int32(threads))
	}
}

// TestBatchesHaveADegreeOfTheirOwn: how long images of a batch take says nothing of those that are split, nor the other way
// round, and a batch of many images counts as one of few does.
func TestBatchesHaveADegreeOfTheirOwn(t *testing.T) {
	p := newPool(4)
	defer p.close()
	p.batches.threads, p.batches.warm, p.batches.retry = 2, warmUp, time.Now().Add(time.Hour)
	p.batches.reference, p.batches.typical = time.Minute, time.Minute
	for range 3 {
		p.beginBatch()
		require.EqualValues(t, 2, p.active.Load())
		p.started = p.started.Add(-400 * time.Second)
		p.endBatch(10)
	}
	require.InDelta(t, 40, p.batches.reference.Seconds(), 20)
	require.Equal(t, 4, p.degree.threads)
	require.Zero(t, p.degree.warm)
	p.begin()
	require.EqualValues(t, 4, p.active.Load())
	p.end(true)
	require.Equal(t, 1, p.degree.warm)
	require.Zero(t, running.Load())
}
