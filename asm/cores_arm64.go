package asm

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/cpu"
)

// core is what MIDR_EL1 says of a core's kind: who designed it, and which of their designs it is.
type core struct{ implementer, part uint64 }

// inOrderCores are those on which the order of instructions decides: Cortex-A34, A53, A35, A55, A510.
var inOrderCores = map[core]bool{{0x41, 0xd02}: true, {0x41, 0xd03}: true, {0x41, 0xd04}: true, {0x41, 0xd05}: true, {0x41, 0xd46}: true}

// inOrder reports whether all cores execute in order. Where a CPU mixes both kinds, the fast ones decide what is
// best for it. The answer chooses between kernels that give the same bytes, so a wrong one costs time only.
var inOrder = sync.OnceValue(func() bool {
	info, _ := os.ReadFile("/proc/cpuinfo") // Linux has it, other systems do not
	cores := parseCores(string(info))
	if len(cores) == 0 && cpu.ARM64.HasCPUID {
		cores = []core{coreOf(midr())}
	}
	return allInOrder(cores)
})

func allInOrder(cores []core) bool {
	for _, c := range cores {
		if !inOrderCores[c] {
			return false
		}
	}
	return len(cores) > 0
}

// parseCores reads Linux's /proc/cpuinfo, which names implementer and part of every core.
func parseCores(info string) []core {
	var cores []core
	var implementer uint64
	for line := range strings.Lines(info) {
		key, value, _ := strings.Cut(line, ":")
		n, err := strconv.ParseUint(strings.TrimSpace(value), 0, 32)
		if err != nil {
			continue
		}
		switch strings.TrimSpace(key) {
		case "CPU implementer":
			implementer = n
		case "CPU part":
			cores = append(cores, core{implementer, n})
		}
	}
	return cores
}

// coreOf reads the fields of MIDR_EL1.
func coreOf(midr uint64) core { return core{midr >> 24 & 0xff, midr >> 4 & 0xfff} }

// midr reads MIDR_EL1 of the core that it runs on. Linux emulates the instruction where it says so
// (HWCAP_CPUID); elsewhere it is illegal.
//
//go:noescape
func midr() uint64
