package asm

// scaleAVX512VNNI computes what ScaleReference does, for the CPUs of AVX-512 VNNI. Nothing needs alignment; nothing outside
// the stated bytes is read or written.
//
//go:noescape
func scaleAVX512VNNI(a *ScaleArgs)
