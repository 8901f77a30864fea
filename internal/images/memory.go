package images

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"

	"golang.org/x/sync/semaphore"
)

// DefaultMemory is how many bytes pictures may take unless [SetMemory] is called: what a computer of 512 MB has to
// spare, and enough for a JPEG of 100 megapixels as phones make them (4:2:0, 1.5 bytes a pixel).
const DefaultMemory = 256 << 20

// memory is what all pictures of the process share.
var memory = newBudget(DefaultMemory)

// SetMemory sets how many bytes all pictures may take that are read at the same time, files and what decoders allocate
// included. It also bounds what is kept of an archive's directory and of a gzipped IDX file. Call it before any other
// function of the package.
func SetMemory(bytes int64) { memory = newBudget(min(bytes, math.MaxInt)) }

// A MemoryError says that a picture would take more memory than there is for pictures.
type MemoryError struct {
	What        string // what it is, as in "the PNG is 9000x9000 pixels"
	Need, Limit int64  // in bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%s: reading it takes %s of memory, more than the %s for pictures: "+
		"make it smaller, or allow more (--image-memory %d of calib and resnext)",
		e.What, megabytes(e.Need), megabytes(e.Limit), (e.Need+1<<20-1)>>20)
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", (n+1<<20-1)>>20) }

// budget divides memory between the pictures that are read at the same time. Many small ones have room, large ones wait
// for each other.
type budget struct {
	limit  int64
	tokens *semaphore.Weighted

	mu sync.Mutex
	// held is what the pictures under way have taken, freed what earlier ones gave back since the last collection: as
	// long as that has not come it is as good as taken.
	held, freed int64
}

func newBudget(limit int64) *budget {
	return &budget{limit: limit, tokens: semaphore.NewWeighted(limit)}
}

// maxFile is the largest file read: an image is hardly ever smaller than its file.
func (b *budget) maxFile() int64 { return b.limit / 2 }

// hold is what one picture has taken of a budget. It belongs to one goroutine.
type hold struct {
	budget *budget
	bytes  int64
}

// takeFile takes what reading a file of size bytes needs, or if that is much, or not known (0), all there is:
// who has all never waits for more, and who has little gives it back before, so that no two wait for each other.
func (b *budget) takeFile(size int64) *hold {
	const little = 8 << 20
	s := &hold{budget: b}
	if size < 1 || size > little {
		size = b.limit
	}
	s.take(size)
	return s
}

// grow makes the hold one of n bytes, if it is smaller.
func (s *hold) grow(n int64) {
	if n > s.bytes {
		s.free()
		s.take(n)
	}
}

func (s *hold) take(n int64) {
	b := s.budget
	n = min(n, b.limit)
	_ = b.tokens.Acquire(context.Background(), n) // fails only if the context ends
	s.bytes = n
	b.mu.Lock()
	b.held += n
	full := b.held+b.freed > b.limit
	if full {
		b.freed = 0
	}
	b.mu.Unlock()
	if full {
		runtime.GC()
	}
}

func (s *hold) free() {
	b := s.budget
	b.mu.Lock()
	b.held -= s.bytes
	b.freed += s.bytes
	b.mu.Unlock()
	b.tokens.Release(s.bytes)
	s.bytes = 0
}
