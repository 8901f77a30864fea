package resnext

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	i8 "github.com/libresnext/libresnext/int8"
	"github.com/libresnext/libresnext/resnext/topology"
)

// DefaultMemoryLimit is Options.MemoryLimit where neither it nor the environment says otherwise: 512 MiB. ResNeXt-50 at
// 224x224 pixels needs 3 MB.
const DefaultMemoryLimit = 512 << 20

// MemoryLimitEnv is the environment variable that replaces DefaultMemoryLimit, in MiB.
const MemoryLimitEnv = "RESNEXT_MEMORY_LIMIT"

// ErrMemoryLimit is wrapped by the error about a network that needs more memory than Options.MemoryLimit.
var ErrMemoryLimit = errors.New("over the memory limit")

// checkMemory compares what a session will take with the limit, and each map with what kernels can reach, before anything
// is allocated, and returns how many arenas the limit has room for. Weights do not count: the file has them, so they are no
// larger than its owner expects.
func checkMemory(p *topology.Program, limit int64) (arenas int64, err error) {
	if limit, err = memoryLimit(limit); err != nil {
		return 0, err
	}
	for id, m := range p.Maps {
		if n := mapBytes(p, topology.MapID(id)); n > i8.MaxBytes {
			return 0, fmt.Errorf("%w: %s: %dx%d pixels of %d channels take %d bytes, kernels reach %d",
				ErrConfig, m.Name, m.W, m.H, m.Channels, n, i8.MaxBytes)
		}
	}
	_, one := arena(p)
	tables := tableBytes(p)
	if need := one + tables; need > limit {
		mb, image := need>>20+1, p.Maps[topology.Image]
		return 0, fmt.Errorf("%w: a session at %dx%d pixels needs %d MB, the limit is %d MB: set %s=%d if this machine has as much, or calibrate for a smaller input",
			ErrMemoryLimit, image.W, image.H, mb, limit>>20, MemoryLimitEnv, mb)
	}
	return (limit - tables) / one, nil
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

// SessionBytes returns the memory in bytes that a session's activations take (its ArenaBytes) for a network whose
// configuration is sound.
func SessionBytes(c Config) int64 {
	_, total := arena(topology.Lower(c))
	return total
}

// arena places the maps of a program in a session's memory, each at the start of a cache line.
func arena(p *topology.Program) (offset []int64, total int64) {
	return p.Arena(func(id topology.MapID) int64 { return alignLine(mapBytes(p, id)) })
}

// mapBytes is what a map takes in memory.
func mapBytes(p *topology.Program, id topology.MapID) int64 {
	if id == topology.Image {
		return imageOf(p.Maps[id]).Size()
	}
	return mapOf(p.Maps[id]).Size()
}

// alignLine rounds a size up to whole cache lines.
func alignLine(n int64) int64 {
	const line = 64
	return (n + line - 1) / line * line
}

// geometry is all of a convolution that its offsets depend on. Layers of equal geometry share one Binding.
type geometry struct {
	in, out                i8.Map
	kernel, stride, groups int
	image                  bool
}

func geometryOf(p *topology.Program, s topology.Step) geometry {
	return geometry{mapOf(p.Maps[s.In]), mapOf(p.Maps[s.Out]), s.Conv.Kernel, s.Conv.Stride, s.Conv.Groups, s.Conv.Image}
}

// tableBytes is the memory that the offsets of all bindings take.
func tableBytes(p *topology.Program) int64 {
	var total int64
	seen := map[geometry]bool{}
	for _, s := range p.Steps {
		if s.Op != topology.Conv {
			continue
		}
		if g := geometryOf(p, s); !seen[g] {
			seen[g] = true
			total += int64(g.out.H) * int64(g.out.W) * i8.BindingBytes
		}
	}
	return total
}
