//go:build !amd64 && !arm64

package asm

func archFeatures() []string { return nil }
