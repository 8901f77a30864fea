package resnext

import (
	"runtime"
	"sync/atomic"
	"testing"

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
			p.end()
		}
		require.Zero(t, working.Load())
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
		p.end()
	}
}
