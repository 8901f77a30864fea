package main

import "syscall"

const (
	arena = 64 << 20 // Go reserves addresses by so many bytes
	spare = 8 << 20  // what the collector and the tables of memory take along
	most  = 1 << 46  // bytes; a CPU has no more addresses
)

// refused is the error of memory that the system does not give.
func refused(size int64, err error) error {
	return fail(statusMemory, "the system does not give %d bytes of memory: %v", size, err)
}

// room asks the system whether it has size bytes more for Go, which ends the process where it is refused memory. It
// gives them back: what others take meanwhile is not reckoned with.
func room(size int64) error {
	if size < 0 || size > most || int64(int(size)+2*arena) != size+2*arena {
		return refused(size, syscall.ENOMEM)
	}
	addresses := (int(size)+arena-1)/arena*arena + arena
	all, err := syscall.Mmap(-1, 0, addresses, syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return refused(size, err)
	}
	err = syscall.Mprotect(all[:int(size)+spare], syscall.PROT_READ|syscall.PROT_WRITE)
	if unmapped := syscall.Munmap(all); err == nil {
		err = unmapped
	}
	if err != nil {
		return refused(size, err)
	}
	return nil
}
