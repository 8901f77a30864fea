package resnext

import (
	"runtime"
	"sync"
	"sync/atomic"

	i8 "github.com/libresnext/libresnext/int8"
)

// job is a piece of work that is cut into tasks, which may run at the same time.
type job interface {
	run(task int, s *i8.Scratch)
}

// pool runs jobs on a fixed number of threads, the caller's among them. Workers spin for some microseconds
// between the layers of a network, and sleep between inferences. Starting a job allocates nothing.
type pool struct {
	scratch []i8.Scratch // one a thread; the caller's is the first
	job     job
	tasks   int32
	next    atomic.Int32  // the next task to take
	left    atomic.Int32  // workers that have not finished the job
	epoch   atomic.Uint32 // counts jobs, odd or even
	asleep  sync.Mutex
	wake    *sync.Cond
	closed  atomic.Bool
}

// spins is how often a waiting thread looks before it sleeps or yields: some tens of microseconds.
const spins = 20000

func newPool(threads int) *pool {
	p := &pool{scratch: make([]i8.Scratch, threads)}
	p.wake = sync.NewCond(&p.asleep)
	for i := 1; i < threads; i++ {
		go p.worker(&p.scratch[i])
	}
	return p
}

// close ends the workers. No job may be running.
func (p *pool) close() {
	p.asleep.Lock()
	p.closed.Store(true)
	p.epoch.Add(1)
	p.asleep.Unlock()
	p.wake.Broadcast()
}

// do runs every task of a job and returns when all are done.
func (p *pool) do(j job, tasks int) {
	if len(p.scratch) == 1 || tasks == 1 {
		for t := range tasks {
			j.run(t, &p.scratch[0])
		}
		return
	}
	p.job, p.tasks = j, int32(tasks)
	p.next.Store(0)
	p.left.Store(int32(len(p.scratch) - 1))
	p.asleep.Lock()
	p.epoch.Add(1)
	p.asleep.Unlock()
	p.wake.Broadcast()
	p.take(&p.scratch[0])
	for i := 0; p.left.Load() != 0; i++ {
		if i > spins {
			runtime.Gosched()
		}
	}
}

// take runs tasks until none is left.
func (p *pool) take(s *i8.Scratch) {
	for t := p.next.Add(1) - 1; t < p.tasks; t = p.next.Add(1) - 1 {
		p.job.run(int(t), s)
	}
}

func (p *pool) worker(s *i8.Scratch) {
	for seen := uint32(0); ; {
		seen = p.await(seen)
		if p.closed.Load() {
			return
		}
		p.take(s)
		p.left.Add(-1)
	}
}

// await returns the epoch once it differs from seen.
func (p *pool) await(seen uint32) uint32 {
	for range spins {
		if e := p.epoch.Load(); e != seen {
			return e
		}
	}
	p.asleep.Lock()
	defer p.asleep.Unlock()
	for p.epoch.Load() == seen {
		p.wake.Wait()
	}
	return p.epoch.Load()
}
