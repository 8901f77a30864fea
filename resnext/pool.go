package resnext

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	i8 "github.com/libresnext/libresnext/int8"
)

// job is a piece of work that is cut into tasks, which may run at the same time.
type job interface {
	run(task int, s *i8.Scratch)
}

// pool runs jobs on a fixed number of threads, the caller's among them. Between begin and end, an inference,
// workers watch for the next job without sleeping, because a thread takes longer to wake up than most layers take
// to compute; afterwards they sleep. Starting a job allocates nothing.
type pool struct {
	seats   []seat // one a thread; the caller's is the first
	job     job
	left    atomic.Int32  // workers that have not finished the job
	epoch   atomic.Uint32 // counts jobs
	round   atomic.Uint32 // counts inferences
	running atomic.Bool   // between begin and end
	cores   int32         // how many threads can run at once
	failure atomic.Pointer[failure]
	asleep  sync.Mutex
	// wake is for workers, finished for the caller; each waits only where watching took too long.
	wake, finished *sync.Cond
	closed         atomic.Bool
}

// failure is a panic of a task, kept for the caller of do.
type failure struct{ value any }

// seat is one thread's place. Its share of a job are the tasks from next to end, neighbours in the map, so that a
// thread finds in its own cache what it wrote for the layer before.
type seat struct {
	scratch i8.Scratch
	next    atomic.Int32
	end     int32
	_       [64]byte // the next seat is another core's cache line
}

const (
	// patience is how long a thread watches for the next job, or for the others' last tasks, before it sleeps: longer than
	// most layers' last task takes, so that it sleeps mostly where the CPU is wanted elsewhere.
	patience = 500 * time.Microsecond
	// linger is how long workers stay awake after an inference, for the next of a series.
	linger = 100 * time.Microsecond
	// briefly is its patience while more threads are at work in this process than can run at once.
	briefly = 20 * time.Microsecond
)

// working counts the threads of all inferences under way.
var working atomic.Int32

func newPool(threads int) *pool {
	p := &pool{seats: make([]seat, threads), cores: int32(runtime.GOMAXPROCS(0))}
	p.wake, p.finished = sync.NewCond(&p.asleep), sync.NewCond(&p.asleep)
	for i := 1; i < threads; i++ {
		go p.worker(i)
	}
	return p
}

// begin wakes the workers for an inference.
func (p *pool) begin() {
	working.Add(int32(len(p.seats)))
	if len(p.seats) == 1 {
		return
	}
	p.asleep.Lock()
	p.running.Store(true)
	p.round.Add(1)
	p.asleep.Unlock()
	p.wake.Broadcast()
}

// end lets the workers sleep.
func (p *pool) end() {
	p.running.Store(false)
	working.Add(-int32(len(p.seats)))
}

// patience is how long it is wise to watch now.
func (p *pool) patience() time.Duration {
	if working.Load() > p.cores {
		return briefly
	}
	return patience
}

// close ends the workers. No job may be running.
func (p *pool) close() {
	p.asleep.Lock()
	p.closed.Store(true)
	p.epoch.Add(1)
	p.asleep.Unlock()
	p.wake.Broadcast()
}

// do runs every task of a job and returns when all are done. A panic of any task is passed on.
func (p *pool) do(j job, tasks int) {
	if len(p.seats) == 1 || tasks == 1 {
		for t := range tasks {
			j.run(t, &p.seats[0].scratch)
		}
		return
	}
	p.job = j
	for i := range p.seats {
		p.seats[i].next.Store(int32(tasks * i / len(p.seats)))
		p.seats[i].end = int32(tasks * (i + 1) / len(p.seats))
	}
	p.left.Store(int32(len(p.seats) - 1))
	p.asleep.Lock()
	p.epoch.Add(1)
	p.asleep.Unlock()
	p.wake.Broadcast()
	p.work(0)
	if !watch(p.patience(), func() bool { return p.left.Load() == 0 }) {
		p.asleep.Lock()
		for p.left.Load() != 0 {
			p.finished.Wait()
		}
		p.asleep.Unlock()
	}
	if f := p.failure.Swap(nil); f != nil {
		panic(f.value)
	}
}

// work is take, but that a panic waits: the caller must not leave do while others still write, and a panic of a
// worker's own would end the process before anybody could recover.
func (p *pool) work(thread int) {
	defer func() {
		if value := recover(); value != nil {
			p.failure.CompareAndSwap(nil, &failure{value})
		}
	}()
	p.take(thread)
}

// take runs a thread's own tasks, and then what the others have left.
func (p *pool) take(thread int) {
	scratch := &p.seats[thread].scratch
	for i := range p.seats {
		s := &p.seats[(thread+i)%len(p.seats)]
		for t := s.next.Add(1) - 1; t < s.end; t = s.next.Add(1) - 1 {
			p.job.run(int(t), scratch)
		}
	}
}

func (p *pool) worker(thread int) {
	for seen := uint32(0); ; {
		seen = p.await(seen)
		if p.closed.Load() {
			return
		}
		p.work(thread)
		if p.left.Add(-1) == 0 {
			p.asleep.Lock() // the caller has seen left, or waits
			p.finished.Signal()
			p.asleep.Unlock()
		}
	}
}

// await returns the epoch once it differs from seen.
func (p *pool) await(seen uint32) uint32 {
	changed := func() bool { return p.epoch.Load() != seen }
	for {
		round := p.round.Load()
		watch(p.patience(), func() bool { return changed() || !p.running.Load() })
		watch(linger, func() bool { return changed() || p.round.Load() != round })
		p.asleep.Lock()
		for !changed() && p.round.Load() == round {
			p.wake.Wait()
		}
		p.asleep.Unlock()
		if changed() {
			return p.epoch.Load()
		}
	}
}

// watch looks until done holds, and tells whether it did in time.
func watch(most time.Duration, done func() bool) bool {
	const looks = 100 // between looks at the clock
	for start := time.Now(); ; {
		for range looks {
			if done() {
				return true
			}
		}
		if time.Since(start) > most {
			return false
		}
	}
}
