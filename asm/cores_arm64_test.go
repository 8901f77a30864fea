package asm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInOrder(t *testing.T) {
	const a53 = "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd03\nCPU revision\t: 4\n\n"
	const a72 = "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n"
	for _, c := range []struct {
		name, info string
		cores      int
		want       bool
	}{
		{"Zero 2 W", "processor\t: 0\nBogoMIPS\t: 38.40\n" + a53 + a53 + a53 + a53 + "Model\t\t: Raspberry Pi Zero 2 W Rev 1.0\n", 4, true},
		{"Pi 4", a72 + a72 + a72 + a72, 4, false},
		{"both kinds", a53 + a53 + a72, 3, false},
		{"another's core of the same number", "CPU implementer : 0x51\nCPU part : 0xd03\n", 1, false},
		{"x86", "vendor_id\t: AuthenticAMD\ncpu family\t: 25\n", 0, false},
		{"damaged", "CPU implementer\t: 0x\nCPU part\t: 99999999999999999999\n:\n", 0, false},
		{"nothing", "", 0, false},
	} {
		cores := parseCores(c.info)
		require.Len(t, cores, c.cores, c.name)
		require.Equal(t, c.want, allInOrder(cores), c.name)
	}
	require.Equal(t, core{0x41, 0xd03}, coreOf(0x410fd034))
}
