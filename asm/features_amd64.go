package asm

import "github.com/klauspost/cpuid/v2"

func archFeatures() []string {
	var names []string
	for _, f := range []struct {
		id   cpuid.FeatureID
		name string
	}{
		{cpuid.AVX2, "avx2"}, {cpuid.AVXVNNI, "avx_vnni"}, {cpuid.AVX512F, "avx512f"}, {cpuid.AVX512BW, "avx512bw"},
		{cpuid.AVX512VL, "avx512vl"}, {cpuid.AVX512VNNI, "avx512_vnni"},
	} {
		if cpuid.CPU.Supports(f.id) {
			names = append(names, f.name)
		}
	}
	return names
}
