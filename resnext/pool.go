package resnext

import (
	"runtime"
	"sync/atomic"
	"time"

	i8 "github.com/libresnext/libresnext/int8"
)

// job is a piece of work that is cut into tasks, which may run at the same time.
type job interface {
	run(task int, s *i8.Scratch)
}

// pool runs jobs on a fixed number of threads, the caller's among them. Between begin and end, an inference, workers
// spin until the next job, because a thread takes longer to wake up than most layers take to compute; afterwards they
// sleep. Nobody waits for a worker that has not begun: each thread claims tasks, the caller takes what is left, and
// a job is done when its last task is. Starting a job allocates nothing.
type pool struct {
	workers []worker // one a thread; the caller's is the first
	current job
	left    atomic.Int32  // tasks of the job that are not done
	epoch   atomic.Uint32 // jobs so far
	active  atomic.Int32  // threads that take part in the inference, 0 between inferences
	cores   int32         // threads that can run at once
	failure atomic.Pointer[failure]
	closed  atomic.Bool
	// asleep is set while the caller sleeps until the job is done, which finished then says.
	asleep   atomic.Bool
	finished chan struct{}

	degree  degree
	batches degree    // of images that are worked on whole, see batch
	started time.Time // of the inference
}

// failure is a panic of a task, kept for the caller of do.
type failure struct{ value any }

// worker is one thread.
type worker struct {
	scratch i8.Scratch
	// share is the thread's part of a job, neighbours in the map so that it finds in its own cache what it wrote for the
	// layer before: the next task that nobody has claimed, and in the lower half the end. A task is claimed by changing
	// both at once, and a job's shares are published after the job itself, so a thread that comes late claims nothing, or
	// a task of the job that is then under way.
	share atomic.Uint64
	// invitations counts the inferences in which the worker takes part.
	invitations atomic.Uint32
	asleep      atomic.Bool
	wake        chan struct{}
	_           [64]byte // the next worker is on another core's cache line
}

const shareEnd = 1<<32 - 1 // the lower half

func newShare(next, end int) uint64 { return uint64(next)<<32 | uint64(end) }

const (
	// spinWait is how long a thread spins for the next job, or for the others' last tasks, before it sleeps: longer than
	// most layers' last task takes, so that it sleeps mostly where the CPU is wanted elsewhere.
	spinWait = 500 * time.Microsecond
	// spinIdle is how long workers spin after an inference, for the next of a series.
	spinIdle = 100 * time.Microsecond
	// spinOversubscribed replaces spinWait while there are more running threads in this process than cores.
	spinOversubscribed = 20 * time.Microsecond
)

// running counts the threads of all inferences under way.
var running atomic.Int32

func newPool(threads int) *pool {
	p := preparePool(threads)
	p.startWorkers()
	return p
}

// preparePool makes a pool whose workers have not begun.
func preparePool(threads int) *pool {
	p := &pool{
		workers: make([]worker, threads), cores: int32(runtime.GOMAXPROCS(0)), finished: make(chan struct{}, 1),
		degree: newDegree(threads), batches: newDegree(threads),
	}
	for i := range p.workers {
		p.workers[i].wake = make(chan struct{}, 1)
	}
	return p
}

func (p *pool) startWorkers() {
	for i := 1; i < len(p.workers); i++ {
		go p.serve(i)
	}
}

// begin starts an inference: it wakes the workers that take part.
func (p *pool) begin() { p.beginAs(&p.degree) }

// beginBatch starts the inferences of a batch, each on one thread.
func (p *pool) beginBatch() { p.beginAs(&p.batches) }

func (p *pool) beginAs(d *degree) {
	threads := 1
	if len(p.workers) > 1 {
		p.started = time.Now()
		threads = d.next(p.started)
	}
	running.Add(int32(threads))
	p.active.Store(int32(threads))
	for i := 1; i < threads; i++ {
		p.workers[i].invitations.Add(1)
	}
	p.wakeWorkers(threads)
}

// end lets the workers sleep. undisturbed says that the time since begin went into jobs alone.
func (p *pool) end(undisturbed bool) {
	images := 0
	if undisturbed {
		images = 1
	}
	p.endAs(&p.degree, images)
}

// endBatch lets the workers sleep after so many images.
func (p *pool) endBatch(images int) { p.endAs(&p.batches, images) }

