package x86

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/klauspost/cpuid/v2"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// snippet is an instruction with register 0 or memory at OUT as destination and registers 1 and 2 or memory at
// rax + 128 or 129 as sources, and the widths that it has: x, y and z for xmm, ymm and zmm.
type snippet struct {
	text     string
	widths   string
	features []cpuid.FeatureID
}

var (
	avx2   = []cpuid.FeatureID{cpuid.AVX2}
	avx512 = []cpuid.FeatureID{cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512VL}
	vnni   = append([]cpuid.FeatureID{cpuid.AVX512VNNI}, avx512...)
)

// snippets has every vector instruction that the model knows. V stands for the vector's letter, H for that of
// half its size.
var snippets = []snippet{
	{"vpdpbusd Vmm0, Vmm1, Vmm2", "xyz", vnni},
	{"{vex} vpdpbusd Vmm0, Vmm1, Vmm2", "xy", []cpuid.FeatureID{cpuid.AVXVNNI}},
	{"vpaddd Vmm0, Vmm1, Vmm2", "xyz", nil}, {"vpaddd Vmm0, Vmm1, Vmmword ptr [rax + 128]", "xyz", nil},
	{"vpaddw Vmm0, Vmm1, Vmm2", "xyz", nil}, {"vpcmpeqw Vmm0, Vmm1, Vmm2", "xy", nil},
	{"vpmaddubsw Vmm0, Vmm1, Vmm2", "xyz", nil}, {"vpmaddwd Vmm0, Vmm1, Vmm2", "xyz", nil},
	{"vphaddd Vmm0, Vmm1, Vmm2", "xy", nil},
	{"vpxor Vmm0, Vmm1, Vmm2", "xy", nil}, {"vpxord Vmm0, Vmm1, Vmm2", "xyz", avx512},
	{"vpand Vmm0, Vmm1, Vmm2", "xy", nil},
	{"vpmaxub Vmm0, Vmm1, Vmm2", "xyz", nil}, {"vpmaxsb Vmm0, Vmm1, Vmm2", "xyz", nil},
	{"vpsrlw Vmm0, Vmm1, 8", "xyz", nil}, {"vpsraw Vmm0, Vmm1, 8", "xyz", nil}, {"vpsllw Vmm0, Vmm1, 8", "xyz", nil},
	{"vpsrlw Vmm0, Vmm1, 15", "xyz", nil}, {"vpsrlq Vmm0, Vmm1, 32", "xyz", nil},
	{"vcvtdq2ps Vmm0, Vmm1", "xyz", nil}, {"vcvtps2dq Vmm0, Vmm1", "xyz", nil},
	{"vmulps Vmm0, Vmm1, Vmm2", "xyz", nil}, {"vaddps Vmm0, Vmm1, Vmm2", "xyz", nil},
	{"vpackssdw Vmm0, Vmm1, Vmm2", "xyz", nil}, {"vpacksswb Vmm0, Vmm1, Vmm2", "xyz", nil},
	{"vpackuswb Vmm0, Vmm1, Vmm2", "xyz", nil},
	{"vpunpckldq Vmm0, Vmm1, Vmm2", "xyz", nil}, {"vpunpckhdq Vmm0, Vmm1, Vmm2", "xyz", nil},
	{"vpshufb Vmm0, Vmm1, Vmm2", "xyz", nil},
	{"vpshufd Vmm0, Vmm1, 78", "xyz", nil}, {"vpshufd Vmm0, Vmm1, 177", "xyz", nil},
	{"vshufps Vmm0, Vmm1, Vmm2, 136", "xyz", nil}, {"vshufps Vmm0, Vmm1, Vmm2, 221", "xyz", nil},
	{"vpermd Vmm0, Vmm1, Vmm2", "yz", nil}, {"vpermd Vmm0, Vmm1, Vmmword ptr [rax + 128]", "yz", nil},
	{"vpmovzxbd ymm0, qword ptr [rax + 128]", "y", nil}, {"vpmovzxbd zmm0, xmmword ptr [rax + 128]", "z", nil},
	{"vpmovsxbd ymm0, qword ptr [rax + 128]", "y", nil}, {"vpmovsxbd zmm0, xmmword ptr [rax + 128]", "z", nil},
	{"vpmovzxbw Vmm0, Hmmword ptr [rax + 128]", "yz", nil},
	{"vpmovsxbw Vmm0, Hmmword ptr [rax + 128]", "yz", nil}, {"vpmovzxdq Vmm0, Hmmword ptr [rax + 128]", "yz", nil},
	{"vpmovqd Hmm0, Vmm1", "yz", avx512},
	{"vpbroadcastd Vmm0, dword ptr [rax + 129]", "xyz", nil}, {"vpbroadcastq Vmm0, qword ptr [rax + 129]", "xyz", nil},
	{"vpbroadcastd Vmm0, xmm1", "xyz", nil}, {"vbroadcastss Vmm0, dword ptr [rax + 129]", "xyz", nil},
	{"vbroadcasti32x4 Vmm0, xmmword ptr [rax + 129]", "yz", avx512},
	{"vextracti128 xmm0, ymm1, 1", "y", nil}, {"vextracti32x4 xmm0, Vmm1, 1", "yz", avx512},
	{"vextracti32x4 xmmword ptr [OUT], zmm1, 3", "z", avx512},
	{"vmovdqu Vmm0, Vmmword ptr [rax + 129]", "xy", nil}, {"vmovdqu Vmmword ptr [OUT + 1], Vmm1", "xy", nil},
	{"vmovdqa Vmm0, Vmm1", "xy", nil},
	{"vmovdqu32 Vmm0, Vmmword ptr [rax + 129]", "xyz", avx512}, {"vmovdqa32 Vmm0, Vmm1", "xyz", avx512},
	{"vmovq qword ptr [OUT + 1], xmm1", "x", nil}, {"vmovq xmm0, xmm1", "x", nil},
	{"vmovhps qword ptr [OUT + 1], xmm1", "x", nil},
	{"vmovd ecx, xmm1\nmov dword ptr [OUT + 1], ecx", "x", nil},
	{"vzeroupper", "z", nil},
}

