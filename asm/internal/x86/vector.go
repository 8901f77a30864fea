package x86

import (
	"encoding/binary"
	"fmt"
	"math"
)

var le = binary.LittleEndian

// lane is the part of a register within which packs and most shuffles work.
const lane = 16

func i8(b []byte, i int) int32    { return int32(int8(b[i])) }
func i16(b []byte, i int) int32   { return int32(int16(le.Uint16(b[2*i:]))) }
func i32(b []byte, i int) int32   { return int32(le.Uint32(b[4*i:])) }
func f32(b []byte, i int) float32 { return math.Float32frombits(le.Uint32(b[4*i:])) }

func put16(b []byte, i int, v int32)   { le.PutUint16(b[2*i:], uint16(v)) }
func put32(b []byte, i int, v int32)   { le.PutUint32(b[4*i:], uint32(v)) }
func putF(b []byte, i int, v float32)  { le.PutUint32(b[4*i:], math.Float32bits(v)) }
func clamp(v, lo, hi int32) int32      { return min(max(v, lo), hi) }
func (in *instr) destination() operand { return in.args[0] }

// vector2 enters dst = f(a, b) of vectors of dst's size.
func vector2(f func(dst, a, b []byte), names ...string) {
	for _, name := range names {
		define(name, 3, func(m *Machine, in *instr) error {
			n := in.destination().size
			a, err := m.bytes(in, in.args[1], n)
			if err != nil {
				return err
			}
			b, err := m.bytes(in, in.args[2], n)
			if err != nil {
				return err
			}
			dst := make([]byte, n)
			f(dst, a, b)
			return m.store(in, in.destination(), dst)
		})
	}
}

// vector1 enters dst = f(a), where dst and a have sizes in the ratio num to den.
func vector1(num, den int, f func(dst, a []byte), names ...string) {
	for _, name := range names {
		define(name, 2, func(m *Machine, in *instr) error {
			n := in.destination().size
			a, err := m.bytes(in, in.args[1], n*den/num)
			if err != nil {
				return err
			}
			dst := make([]byte, n)
			f(dst, a)
			return m.store(in, in.destination(), dst)
		})
	}
}

// counted enters dst = f(a, imm): shifts and shuffles of one vector by a number in the code.
func counted(name string, f func(dst, a []byte, imm int)) {
	define(name, 3, func(m *Machine, in *instr) error {
		n := in.destination().size
		a, err := m.bytes(in, in.args[1], n)
		if err != nil {
			return err
		}
		if in.args[2].kind != immediate {
			return fmt.Errorf("a count that is not in the code")
		}
		dst := make([]byte, n)
		f(dst, a, int(in.args[2].imm))
		return m.store(in, in.destination(), dst)
	})
}

// broadcast enters dst = the size bytes of a, again and again.
func broadcast(size int, names ...string) {
	for _, name := range names {
		define(name, 2, func(m *Machine, in *instr) error {
			a, err := m.bytes(in, in.args[1], min(size, in.args[1].size))
			if err != nil {
				return err
			}
			dst := make([]byte, in.destination().size)
			for at := 0; at < len(dst); at += size {
				copy(dst[at:], a[:size])
			}
			return m.store(in, in.destination(), dst)
		})
	}
}

// each calls f for every lane of size bytes.
func each(size int, dst []byte, f func(i int)) {
	for i := range len(dst) / size {
		f(i)
	}
}

// lanes32 enters dst[i] = f(a[i], b[i]) of int32.
func lanes32(name string, f func(a, b int32) int32) {
	vector2(func(dst, a, b []byte) {
		each(4, dst, func(i int) { put32(dst, i, f(i32(a, i), i32(b, i))) })
	}, name)
}

// floats enters dst[i] = f(a[i], b[i]) of float32.
func floats(name string, f func(a, b float32) float32) {
	vector2(func(dst, a, b []byte) {
		each(4, dst, func(i int) { putF(dst, i, f(f32(a, i), f32(b, i))) })
	}, name)
}

// bytewise enters dst[i] = f(a[i], b[i]) of bytes.
func bytewise(f func(a, b byte) byte, names ...string) {
	vector2(func(dst, a, b []byte) {
		for i := range dst {
			dst[i] = f(a[i], b[i])
		}
	}, names...)
}

// packs enters saturating narrowings: in each 128-bit lane, a's numbers and then b's.
func packs(name string, from func([]byte, int) int32, size int, lo, hi int32) {
	vector2(func(dst, a, b []byte) {
		half := lane / size
		each(size/2, dst, func(i int) {
			group, at := i/(2*half), i%(2*half)
			src := a
			if at >= half {
				src, at = b, at-half
			}
			v := clamp(from(src, group*half+at), lo, hi)
			if size == 4 {
				put16(dst, i, v)
			} else {
				dst[i] = byte(v)
			}
		})
	}, name)
}