// endAs lets d learn how long an image took, unless there was none.
func (p *pool) endAs(d *degree, images int) {
	threads := p.active.Swap(0)
	running.Add(-threads)
	if len(p.workers) > 1 && images > 0 {
		now := time.Now()
		d.learn(now, now.Sub(p.started)/time.Duration(images))
	}
}

// wakeWorkers wakes those of the first threads that sleep.
func (p *pool) wakeWorkers(threads int) {
	for i := 1; i < threads; i++ {
		if w := &p.workers[i]; w.asleep.Load() {
			signal(w.wake)
		}
	}
}

// signal wakes whoever waits at c, now or when it next does.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it was told already
	}
}

// spinTime is how long it is wise to spin now.
func (p *pool) spinTime() time.Duration {
	if running.Load() > p.cores {
		return spinOversubscribed
	}
	return spinWait
}

// close ends the workers. No job may be running.
func (p *pool) close() {
	p.closed.Store(true)
	for i := 1; i < len(p.workers); i++ {
		signal(p.workers[i].wake)
	}
}

// do runs every task of a job and returns when all are done. A panic of any task is passed on.
func (p *pool) do(j job, tasks int) {
	threads := int(p.active.Load())
	if threads == 1 || tasks == 1 {
		for t := range tasks {
			j.run(t, &p.workers[0].scratch)
		}
		return
	}
	// In this order: whoever claims a task finds its job.
	p.current = j
	p.left.Store(int32(tasks))
	for i := range threads {
		p.workers[i].share.Store(newShare(tasks*i/threads, tasks*(i+1)/threads))
	}
	p.epoch.Add(1)
	p.wakeWorkers(threads)
	p.work(0)
	p.wait()
	if f := p.failure.Swap(nil); f != nil {
		panic(f.value)
	}
}

// wait returns when the job is done.
func (p *pool) wait() {
	done := func() bool { return p.left.Load() == 0 }
	if spinUntil(p.spinTime(), done) {
		return
	}
	p.asleep.Store(true)
	for !done() {
		<-p.finished
	}
	p.asleep.Store(false)
}

// work is drain with panics of tasks kept for do: the caller must not leave do while others still write, and a panic of a
// worker's own would end the process before anybody could recover.
func (p *pool) work(thread int) {
	for {
		tasks, panicked := p.drain(thread)
		if tasks > 0 && p.left.Add(-int32(tasks)) == 0 && p.asleep.Load() {
			signal(p.finished)
		}
		if !panicked {
			return
		}
	}
}

// drain runs a thread's own tasks, and then what the others have left, until there are none or one panics.
func (p *pool) drain(thread int) (tasks int, panicked bool) {
	defer func() {
		if value := recover(); value != nil {
			p.failure.CompareAndSwap(nil, &failure{value})
			panicked = true
		}
	}()
	scratch := &p.workers[thread].scratch
	for i := range p.workers {
		w := &p.workers[(thread+i)%len(p.workers)]
		for {
			share := w.share.Load()
			next := share >> 32
			if next >= share&shareEnd {
				break
			}
			if w.share.CompareAndSwap(share, share+1<<32) {
				tasks++
				p.current.run(int(next), scratch)
			}
		}
	}
	return tasks, false
}

// serve is a worker's life.
func (p *pool) serve(thread int) {
	for seen := uint32(0); ; {
		seen = p.await(thread, seen)
		if p.closed.Load() {
			return
		}
		p.work(thread)
	}
}

// await returns the epoch once it differs from seen while the worker takes part in the inference, or the pool is closed.
func (p *pool) await(thread int, seen uint32) uint32 {
	w := &p.workers[thread]
	takesPart := func() bool { return thread < int(p.active.Load()) }
	wanted := func() bool { return takesPart() && p.epoch.Load() != seen || p.closed.Load() }
	for {
		invitations := w.invitations.Load()
		wantedOrInvited := func() bool { return wanted() || w.invitations.Load() != invitations }
		spinUntil(p.spinTime(), func() bool { return wanted() || !takesPart() })
		if !spinUntil(spinIdle, wantedOrInvited) {
			w.asleep.Store(true)
			for !wantedOrInvited() {
				<-w.wake
			}
			w.asleep.Store(false)
		}
		if wanted() {
			return p.epoch.Load()
		}
	}
}

// spinUntil polls done for at most d, and reports whether it became true.
func spinUntil(d time.Duration, done func() bool) bool {
	const looks = 100 // between looks at the clock
	for start := time.Now(); ; {
		for range looks {
			if done() {
				return true
			}
		}
		if time.Since(start) > d {
			return false
		}
	}
}
