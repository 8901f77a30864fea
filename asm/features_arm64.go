package asm

import "golang.org/x/sys/cpu"

func archFeatures() []string {
	names := []string{"asimd"} // which every arm64 CPU that Go runs on has
	if cpu.ARM64.HasASIMDDP {
		names = append(names, "asimddp")
	}
	if cpu.ARM64.HasI8MM {
		names = append(names, "i8mm")
	}
	return names
}
