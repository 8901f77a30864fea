package asm

import "unsafe"

// Epilogue is what a convolution does with the accumulator. With v = float32(acc) * Mult[oc]:
type Epilogue uint32

const (
	// ReLU stores clamp(roundeven(v), 0, 255), unsigned.
	ReLU Epilogue = iota
	// Signed stores clamp(roundeven(v), -127, 127), signed: a projection shortcut before the add.
	Signed
	// AddUnsigned stores clamp(roundeven(v + float32(r)*ResMult), 0, 255) where r is unsigned: an
	// identity shortcut.
	AddUnsigned
	// AddSigned is AddUnsigned with signed r: a projection shortcut.
	AddSigned
)

// IGEMMArgs is one call of an indirect GEMM: M output pixels by Panels*NR output channels, each the sum
// over Taps*K products. "Indirect" (Dukhan 2019, "The Indirect Convolution Algorithm") means that a table
// of offsets says where each pixel lies, so that one kernel serves 1x1 convolutions of any stride, 3x3
// convolutions by a tap table, and the stem. Every byte that is read or written is named here; kernels
// touch no others. All offsets and steps are in bytes.
//
// The result, as plain Go on unpacked weights w[panel][n][tap][k]:
//
//	for p := range Panels {
//		for m := range M {
//			for n := range NR {
//				acc := Bias[p*NR+n]
//				for t := range Taps {
//					for k := range K {
//						acc += int32(act(In[InOff[m]+TapOff[t]+k])) * int32(w[p][n][t][k])
//					}
//				}
//				Out[OutOff[m]+p*NR+n] = epilogue(acc, Mult[p*NR+n], Res[ResOff[m]+p*NR+n])
//			}
//		}
//	}
//
// where act reads a byte as the kernel set holds activations (Kernels.InputFlip). In may equal Res, and Out
// may equal Res with the same offsets (the add in place); otherwise Out overlaps no input.
type IGEMMArgs struct {
	In     *byte
	InOff  *int32 // [M]
	TapOff *int32 // [Taps]
	// W is Panels panels of weights. A panel is, tap after tap, [K/KR][NR][KR]; where KR is 16 and K is
	// an odd multiple of 8, each tap ends with one block [NR][8].
	W        *int8
	Bias     *int32   // [Panels*NR]; holds 128*sum(w) too where InputFlip is 0x80
	Mult     *float32 // [Panels*NR]
	Out      *byte
	OutOff   *int32 // [M]
	Res      *byte  // nil unless Epilogue adds
	ResOff   *int32 // [M]
	M        int    // at least 1
	Taps     int    // at least 1
	K        int    // products per tap: a positive multiple of 8
	NR       int    // output channels of a panel: one of the kernel set's NR
	Panels   int    // at least 1
	ResMult  float32
	Epilogue Epilogue
	// Depth is the acc16 depth that has been proved, in steps: how many of them (consecutive k of one run, see
	// Acc16Lanes.Runs) cannot overflow an int16 lane, see Kernels.Depths; 0 proves nothing.
	Depth int
	// Next is where the weights begin that are wanted after these panels, and NextBytes how many of them there are, no
	// more than a panel. It is a hint: a kernel may have the CPU fetch them, to the nearest Taps*K*8 bytes, and reads
	// none. Nil where nobody knows.
	Next      *int8
	NextBytes int
}

// GroupArgs is one call of a direct grouped 3x3 convolution with 4 or 8 channels a group, over Rows by
// Cols output pixels and Panels panels of consecutive channels. The epilogue is always ReLU.
//
//	for each row y, column x, output channel c = g*width+o of group g:
//		acc := Bias[c]
//		for ky, kx := range 3x3 {
//			for i := range width {
//				acc += act(In[y*InRow + x*InCol + ky*TapRow + kx*TapCol + g*width + i]) * w[c][ky][kx][i]
//			}
//		}
//		Out[y*OutRow + x*OutCol + c] = epilogue(acc, Mult[c])
//
// In points at the tap (0, 0) of the first output pixel. The border is part of the input, so there are no
// branches. Out overlaps no input. Steps are in bytes.
type GroupArgs struct {
	In             *byte
	InRow, InCol   int // from one output pixel's window to the next one's
	TapRow, TapCol int // from one tap to the next
	// W is Panels panels of Channels output channels; their order is GroupKernel's.
	W              *int8
	Bias           *int32   // [Panels*Channels]
	Mult           *float32 // [Panels*Channels]
	Out            *byte
	OutRow, OutCol int
	Rows, Cols     int // at least 1
	Panels         int // at least 1
	// Depth is as in IGEMMArgs, over the steps of all nine taps in order.
	Depth int
}

// PoolArgs is one call of a pooling over Rows by Cols output pixels of Channels channels (a positive multiple of 16),
// on activations as the kernel set holds them. In points at the tap (0, 0) of the first output pixel. Out overlaps no
// input. Steps are in bytes.
//
// MaxPool is 3x3: the greatest of nine taps. AveragePool is 2x2: of the sum s of four taps it stores roundeven(s/4),
// which is (s + 1 + (s>>2 & 1)) >> 2. Where TapRow or TapCol is 0, its windows average two pixels, or one, as exactly.
type PoolArgs struct {
	In             *byte
	InRow, InCol   int // from one output pixel's window to the next one's
	TapRow, TapCol int // from one tap to the next
	Out            *byte
	OutRow, OutCol int
	Rows, Cols     int // at least 1
	Channels       int
}