// extends enters dst[i] = a[i] with sign or zeros.
func extends(name string, from, to int, signed bool) {
	vector1(to, from, func(dst, a []byte) {
		each(to, dst, func(i int) {
			fill := byte(0)
			if signed && a[(i+1)*from-1] >= 0x80 {
				fill = 0xff
			}
			for j := range to {
				dst[i*to+j] = fill
			}
			copy(dst[i*to:], a[i*from:(i+1)*from])
		})
	}, name)
}

// unpacks enters interleavings of the dwords of a and b within a 128-bit lane: the low two or the high two.
func unpacks(name string, from int) {
	vector2(func(dst, a, b []byte) {
		each(lane, dst, func(l int) {
			for i := range 2 {
				put32(dst, 4*l+2*i, i32(a, 4*l+from+i))
				put32(dst, 4*l+2*i+1, i32(b, 4*l+from+i))
			}
		})
	}, name)
}

// rounded is VCVTPS2DQ: to nearest even, and the most negative number for what does not fit.
func rounded(x float32) int32 {
	r := math.RoundToEven(float64(x))
	if r >= math.MinInt32 && r <= math.MaxInt32 {
		return int32(r)
	}
	return math.MinInt32
}

// dot is one lane of VPDPBUSD: no saturation, sums modulo 2^32.
func dot(sum int32, x, w []byte) int32 {
	for i := range 4 {
		sum += int32(x[i]) * int32(int8(w[i]))
	}
	return sum
}

// highHalf is VMOVHPS to memory.
func highHalf(m *Machine, in *instr) error {
	a, err := m.bytes(in, in.args[1], 16)
	if err != nil {
		return err
	}
	return m.store(in, in.destination(), a[8:])
}

// moves enters plain moves between registers and memory, which is aligned or not.
func moves(aligned bool, names ...string) {
	for _, name := range names {
		define(name, 2, func(m *Machine, in *instr) error {
			n := in.args[1].size
			if name == "vmovq" {
				n = 8
			}
			for _, o := range in.args {
				if addr := m.address(in, o); aligned && o.kind == memory && addr%uint64(n) != 0 {
					return fmt.Errorf("needs alignment at %#x", addr)
				}
			}
			a, err := m.bytes(in, in.args[1], n)
			if err != nil {
				return err
			}
			return m.store(in, in.destination(), append([]byte(nil), a...))
		})
	}
}

// extracts enters the move of one 128-bit lane of a register.
func extracts(names ...string) {
	for _, name := range names {
		define(name, 3, func(m *Machine, in *instr) error {
			n := in.args[1].size
			a, err := m.bytes(in, in.args[1], n)
			if err != nil {
				return err
			}
			at := int(in.args[2].imm) % (n / lane) * lane
			return m.store(in, in.destination(), append([]byte(nil), a[at:at+lane]...))
		})
	}
}

