package main

import (
	"sync"
	"syscall"
)

const (
	arena = 64 << 20 // Go reserves addresses by so many bytes
	spare = 8 << 20  // what the collector and the tables of memory take along
	most  = 1 << 46  // bytes; a CPU has no more addresses
)

// reserve is memory that nobody uses: where the system refuses more, it is given back first, because telling of that takes
// some too, and Go ends the process where it does not get it. So much Go asks for at once, and a little for its tables.
var reserve struct {
	sync.Mutex
	memory []byte
}

const reserveSize = 5 << 20

// keepReserve takes the reserve where it is not there, if the system gives it.
func keepReserve() {
	reserve.Lock()
	defer reserve.Unlock()
	if reserve.memory == nil {
		reserve.memory, _ = syscall.Mmap(-1, 0, reserveSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	}
}

func giveReserve() {
	reserve.Lock()
	defer reserve.Unlock()
	if reserve.memory != nil {
		_ = syscall.Munmap(reserve.memory) // it is ours
		reserve.memory = nil
	}
}

// room asks the system whether it has size bytes more for Go, which ends the process where it is refused memory. It
// gives them back: what others take meanwhile is not reckoned with.
func room(size int64) error {
	refused := func(err error) error {
		giveReserve()
		return fail(statusMemory, "the system does not give %d bytes of memory: %v", size, err)
	}
	if size < 0 || size > most || int64(int(size)+2*arena) != size+2*arena {
		return refused(syscall.ENOMEM)
	}
	addresses := (int(size)+arena-1)/arena*arena + arena
	all, err := syscall.Mmap(-1, 0, addresses, syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return refused(err)
	}
	err = syscall.Mprotect(all[:int(size)+spare], syscall.PROT_READ|syscall.PROT_WRITE)
	if unmapped := syscall.Munmap(all); err == nil {
		err = unmapped
	}
	if err != nil {
		return refused(err)
	}
	keepReserve()
	return nil
}
