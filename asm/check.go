package asm

import (
	"fmt"
	"sync"
	"unsafe"
)

// mismatchError is what Check finds.
type mismatchError struct{ set, kernel, shape string }

func (e *mismatchError) Error() string {
	return fmt.Sprintf("kernel set %s: %s gives a wrong answer at %s; please report this CPU", e.set, e.kernel, e.shape)
}

var checked sync.Map // *Kernels -> func() error

// Check runs every kernel of the set once on small known data and compares each byte with the pure Go
// kernel. The answer is remembered; a second call costs nothing.
func Check(k *Kernels) error {
	once, _ := checked.LoadOrStore(k, sync.OnceValue(func() error { return check(k) }))
	return once.(func() error)()
}

func check(k *Kernels) error {
	r := &lcg{state: 1}
	for _, nr := range k.NR {
		for epilogue := ReLU; epilogue <= AddSigned; epilogue++ {
			for _, depth := range append([]int{0}, k.Depths...) {
				if !checkIGEMM(k, r, nr, epilogue, depth) {
					return &mismatchError{k.Name, "igemm", fmt.Sprintf("panel width %d, epilogue %d, acc16 depth %d", nr, epilogue, depth)}
				}
			}
		}
	}
	for _, width := range []int{4, 8} {
		g := k.Group(width)
		for _, depth := range append([]int{0}, g.Depths...) {
			if !checkGroup(k, g, r, width, depth) {
				return &mismatchError{k.Name, "grouped 3x3", fmt.Sprintf("%d channels a group, acc16 depth %d", width, depth)}
			}
		}
	}
	return checkRest(k, r)
}

func checkIGEMM(k *Kernels, r *lcg, nr int, epilogue Epilogue, depth int) bool {
	const m, taps, perTap, panels = 7, 3, 24, 2
	in, res := r.bytes(m*64+taps*perTap), r.bytes(m*nr*panels)
	inOff, outOff, tapOff := steps(m, 64), steps(m, nr*panels), steps(taps, perTap)
	bias, mult := r.requant(nr*panels, taps*perTap)
	w := r.weights(taps*perTap*nr*panels, depth, k.InputFlip)
	a := IGEMMArgs{
		In: &in[0], InOff: &inOff[0], TapOff: &tapOff[0], W: &w[0], Bias: &bias[0], Mult: &mult[0],
		OutOff: &outOff[0], Res: &res[0], ResOff: &outOff[0],
		M: m, Taps: taps, K: perTap, NR: nr, Panels: panels, ResMult: 0.7, Epilogue: epilogue, Depth: depth,
	}
	got, want := make([]byte, len(res)), make([]byte, len(res))
	a.Out = &got[0]
	k.IGEMM(&a)
	a.Out = &want[0]
	IGEMMReference(&a, k.KR, k.InputFlip)
	return string(got) == string(want)
}

func checkGroup(k *Kernels, g GroupKernel, r *lcg, width, depth int) bool {
	const rows, cols, panels = 2, 5, 2
	c := g.Channels * panels
	in := r.bytes((rows + 2) * (cols + 2) * c)
	bias, mult := r.requant(c, 9*width)
	w := r.weights(9*width*c, depth, k.InputFlip)
	got, want := make([]byte, rows*cols*c), make([]byte, rows*cols*c)
	a := GroupArgs{
		In: &in[0], InRow: (cols + 2) * c, InCol: c, TapRow: (cols + 2) * c, TapCol: c,
		W: &w[0], Bias: &bias[0], Mult: &mult[0], Out: &got[0], OutRow: cols * c, OutCol: c,
		Rows: rows, Cols: cols, Panels: panels, Depth: depth,
	}
	g.Run(&a)
	a.Out = &want[0]
	GroupReference(&a, width, g.Channels, g.Order, k.InputFlip)
	return string(got) == string(want)
}