// expand gives the snippet's instructions at one width, and tells whether this CPU has them.
func (s snippet) expand(width rune) (text string, native bool) {
	half := map[rune]string{'x': "", 'y': "x", 'z': "y"}[width]
	text = strings.ReplaceAll(strings.ReplaceAll(s.text, "V", string(width)), "H", half)
	native = cpuid.CPU.Supports(avx2...) && cpuid.CPU.Supports(s.features...)
	if width == 'z' {
		native = native && cpuid.CPU.Supports(avx512...)
	}
	return text, native
}

// A program's data: registers 0 to 2 as every form finds them, room to read behind them, and for each form
// register 0 at the end and what it stored.
const (
	dataResults = 4 * vectorBytes
	dataForm    = 3 * vectorBytes
)

// program runs forms one after the other on the data.
func program(t *testing.T, forms []string, data []byte) []byte {
	letter, move := "y", "vmovdqu"
	if cpuid.CPU.Supports(avx512...) {
		letter, move = "z", "vmovdqu32"
	}
	lines := []string{fmt.Sprintf("movabs rax, %d", uintptr(unsafe.Pointer(&data[0])))}
	for i, text := range forms {
		for r := range 3 {
			lines = append(lines, fmt.Sprintf("%s %smm%d, %smmword ptr [rax + %d]", move, letter, r, letter, r*vectorBytes))
		}
		at := dataResults + i*dataForm
		out := fmt.Sprintf("rax + %d", at+vectorBytes)
		lines = append(lines, strings.ReplaceAll(text, "OUT", out),
			fmt.Sprintf("%s %smmword ptr [rax + %d], %smm0", move, letter, at, letter))
	}
	code, err := Assemble(append(lines, "vzeroupper", "ret")...)
	require.NoError(t, err)
	return code
}

// runNatively runs machine code on this CPU.
func runNatively(t *testing.T, code []byte) {
	pages, err := unix.Mmap(-1, 0, len(code), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { require.NoError(t, unix.Munmap(pages)) }()
	copy(pages, code)
	require.NoError(t, unix.Mprotect(pages, unix.PROT_READ|unix.PROT_EXEC))
	// A function's value is a pointer to a pointer to its code.
	entry := &pages[0]
	function := &entry
	(*(*func())(unsafe.Pointer(&function)))()
}

// fillOperands sets registers 0 to 2 and what follows: bytes with many extremes in round 0, small numbers of 32
// bits in round 1, float32 from tiny to infinite in round 2, and so on.
func fillOperands(rnd *rand.Rand, round int, data []byte) {
	for i := range data {
		data[i] = byte(rnd.Uint32())
		if rnd.IntN(3) == 0 {
			data[i] = []byte{0, 255, 127, 128}[rnd.IntN(4)]
		}
	}
	for i := 0; i < len(data); i += 4 {
		switch word := data[i:]; round % 3 {
		case 1:
			le.PutUint32(word, uint32(rnd.IntN(1<<17)-1<<16))
		case 2:
			x := float32(math.Ldexp(float64(rnd.IntN(1<<12)-1<<11), rnd.IntN(60)-30))
			if rnd.IntN(10) == 0 {
				x = []float32{0.5, 1.5, -2.5, math.MaxInt32, -math.MaxInt32 - 1, float32(math.Inf(1))}[rnd.IntN(6)]
			}
			le.PutUint32(word, math.Float32bits(x))
		}
	}
}

// TestNative runs every instruction that this CPU has in the model and on the CPU, and says which it has not.
func TestNative(t *testing.T) {
	var present, absent []string
	for _, s := range snippets {
		for _, width := range s.widths {
			if text, native := s.expand(width); native {
				present = append(present, text)
			} else {
				absent = append(absent, text)
			}
		}
	}
	t.Logf("%d forms compared; %d not, since this CPU lacks them: %s",
		len(present), len(absent), strings.Join(absent, "; "))
	data := make([]byte, dataResults+len(present)*dataForm)
	code := program(t, present, data)
	lines, err := disassemble(code)
	require.NoError(t, err)
	decoded, err := newCode(0x1000, lines)
	require.NoError(t, err)
	var m Memory
	m.Name(unsafe.Pointer(&data[0]), len(data), true)
	rnd := rand.New(rand.NewPCG(1, 1))
	for round := range 300 {
		clear(data)
		fillOperands(rnd, round, data[:dataResults])
		before := slices.Clone(data)
		require.NoError(t, Call(decoded, nil, m, 3))
		got := slices.Clone(data)
		copy(data, before)
		runNatively(t, code)
		for i, text := range present {
			if round%3 != 2 && strings.Contains(text, "ps") && !strings.Contains(text, "shuf") {
				continue // arbitrary bytes are NaN too often
			}
			at := dataResults + i*dataForm
			require.Equal(t, data[at:at+dataForm], got[at:at+dataForm], "%s on %x", text, before[:dataResults])
		}
	}
}

// TestSnippets: nothing that the model knows of vectors is left out above.
func TestSnippets(t *testing.T) {
	known := map[string]bool{}
	for _, s := range snippets {
		known[strings.Fields(strings.TrimPrefix(s.text, "{vex} "))[0]] = true
	}
	for name := range operations {
		if name[0] == 'v' {
			require.True(t, known[name], name)
		}
	}
}
