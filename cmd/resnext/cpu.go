package main

import (
	"os"
	"runtime"
	"strings"

	"github.com/klauspost/cpuid/v2"

	"github.com/libresnext/libresnext/internal/procfs"
)

// cpuName is what the machine calls its CPU, or failing that its board: "Raspberry Pi 4 Model B Rev 1.4".
func cpuName() string {
	candidates := []func() string{
		func() string { return cpuid.CPU.BrandName },
		func() string { return procfs.Field("/proc/cpuinfo", "model name") },
		func() string { return procfs.Field("/proc/cpuinfo", "Model") },
		func() string { return procfs.Field("/proc/cpuinfo", "Hardware") },
		deviceTreeModel,
	}
	for _, c := range candidates {
		if name := strings.Join(strings.Fields(c()), " "); name != "" {
			return name
		}
	}
	return "unknown " + runtime.GOARCH
}

// deviceTreeModel is the board's name where a device tree describes it.
func deviceTreeModel() string {
	b, err := os.ReadFile("/proc/device-tree/model")
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(b), "\x00")
}