func checkRest(k *Kernels, r *lcg) error {
	const c, n = 48, 5
	in := r.bytes(5 * 5 * c)
	got, want := make([]byte, 4*c), make([]byte, 4*c)
	p := PoolArgs{In: &in[0], InRow: 10 * c, InCol: 2 * c, TapRow: 5 * c, TapCol: c, Out: &got[0],
		OutRow: 2 * c, OutCol: c, Rows: 2, Cols: 2, Channels: c}
	k.MaxPool(&p)
	p.Out = &want[0]
	MaxPoolReference(&p, k.InputFlip)
	if string(got) != string(want) {
		return &mismatchError{k.Name, "max pooling", "48 channels"}
	}
	p.Out = &got[0]
	k.AveragePool(&p)
	p.Out = &want[0]
	AveragePoolReference(&p, k.InputFlip)
	if string(got) != string(want) {
		return &mismatchError{k.Name, "average pooling", "48 channels"}
	}
	for _, edge := range []bool{false, true} {
		b := BlurArgs{In: &in[6*c], InRow: 10 * c, InCol: 2 * c, Up: -5 * c, Down: 5 * c, Left: -c, Right: c, Out: &got[0],
			OutRow: 2 * c, OutCol: c, Rows: 2, Cols: 2, Channels: c}
		if edge {
			b.Up, b.Left = b.Down, b.Right
		}
		k.Blur(&b)
		b.Out = &want[0]
		BlurReference(&b, k.InputFlip)
		if string(got) != string(want) {
			return &mismatchError{k.Name, "binomial filter", fmt.Sprintf("48 channels, edge %v", edge)}
		}
	}
	for _, signed := range []bool{false, true} {
		var sumGot, sumWant [c]int32
		s := SumArgs{In: &in[0], Step: c, Out: &sumGot[0], Pixels: 25, Channels: c, Signed: signed}
		k.Sum(&s)
		s.Out = &sumWant[0]
		SumReference(&s, k.InputFlip)
		if sumGot != sumWant {
			return &mismatchError{k.Name, "sums over pixels", fmt.Sprintf("48 channels, signed %v", signed)}
		}
	}
	var gate [c]float32
	for i := range gate {
		gate[i] = float32(r.next(1 << 16))
	}
	for epilogue := ReLU; epilogue <= AddSigned; epilogue++ {
		s := ScaleArgs{In: &in[0], InRow: 5 * c, Gate: &gate[0], Res: &in[10*c], ResRow: 5 * c, Out: &got[0], OutRow: 2 * c,
			Rows: 2, Cols: 2, Channels: c, Mult: 1.0 / (1 << 15), ResMult: 0.7, Epilogue: epilogue}
		k.Scale(&s)
		s.Out = &want[0]
		ScaleReference(&s, k.InputFlip)
		if string(got) != string(want) {
			return &mismatchError{k.Name, "scaling by gates", fmt.Sprintf("48 channels, epilogue %d", epilogue)}
		}
	}
	x := unsafe.Slice((*int16)(unsafe.Pointer(&in[0])), c)
	w := r.weights(n*c, 0, k.InputFlip)
	bias, _ := r.requant(n, c)
	var linGot, linWant [n]int32
	l := LinearArgs{In: &x[0], W: &w[0], Bias: &bias[0], Out: &linGot[0], N: n, K: c}
	k.Linear(&l)
	l.Out = &linWant[0]
	LinearReference(&l)
	if linGot != linWant {
		return &mismatchError{k.Name, "linear", "48 features"}
	}
	return nil
}

// lcg is a small deterministic generator (Knuth's MMIX constants) for known-answer data.
type lcg struct{ state uint64 }

func (r *lcg) next(n int) int {
	r.state = r.state*6364136223846793005 + 1442695040888963407
	return int(r.state>>33) % n
}

// bytes returns n bytes of which every fourth is an extreme, as an unsigned or as a signed one. Their number is
// even and they can be read as int16.
func (r *lcg) bytes(n int) []byte {
	words := make([]uint64, n/8+1)
	b := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)
	for i := range b {
		b[i] = byte(r.next(256))
		if r.next(4) == 0 {
			b[i] = []byte{0, 127, 128, 255}[r.next(4)]
		}
	}
	return b
}

// weights returns n weights for chains of that length, extremes among them.
func (r *lcg) weights(n, depth int, flip byte) []int8 {
	least, most := weightRange(depth, flip)
	w := make([]int8, n)
	for i := range w {
		w[i] = int8(least + r.next(most-least+1))
		if r.next(4) == 0 {
			w[i] = int8([]int{least, most}[r.next(2)])
		}
	}
	return w
}

// weightRange is how small and how large weights may be for any 2*chain products, which share a lane, to
// fit it: all weights where no chain is claimed.
func weightRange(depth int, flip byte) (least, most int) {
	switch {
	case depth == 0:
		return -127, 127
	case flip == 0: // activations 0..255
		return -(64 / depth), 64 / depth
	}
	return -min(127, 128/depth-1), min(127, 128/depth) // -128..127
}

func (r *lcg) requant(n, products int) (bias []int32, mult []float32) {
	bias, mult = make([]int32, n), make([]float32, n)
	for i := range bias {
		bias[i] = int32(r.next(200001) - 100000)
		mult[i] = float32(r.next(1000)) / float32(1000*64*products)
	}
	return bias, mult
}

// steps returns the offsets 0, by, 2*by, ...
func steps(n, by int) []int32 {
	s := make([]int32, n)
	for i := range s {
		s[i] = int32(i * by)
	}
	return s
}