func init() {
	moves(false, "vmovdqu", "vmovdqu32", "vmovq")
	moves(true, "vmovdqa", "vmovdqa32")
	define("vmovhps", 2, highHalf)
	define("vmovd", 2, func(m *Machine, in *instr) error { // from a vector to a general register
		a, err := m.bytes(in, in.args[1], 4)
		if err != nil {
			return err
		}
		return m.write(in, in.destination(), uint64(le.Uint32(a)))
	})
	define("vzeroupper", 0, func(m *Machine, _ *instr) error {
		for i := range 16 {
			clear(m.vector[i][16:])
		}
		return nil
	})
	extracts("vextracti128", "vextracti32x4")
	broadcast(4, "vpbroadcastd", "vbroadcastss")
	broadcast(8, "vpbroadcastq")
	broadcast(16, "vbroadcasti32x4")

	bytewise(func(a, b byte) byte { return a ^ b }, "vpxor", "vpxord")
	bytewise(func(a, b byte) byte { return a & b }, "vpand")
	bytewise(func(a, b byte) byte { return max(a, b) }, "vpmaxub")
	bytewise(func(a, b byte) byte { return byte(max(int8(a), int8(b))) }, "vpmaxsb")
	lanes32("vpaddd", func(a, b int32) int32 { return a + b })
	vector2(func(dst, a, b []byte) {
		each(2, dst, func(i int) { put16(dst, i, i16(a, i)+i16(b, i)) })
	}, "vpaddw")
	vector2(func(dst, a, b []byte) {
		each(2, dst, func(i int) {
			v := int32(0)
			if i16(a, i) == i16(b, i) {
				v = -1
			}
			put16(dst, i, v)
		})
	}, "vpcmpeqw")
	counted("vpsrlw", func(dst, a []byte, n int) {
		each(2, dst, func(i int) { put16(dst, i, int32(uint16(i16(a, i))>>n)) })
	})
	counted("vpsraw", func(dst, a []byte, n int) {
		each(2, dst, func(i int) { put16(dst, i, i16(a, i)>>n) })
	})
	counted("vpsllw", func(dst, a []byte, n int) {
		each(2, dst, func(i int) { put16(dst, i, i16(a, i)<<n) })
	})
	counted("vpsrlq", func(dst, a []byte, n int) {
		each(8, dst, func(i int) { le.PutUint64(dst[8*i:], le.Uint64(a[8*i:])>>n) })
	})

	vector2(func(dst, a, b []byte) { // a unsigned
		each(2, dst, func(i int) {
			v := int32(a[2*i])*i8(b, 2*i) + int32(a[2*i+1])*i8(b, 2*i+1)
			put16(dst, i, clamp(v, math.MinInt16, math.MaxInt16))
		})
	}, "vpmaddubsw")
	vector2(func(dst, a, b []byte) {
		each(4, dst, func(i int) { put32(dst, i, i16(a, 2*i)*i16(b, 2*i)+i16(a, 2*i+1)*i16(b, 2*i+1)) })
	}, "vpmaddwd")
	define("vpdpbusd", 3, func(m *Machine, in *instr) error {
		n := in.destination().size
		x, err := m.bytes(in, in.args[1], n)
		if err != nil {
			return err
		}
		w, err := m.bytes(in, in.args[2], n)
		if err != nil {
			return err
		}
		sums := append([]byte(nil), m.vector[in.destination().reg][:n]...)
		each(4, sums, func(i int) { put32(sums, i, dot(i32(sums, i), x[4*i:], w[4*i:])) })
		return m.store(in, in.destination(), sums)
	})
	vector2(func(dst, a, b []byte) { // sums of neighbours of a, then of b, in each 128-bit lane
		each(lane, dst, func(l int) {
			for i := range 2 {
				put32(dst, 4*l+i, i32(a, 4*l+2*i)+i32(a, 4*l+2*i+1))
				put32(dst, 4*l+2+i, i32(b, 4*l+2*i)+i32(b, 4*l+2*i+1))
			}
		})
	}, "vphaddd")

	floats("vmulps", func(a, b float32) float32 { return a * b })
	floats("vaddps", func(a, b float32) float32 { return a + b })
	vector1(1, 1, func(dst, a []byte) {
		each(4, dst, func(i int) { putF(dst, i, float32(i32(a, i))) })
	}, "vcvtdq2ps")
	vector1(1, 1, func(dst, a []byte) {
		each(4, dst, func(i int) { put32(dst, i, rounded(f32(a, i))) })
	}, "vcvtps2dq")

	packs("vpackssdw", i32, 4, math.MinInt16, math.MaxInt16)
	packs("vpacksswb", i16, 2, math.MinInt8, math.MaxInt8)
	packs("vpackuswb", i16, 2, 0, math.MaxUint8)
	extends("vpmovzxbd", 1, 4, false)
	extends("vpmovsxbd", 1, 4, true)
	extends("vpmovzxbw", 1, 2, false)
	extends("vpmovsxbw", 1, 2, true)
	extends("vpmovzxdq", 4, 8, false)
	vector1(1, 2, func(dst, a []byte) {
		each(4, dst, func(i int) { put32(dst, i, i32(a, 2*i)) })
	}, "vpmovqd")

	unpacks("vpunpckldq", 0)
	unpacks("vpunpckhdq", 2)
	vector2(func(dst, index, a []byte) {
		each(4, dst, func(i int) { put32(dst, i, i32(a, int(i32(index, i))&(len(a)/4-1))) })
	}, "vpermd")
	vector2(func(dst, a, index []byte) { // within a 128-bit lane; 0x80 gives zero
		for i, at := range index {
			if at < 0x80 {
				dst[i] = a[i/lane*lane+int(at)%lane]
			}
		}
	}, "vpshufb")
	counted("vpshufd", func(dst, a []byte, imm int) {
		each(4, dst, func(i int) { put32(dst, i, i32(a, i/4*4+imm>>(2*(i%4))&3)) })
	})
	define("vshufps", 4, func(m *Machine, in *instr) error { // two of a, then two of b, in each 128-bit lane
		n := in.destination().size
		a, err := m.bytes(in, in.args[1], n)
		if err != nil {
			return err
		}
		b, err := m.bytes(in, in.args[2], n)
		if err != nil {
			return err
		}
		dst := make([]byte, n)
		each(4, dst, func(i int) {
			src := a
			if i%4 >= 2 {
				src = b
			}
			put32(dst, i, i32(src, i/4*4+int(in.args[3].imm)>>(2*(i%4))&3))
		})
		return m.store(in, in.destination(), dst)
	})
}
