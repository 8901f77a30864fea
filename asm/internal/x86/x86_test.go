package x86

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// state is a machine whose vector registers hold what random chooses.
func state(seed uint64) *Machine {
	rnd := rand.New(rand.NewPCG(seed, 5))
	m := &Machine{}
	for i := range m.vector {
		for j := range m.vector[i] {
			m.vector[i][j] = byte(rnd.Uint32())
		}
	}
	return m
}

// step1 executes one instruction.
func (m *Machine) step1(t *testing.T, text string) {
	in, err := parse(text)
	require.NoError(t, err)
	require.NoError(t, in.run(m, in), text)
}

// TestDot: four products of unsigned and signed bytes are added to an int32 without saturation, modulo 2^32.
// These are the numbers where VPDPBUSDS, VPMADDUBSW or swapped operands would differ.
func TestDot(t *testing.T) {
	for _, c := range []struct {
		sum  int32
		x, w [4]byte
		want int32
	}{
		{0, [4]byte{255, 255, 255, 255}, [4]byte{127, 127, 127, 127}, 4 * 255 * 127},
		{0, [4]byte{255, 255, 255, 255}, [4]byte{0x80, 0x80, 0x80, 0x80}, -4 * 255 * 128},
		{1 << 30, [4]byte{128, 0, 1, 2}, [4]byte{255, 77, 2, 0xfe}, 1<<30 - 128 + 2 - 4},
		{1<<31 - 1, [4]byte{1, 0, 0, 0}, [4]byte{1, 0, 0, 0}, -1 << 31},
		{-1 << 31, [4]byte{0, 0, 0, 1}, [4]byte{0, 0, 0, 255}, 1<<31 - 1},
	} {
		for _, text := range []string{
			"vpdpbusd zmm3, zmm17, zmm31", "vpdpbusd ymm3, ymm17, ymm31", "{vex} vpdpbusd ymm3, ymm7, ymm15",
		} {
			m := state(1)
			in, err := parse(text)
			require.NoError(t, err)
			before := slices.Clone(m.vector[3][:])
			put32(m.vector[3][:], 5, c.sum)
			copy(m.vector[in.args[1].reg][20:], c.x[:])
			copy(m.vector[in.args[2].reg][20:], c.w[:])
			require.NoError(t, in.run(m, in))
			require.Equal(t, c.want, i32(m.vector[3][:], 5), "%s: %v", text, c)
			for i := range in.args[0].size / 4 { // the other lanes, by the definition
				want := i32(before, i)
				for j := range 4 {
					want += int32(m.vector[in.args[1].reg][4*i+j]) * int32(int8(m.vector[in.args[2].reg][4*i+j]))
				}
				if i != 5 {
					require.Equal(t, want, i32(m.vector[3][:], i))
				}
			}
			above := m.vector[3][in.args[0].size:]
			require.Equal(t, make([]byte, len(above)), above)
		}
	}
}

// TestWide: what works in each half of a YMM register, as TestNative has seen, works in each quarter of a ZMM
// register.
func TestWide(t *testing.T) {
	for _, text := range []string{
		"vpaddd Vmm0, Vmm1, Vmm2", "vpdpbusd Vmm0, Vmm1, Vmm2", "vmulps Vmm0, Vmm1, Vmm2", "vaddps Vmm0, Vmm1, Vmm2",
		"vcvtdq2ps Vmm0, Vmm1", "vcvtps2dq Vmm0, Vmm1", "vpsrlq Vmm0, Vmm1, 32", "vpxord Vmm0, Vmm1, Vmm2",
		"vpmaxsb Vmm0, Vmm1, Vmm2", "vpackssdw Vmm0, Vmm1, Vmm2", "vpacksswb Vmm0, Vmm1, Vmm2",
		"vpackuswb Vmm0, Vmm1, Vmm2", "vpshufb Vmm0, Vmm1, Vmm2", "vshufps Vmm0, Vmm1, Vmm2, 136",
		"vshufps Vmm0, Vmm1, Vmm2, 221", "vpunpckldq Vmm0, Vmm1, Vmm2", "vpunpckhdq Vmm0, Vmm1, Vmm2", "vmovdqa32 Vmm0, Vmm1",
	} {
		for seed := range uint64(20) {
			wide := state(seed)
			wide.step1(t, strings.ReplaceAll(text, "V", "z"))
			for half := range 2 {
				narrow := state(seed)
				for i := range narrow.vector {
					copy(narrow.vector[i][:32], narrow.vector[i][32*half:])
				}
				narrow.step1(t, strings.ReplaceAll(text, "V", "y"))
				require.Equal(t, narrow.vector[0][:32], wide.vector[0][32*half:32*half+32], text)
			}
		}
	}
}

// TestAcross: the forms for AVX-512 that move numbers across a register, by their definitions.
func TestAcross(t *testing.T) {
	for _, c := range []struct {
		text string
		size int // of the numbers moved
		want func(dst, a, b []byte, i int)
	}{
		{"vpermd zmm0, zmm1, zmm2", 4, func(dst, a, b []byte, i int) { put32(dst, i, i32(b, int(a[4*i]%16))) }},
		{"vpmovqd ymm0, zmm1", 4, func(dst, a, _ []byte, i int) {
			if i < 8 {
				put32(dst, i, i32(a, 2*i))
			}
		}},
		{"vextracti32x4 xmm0, zmm1, 2", 1, func(dst, a, _ []byte, i int) {
			if i < 16 {
				dst[i] = a[32+i]
			}
		}},
		{"vpbroadcastd zmm0, xmm1", 4, func(dst, a, _ []byte, i int) { put32(dst, i, i32(a, 0)) }},
	} {
		for seed := range uint64(20) {
			m := state(seed)
			want := make([]byte, vectorBytes)
			for i := range vectorBytes / c.size {
				c.want(want, m.vector[1][:], m.vector[2][:], i)
			}
			m.step1(t, c.text)
			require.Equal(t, want, m.vector[0][:], c.text)
		}
	}
}