// BlurArgs is one call of the 3x3 binomial filter, [1 2 1] by [1 2 1], over Rows by Cols output pixels of Channels
// channels (a positive multiple of 16), on activations as the kernel set holds them. In points at the centre tap of the
// first output pixel. Out overlaps no input. Steps and offsets are in bytes.
//
// Of the sum s of the centre's activation four times, of the four beside it twice and of the corners' once, it stores
// roundeven(s/16), which is (s + 7 + (s>>4 & 1)) >> 4. On bytes that hold q-128 the same formula gives the same with an
// arithmetic shift: s is less by 2048, which leaves the parity of s>>4 alone.
//
// Up and Down lead from the centre to the rows above and below, Left and Right to the columns beside it; a corner is at
// the sum of two of them. They may be negative, 0 or equal: at an edge that reflects, Up is Down or Left is Right.
type BlurArgs struct {
	In             *byte
	InRow, InCol   int // from one output pixel's centre to the next one's
	Up, Down       int
	Left, Right    int
	Out            *byte
	OutRow, OutCol int
	Rows, Cols     int // at least 1
	Channels       int
}

// SumArgs adds up Pixels pixels of Channels channels (a positive multiple of 16):
// Out[c] = sum over p of act(In[p*Step+c]), at most 2^23 pixels.
type SumArgs struct {
	In       *byte
	Step     int
	Out      *int32 // [Channels]
	Pixels   int
	Channels int
	// Signed says that In holds signed bytes as they are, for every set: a map before an add.
	Signed bool
}

// LinearArgs multiplies a 16-bit vector with a matrix of int8 rows:
// Out[n] = Bias[n] + sum over k of In[k] * W[n*K+k], modulo 2^32. K is a positive multiple of 16.
type LinearArgs struct {
	In   *int16
	W    *int8 // [N][K]
	Bias *int32
	Out  *int32 // [N]
	N, K int
}

// ScaleArgs multiplies each channel of Rows by Cols pixels by a gate of its own and does what the epilogue says:
//
//	for each row y, column x, channel c:
//		at := x*Channels + c
//		v := float32(float32(In[y*InRow+at]) * Gate[c]) * Mult
//		if the epilogue adds {
//			v += float32(Res[y*ResRow+at]) * ResMult
//		}
//		Out[y*OutRow+at] = clamp(roundeven(v), 0, 255), or to -127..127 where the epilogue is Signed
//
// Every product is rounded to float32; that with the gate is exact. ReLU reads In as the kernel set holds activations, and
// the other epilogues as signed bytes. Res is read and Out stored as the epilogue says. In or Res, or both, may equal Out
// with the same row step (in place); otherwise Out overlaps no input. Steps are in bytes.
type ScaleArgs struct {
	In     *byte
	InRow  int
	Gate   *float32 // [Channels], integers in 0..65535
	Res    *byte    // nil unless Epilogue adds
	ResRow int
	Out    *byte
	OutRow int
	// Rows and Cols are at least 1, Channels is a positive multiple of 16.
	Rows, Cols, Channels int
	Mult, ResMult        float32 // at least 0 and less than 64
	Epilogue             Epilogue
}

// eachPanel calls a kernel that does a single panel for each of a's. It works on a itself and puts it back,
// because a copy would be an allocation. Each panel's Next is the panel behind it.
func (a *IGEMMArgs) eachPanel(kernel func(*IGEMMArgs)) {
	saved := *a
	bytes := a.Taps * a.K * a.NR
	for p := 1; ; p++ {
		switch {
		case p < saved.Panels:
			a.Next, a.NextBytes = (*int8)(unsafe.Add(unsafe.Pointer(a.W), bytes)), bytes
		case saved.Next != nil:
			a.Next, a.NextBytes = saved.Next, saved.NextBytes
		default: // the panel itself
			a.Next, a.NextBytes = a.W, bytes
		}
		kernel(a)
		if p == saved.Panels {
			break
		}
		a.nextPanel()
	}
	*a = saved
}

// nextPanel moves on by one panel, for kernels that do a single one.
func (a *IGEMMArgs) nextPanel() {
	a.W = (*int8)(unsafe.Add(unsafe.Pointer(a.W), a.Taps*a.K*a.NR))
	a.Bias = (*int32)(unsafe.Add(unsafe.Pointer(a.Bias), 4*a.NR))
	a.Mult = (*float32)(unsafe.Add(unsafe.Pointer(a.Mult), 4*a.NR))
	a.Out = (*byte)(unsafe.Add(unsafe.Pointer(a.Out), a.NR))
	if a.Res != nil {
		a.Res = (*byte)(unsafe.Add(unsafe.Pointer(a.Res), a.NR))
	}
}
