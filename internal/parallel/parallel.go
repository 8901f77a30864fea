// Package parallel spreads numbered pieces of work over goroutines, with results that do not depend on their number.
package parallel

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Task does one item, on one worker at a time.
type Task[R any] func(item int) (R, error)

// InOrder runs the tasks 0..n-1 on several workers and passes their results to fold one at a time and in
// the order of the items, whichever worker was quicker. threads is the number of workers, 0 for one per
// CPU; newTask makes a worker's task.
//
// After an error or the end of ctx no further item is begun; those under way are finished first. The
// error is that of the first item that has one, always the same, and results after it are dropped.
func InOrder[R any](ctx context.Context, n, threads int, newTask func() Task[R], fold func(item int, r R)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	q := queue[R]{n: n, finished: make(map[int]outcome[R]), fold: fold}
	var workers sync.WaitGroup
	for range Workers(threads, n) {
		run := newTask()
		workers.Go(func() {
			for {
				i, ok := q.take(ctx)
				if !ok {
					return
				}
				r, err := run(i)
				if err := q.finish(i, outcome[R]{r, err}); err != nil {
					cancel(err)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// Workers is the number of goroutines to use for n pieces of work.
func Workers(threads, n int) int {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return max(1, min(threads, n))
}

type outcome[R any] struct {
	result R
	err    error
}

// queue hands out items in order and holds back results whose turn has not come.
type queue[R any] struct {
	n    int
	fold func(item int, r R)

	mu       sync.Mutex
	next     int // item to begin next
	folded   int // items passed to fold
	failed   bool
	finished map[int]outcome[R]
}

func (q *queue[R]) take(ctx context.Context) (item int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next == q.n || ctx.Err() != nil {
		return 0, false
	}
	q.next++
	return q.next - 1, true
}

// finish passes on the results that are in turn, and returns the error of the first item that has one
// once every item before it is done.
func (q *queue[R]) finish(item int, o outcome[R]) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.finished[item] = o
	for !q.failed {
		o, ok := q.finished[q.folded]
		if !ok {
			return nil
		}
		delete(q.finished, q.folded)
		if o.err != nil {
			q.failed = true
			return o.err
		}
		q.fold(q.folded, o.result)
		q.folded++
	}
	return nil
}

// For runs work on 0..n-1, in any order, on up to threads goroutines (0 means one per CPU).
func For(n, threads int, work func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range Workers(threads, n) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	workers.Wait()
}
