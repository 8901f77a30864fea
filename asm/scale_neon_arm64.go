package asm

// scaleNEON is ScaleReference(args, 0x80): each channel times its gate and Mult, plus the residual times ResMult where
// the epilogue adds one. Channels is a positive multiple of 16. Nothing need be aligned, and no byte is read or written
// that ScaleArgs does not name. It runs on every arm64 CPU.
//
//go:noescape
func scaleNEON(args *ScaleArgs)
