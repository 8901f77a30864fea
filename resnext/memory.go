package resnext

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	i8 "github.com/libresnext/libresnext/int8"
)

// DefaultMemoryLimit is Options.MemoryLimit where neither it nor the environment says otherwise: 512 MiB. ResNeXt-50 at
// 224x224 pixels needs 3 MB.
const DefaultMemoryLimit = 512 << 20

// MemoryLimitEnv is the environment variable that replaces DefaultMemoryLimit, in MiB.
const MemoryLimitEnv = "RESNEXT_MEMORY_LIMIT"

// ErrMemoryLimit is wrapped by the error about a network that needs more memory than Options.MemoryLimit.
var ErrMemoryLimit = errors.New("over the memory limit")

// checkMemory compares what a session will take with the limit before anything is allocated. Weights do not count:
// the file has them, so they are no larger than its owner expects.
func (c Config) checkMemory(limit int64) error {
	limit, err := memoryLimit(limit)
	if err != nil {
		return err
	}
	if need := c.SessionBytes() + c.tableBytes(); need > limit {
		mb := need>>20 + 1
		return fmt.Errorf("%w: a session at %dx%d pixels needs %d MB, the limit is %d MB: set %s=%d if this machine has as much, or calibrate for a smaller input",
			ErrMemoryLimit, c.Width, c.Height, mb, limit>>20, MemoryLimitEnv, mb)
	}
	return nil
}

// memoryLimit is what Options.MemoryLimit means, within what an int can count.
func memoryLimit(limit int64) (int64, error) {
	if limit < 0 {
		return 0, fmt.Errorf("resnext: a memory limit of %d bytes, expected 0 (the default) or more", limit)
	}
	if limit == 0 {
		limit = DefaultMemoryLimit
		if text := os.Getenv(MemoryLimitEnv); text != "" {
			mb, err := strconv.ParseInt(text, 10, 42)
			if err != nil || mb < 1 {
				return 0, fmt.Errorf("resnext: %s is %q, expected a number of MB such as 1024", MemoryLimitEnv, text)
			}
			limit = mb << 20
		}
	}
	return min(limit, math.MaxInt), nil
}

// SessionBytes is the memory in bytes that a session's activations take (its ArenaBytes) for a network whose
// configuration is sound.
func (c Config) SessionBytes() int64 {
	var total int64
	for _, n := range c.partSizes() {
		total += wholeLines(n)
	}
	return total
}

// partSizes are the sizes in bytes of the arena's parts.
//
// Blocks read one of two buffers and write the other, or the same where the shortcut is the identity and
// the add is in place; inside a block there is one buffer for the output of reduce and one for that of
// transform. So the arena holds the image, the stem's map and four buffers of the largest size.
func (c Config) partSizes() [arenaPartCount]int64 {
	var p [arenaPartCount]int64
	p[imagePart] = c.image().Size()
	if stem := c.StemShape().outMap().Size(); c.Stem.MaxPool {
		p[stemPart], p[bodyPart] = stem, c.pooledMap().Size()
	} else {
		p[bodyPart] = stem
	}
	for _, b := range c.Blocks() {
		p[bodyPart] = max(p[bodyPart], b.Expand.outMap().Size())
		p[reducedPart] = max(p[reducedPart], b.Reduce.outMap().Size())
		p[transformedPart] = max(p[transformedPart], b.Transform.outMap().Size())
	}
	p[otherBodyPart] = p[bodyPart]
	return p
}

// The parts of a session's arena.
const (
	imagePart = iota
	stemPart
	bodyPart
	otherBodyPart
	reducedPart
	transformedPart
	arenaPartCount
)

// wholeLines rounds a size up to whole cache lines.
func wholeLines(n int64) int64 {
	const line = 64
	return (n + line - 1) / line * line
}

// geometry is all of a convolution that its offsets depend on. Layers of equal geometry share one Place.
type geometry struct {
	in, out                i8.Map
	kernel, stride, groups int
	stem                   bool
}

func (s ConvShape) geometry() geometry {
	return geometry{s.inMap(), s.outMap(), s.Kernel, s.Stride, s.Groups, s.Name == StemName}
}

// tableBytes is the memory that the offsets of all places take.
func (c Config) tableBytes() int64 {
	var total int64
	seen := map[geometry]bool{}
	for _, s := range c.Convs() {
		if g := s.geometry(); !seen[g] {
			seen[g] = true
			total += int64(s.OutH) * int64(s.OutW) * i8.PlaceBytes
		}
	}
	return total
}