// TestLoads: the forms for AVX-512 that read or write memory, by their definitions.
func TestLoads(t *testing.T) {
	data := make([]byte, vectorBytes)
	for i := range data {
		data[i] = byte(i * 37)
	}
	var memory Memory
	memory.Name(unsafe.Pointer(&data[0]), len(data), true)
	for _, c := range []struct {
		text string
		want func(i int) byte
	}{
		{"vmovdqu32 zmm20, zmmword ptr [rax]", func(i int) byte { return data[i] }},
		{"vpbroadcastd zmm20, dword ptr [rax + 5]", func(i int) byte { return data[5+i%4] }},
		{"vpbroadcastq zmm20, qword ptr [rax + 5]", func(i int) byte { return data[5+i%8] }},
		{"vbroadcasti32x4 zmm20, xmmword ptr [rax + 5]", func(i int) byte { return data[5+i%16] }},
		{"vpmovzxbd zmm20, xmmword ptr [rax + 5]", func(i int) byte { return []byte{data[5+i/4], 0, 0, 0}[i%4] }},
		{"vpmovsxbd zmm20, xmmword ptr [rax + 5]", func(i int) byte {
			sign := byte(int8(data[5+i/4]) >> 7)
			return []byte{data[5+i/4], sign, sign, sign}[i%4]
		}},
		{"vpmovzxdq zmm20, ymmword ptr [rax + 5]", func(i int) byte {
			if i%8 >= 4 {
				return 0
			}
			return data[5+i/8*4+i%8]
		}},
	} {
		m := state(7)
		m.memory = memory
		m.general[0] = uint64(uintptr(unsafe.Pointer(&data[0])))
		m.step1(t, c.text)
		for i, got := range m.vector[20] {
			require.Equal(t, c.want(i), got, "%s: byte %d", c.text, i)
		}
	}
	m := state(8)
	m.memory = memory
	m.general[0] = uint64(uintptr(unsafe.Pointer(&data[0])))
	m.step1(t, "vextracti32x4 xmmword ptr [rax + 7], zmm9, 3")
	require.Equal(t, m.vector[9][48:], data[7:23])
	require.Equal(t, byte(23*37&255), data[23])
	m.step1(t, "vmovdqu32 zmmword ptr [rax], zmm9")
	require.Equal(t, m.vector[9][:], data)
}

func TestZeroUpper(t *testing.T) {
	m, want := state(9), state(9)
	for i := range 16 {
		clear(want.vector[i][16:])
	}
	require.Error(t, m.clean())
	m.step1(t, "vzeroupper")
	require.Equal(t, want.vector, m.vector)
	require.NoError(t, m.clean())
}

// TestStrict: what a CPU would let pass.
func TestStrict(t *testing.T) {
	data := make([]byte, 64)
	var memory Memory
	memory.Name(unsafe.Pointer(&data[16]), 16, false)
	memory.Name(unsafe.Pointer(&data[32]), 16, true)
	for _, c := range []struct {
		text []string
		want string
	}{
		{[]string{"mov rax, qword ptr [rcx + 16]", "mov qword ptr [rcx + 40], rax", "vzeroupper", "ret"}, ""},
		{[]string{"mov rax, qword ptr [rcx + 8]", "ret"}, "reads 8 bytes"},
		{[]string{"vmovdqu ymm0, ymmword ptr [rcx + 17]", "ret"}, "reads 32 bytes"},
		{[]string{"vpbroadcastd ymm0, dword ptr [rcx + 29]", "ret"}, "reads 4 bytes"},
		{[]string{"mov qword ptr [rcx + 16], rax", "ret"}, "writes 8 bytes"},
		{[]string{"vmovdqu xmmword ptr [rcx + 33], xmm0", "ret"}, "writes 16 bytes"},
		{[]string{"mov qword ptr [rsp - 8], rax", "ret"}, "touches 8 bytes of the stack at rsp-8"},
		{[]string{"push rax", "vzeroupper", "ret"}, "outside the function"},
		{[]string{"pop rax", "vzeroupper", "ret"}, "outside the function"},
		{[]string{"mov rbp, rax", "vzeroupper", "ret"}, "frame pointer"},
		{[]string{"vpaddd ymm1, ymm2, ymm3", "ret"}, "upper half of ymm0"},
		{[]string{"shr rax, 2", "cmove rax, rcx", "ret"}, "undefined"},
		{[]string{"vmovdqa ymm0, ymmword ptr [rcx + 17]", "ret"}, "alignment"},
		{[]string{"xor eax, eax"}, "outside the function"},
	} {
		code, err := Assemble(slices.Concat([]string{"mov rcx, qword ptr [rsp + 8]"}, c.text)...)
		require.NoError(t, err)
		lines, err := disassemble(code)
		require.NoError(t, err)
		decoded, err := newCode(0x1000, lines)
		require.NoError(t, err)
		err = Call(decoded, unsafe.Pointer(&data[0]), memory, 1)
		if c.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.want, "%q", c.text)
		}
	}
	for _, text := range []string{
		"vpdpbusds ymm0, ymm1, ymm2", "vpaddd ymm0 {k1}, ymm1, ymm2", "mov ax, 1", "add rax, gs:[0]",
	} {
		_, err := parse(text)
		require.ErrorContains(t, err, text)
	}
	_, err := Disassemble([]byte{0xc4, 0xe2})
	require.Error(t, err)
}
