package asm

// sgemmKernels lists this machine's kernels; each is a function that selects it and gives one that
// undoes that.
func sgemmKernels() map[string]func() func() {
	have := sgemmAVX2
	kernels := map[string]func() func(){
		"go": func() func() { sgemmAVX2 = false; return func() { sgemmAVX2 = have } },
	}
	if have {
		kernels["avx2"] = func() func() { return func() {} }
	}
	return kernels
}
