package asm

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm/internal/x86"
)

// The VNNI sets, and AVX2 for comparison, run in a model of the CPU through all tests of kernel sets. That AVX2
// passes them both there and natively is what makes the model trustworthy.
func init() {
	for _, k := range []*Kernels{avx512vnni, avxvnni, avx2} {
		modelled = append(modelled, inModel(k))
	}
}

// inModel is the set with its IGEMM and grouped kernels run in the model, and what comes behind them but for max pooling
// and the classifier.
func inModel(k *Kernels) *Kernels {
	m := *k
	m.Name += " (model)"
	m.IGEMM = func(a *IGEMMArgs) {
		a.eachPanel(func(a *IGEMMArgs) { simulateIGEMM(kernelFor(k, a), a) })
	}
	m.Group4.Run = func(a *GroupArgs) { simulateGroup(groupFor(k, 4, a), a, k.Group4.Channels, 4) }
	m.Group8.Run = func(a *GroupArgs) { simulateGroup(groupFor(k, 8, a), a, k.Group8.Channels, 8) }
	m.AveragePool = func(a *PoolArgs) { simulateAveragePool(k.AveragePool, a) }
	m.Blur = func(a *BlurArgs) { simulateBlur(k.Blur, a) }
	m.Sum = func(a *SumArgs) { simulateSum(k.Sum, a) }
	m.Scale = func(a *ScaleArgs) { simulateScale(k.Scale, a) }
	return &m
}

// kernelFor is the assembly function that k's IGEMM runs for a.
func kernelFor(k *Kernels, a *IGEMMArgs) func(*IGEMMArgs) {
	switch k {
	case avx512vnni:
		return igemmAVX512VNNI[a.NR/8-1]
	case avxvnni:
		return igemmAVXVNNI[a.NR/8-1]
	}
	return igemmAVX2[a.NR/8-1][a.Depth]
}

func groupFor(k *Kernels, width int, a *GroupArgs) func(*GroupArgs) {
	switch {
	case k != avx2:
		return k.Group(width).Run
	case width == 4 && a.Depth == 3:
		return group4Chain3AVX2
	case width == 4:
		return group4WideAVX2
	case a.Depth == 6:
		return group8Chain6AVX2
	}
	return group8WideAVX2
}

func functionName(function any) string {
	return runtime.FuncForPC(reflect.ValueOf(function).Pointer()).Name()
}

var decoded sync.Map // name -> *x86.Code

func code(function any) *x86.Code {
	name := functionName(function)
	c, ok := decoded.Load(name)
	if !ok {
		loaded, err := x86.Load(function)
		if err != nil {
			panic(err)
		}
		c, _ = decoded.LoadOrStore(name, loaded)
	}
	return c.(*x86.Code)
}

// simulateIGEMM runs a kernel that does one panel in the model. A byte that IGEMMArgs does not name is out of
// its reach.
func simulateIGEMM(kernel func(*IGEMMArgs), a *IGEMMArgs) {
	var m x86.Memory
	own := *a
	m.Name(unsafe.Pointer(&own), int(unsafe.Sizeof(own)), false)
	name(&m, a.InOff, a.M)
	name(&m, a.TapOff, a.Taps)
	name(&m, a.W, a.Taps*a.K*a.NR)
	name(&m, a.Bias, a.NR)
	name(&m, a.Mult, a.NR)
	name(&m, a.OutOff, a.M)
	for i, off := range unsafe.Slice(a.InOff, a.M) {
		for _, tap := range unsafe.Slice(a.TapOff, a.Taps) {
			m.Name(unsafe.Add(unsafe.Pointer(a.In), int(off)+int(tap)), a.K, false)
		}
		m.Name(unsafe.Add(unsafe.Pointer(a.Out), int(unsafe.Slice(a.OutOff, a.M)[i])), a.NR, true)
		if a.Epilogue.adds() {
			m.Name(unsafe.Add(unsafe.Pointer(a.Res), int(unsafe.Slice(a.ResOff, a.M)[i])), a.NR, false)
		}
	}
	if a.Epilogue.adds() {
		name(&m, a.ResOff, a.M)
	}
	simulate(kernel, unsafe.Pointer(&own), m)
}

// simulateGroup runs a direct grouped kernel in the model; the bytes between the windows of a row count as named.
func simulateGroup(kernel func(*GroupArgs), a *GroupArgs, lanes, width int) {
	var m x86.Memory
	own := *a
	m.Name(unsafe.Pointer(&own), int(unsafe.Sizeof(own)), false)
	channels := lanes * a.Panels
	name(&m, a.W, 9*width*channels)
	name(&m, a.Bias, channels)
	name(&m, a.Mult, channels)
	for y := range a.Rows {
		for ky := range 3 {
			m.Name(unsafe.Add(unsafe.Pointer(a.In), y*a.InRow+ky*a.TapRow), (a.Cols-1)*a.InCol+2*a.TapCol+channels, false)
		}
		for x := range a.Cols {
			m.Name(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow+x*a.OutCol), channels, true)
		}
	}
	simulate(kernel, unsafe.Pointer(&own), m)
}

func simulateAveragePool(kernel func(*PoolArgs), a *PoolArgs) {
	var m x86.Memory
	own := *a
	m.Name(unsafe.Pointer(&own), int(unsafe.Sizeof(own)), false)
	for y := range a.Rows {
		for x := range a.Cols {
			for tap := range 4 {
				at := y*a.InRow + x*a.InCol + tap/2*a.TapRow + tap%2*a.TapCol
				m.Name(unsafe.Add(unsafe.Pointer(a.In), at), a.Channels, false)
			}
			m.Name(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow+x*a.OutCol), a.Channels, true)
		}
	}
	simulate(kernel, unsafe.Pointer(&own), m)
}

func simulateBlur(kernel func(*BlurArgs), a *BlurArgs) {
	var m x86.Memory
	own := *a
	m.Name(unsafe.Pointer(&own), int(unsafe.Sizeof(own)), false)
	for y := range a.Rows {
		for x := range a.Cols {
			for _, row := range []int{a.Up, 0, a.Down} {
				for _, column := range []int{a.Left, 0, a.Right} {
					at := y*a.InRow + x*a.InCol + row + column
					m.Name(unsafe.Add(unsafe.Pointer(a.In), at), a.Channels, false)
				}
			}
			m.Name(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow+x*a.OutCol), a.Channels, true)
		}
	}
	simulate(kernel, unsafe.Pointer(&own), m)
}

func simulateSum(kernel func(*SumArgs), a *SumArgs) {
	var m x86.Memory
	own := *a
	m.Name(unsafe.Pointer(&own), int(unsafe.Sizeof(own)), false)
	for p := range a.Pixels {
		m.Name(unsafe.Add(unsafe.Pointer(a.In), p*a.Step), a.Channels, false)
	}
	m.Name(unsafe.Pointer(a.Out), 4*a.Channels, true)
	simulate(kernel, unsafe.Pointer(&own), m)
}

func simulateScale(kernel func(*ScaleArgs), a *ScaleArgs) {
	var m x86.Memory
	own := *a
	m.Name(unsafe.Pointer(&own), int(unsafe.Sizeof(own)), false)
	name(&m, a.Gate, a.Channels)
	for y := range a.Rows {
		m.Name(unsafe.Add(unsafe.Pointer(a.In), y*a.InRow), a.Cols*a.Channels, false)
		if a.Epilogue.adds() {
			m.Name(unsafe.Add(unsafe.Pointer(a.Res), y*a.ResRow), a.Cols*a.Channels, false)
		}
		m.Name(unsafe.Add(unsafe.Pointer(a.Out), y*a.OutRow), a.Cols*a.Channels, true)
	}
	simulate(kernel, unsafe.Pointer(&own), m)
}

// name names n numbers from p on, to be read.
func name[T int8 | int32 | float32](m *x86.Memory, p *T, n int) {
	m.Name(unsafe.Pointer(p), n*int(unsafe.Sizeof(*p)), false)
}

func simulate(function any, arg unsafe.Pointer, m x86.Memory) {
	if err := x86.Call(code(function), arg, m, 1); err != nil {
		panic(fmt.Sprintf("%s: %v", functionName(function), err))
	}
}

// TestVPDPBUSDEncoding has Go's assembler expand VPDPBUSD_VEX for all registers and compares the bytes with those
// of LLVM's assembler for the instruction in the macro's comment.
func TestVPDPBUSDEncoding(t *testing.T) {
	var source, want strings.Builder
	source.WriteString("#include \"vnni_amd64.h\"\nTEXT ·all(SB), 4, $0\n")
	for i := range 16 * 16 * 16 {
		sums, x, w := i>>8, i>>4&15, i&15
		fmt.Fprintf(&source, "\tVPDPBUSD_VEX(%d, %d, %d)\n", w, x, sums)
		fmt.Fprintf(&want, "{vex} vpdpbusd ymm%d, ymm%d, ymm%d\n", sums, x, w)
	}
	header, err := os.ReadFile("vnni_amd64.h")
	require.NoError(t, err)
	require.Contains(t, string(header), "// {vex} vpdpbusd ymm(sums), ymm(x), ymm(w)\n")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "all.s"), []byte(source.String()), 0o600))
	object := filepath.Join(dir, "all.o")
	assembler := exec.Command("go", "tool", "asm", "-I", ".", "-p", "all", "-o", object, filepath.Join(dir, "all.s"))
	out, err := assembler.CombinedOutput()
	require.NoError(t, err, "go tool asm: %s", out)
	assembled, err := os.ReadFile(object)
	require.NoError(t, err)
	code, err := x86.Assemble(want.String())
	require.NoError(t, err)
	require.Len(t, code, 16*16*16*5)
	require.True(t, bytes.Contains(assembled, code), "the macro gives other bytes than LLVM")
}

// evexFeatures tells which part of AVX-512 the instructions belong to that the AVX-512 VNNI kernels use EVEX-coded.
// BW, VL and VNNI have been asked for when the set is offered, DQ and others have not.
var evexFeatures = map[string]string{
	"vpdpbusd": "VNNI", "vpackssdw": "BW", "vpacksswb": "BW", "vpackuswb": "BW", "vpmaxsb": "BW", "vpshufb": "BW",
	"vmovdqu32": "F", "vmovdqa32": "F", "vpbroadcastd": "F", "vpbroadcastq": "F", "vbroadcastss": "F",
	"vbroadcasti32x4": "F", "vextracti32x4": "F", "vpmovzxbd": "F", "vpmovsxbd": "F", "vpmovzxdq": "F", "vpmovqd": "F",
	"vpaddd": "F", "vpxord": "F", "vpsrlq": "F", "vpermd": "F", "vshufps": "F", "vpunpckldq": "F", "vpunpckhdq": "F",
	"vcvtdq2ps": "F", "vcvtps2dq": "F", "vmulps": "F", "vaddps": "F",
}

// TestVNNIFeatures: the kernels of a set use the encoding of VPDPBUSD that its CPUs have, AVX-VNNI no AVX-512 at
// all, and AVX-512 only the parts that were asked for.
func TestVNNIFeatures(t *testing.T) {
	const evex = 0x62
	for set, functions := range map[*Kernels][]any{
		avxvnni: {igemm8AVXVNNI, igemm16AVXVNNI, igemm32AVXVNNI, group4AVXVNNI, group8AVXVNNI},
		avx512vnni: {igemm8AVX512VNNI, igemm16AVX512VNNI, igemm32AVX512VNNI, igemm64AVX512VNNI,
			group4AVX512VNNI, group8AVX512VNNI, scaleAVX512VNNI},
	} {
		for _, f := range functions {
			c, dots := code(f), 0
			for i, text := range c.Listing() {
				isEVEX := c.Encoding(i)[0] == evex
				if strings.Contains(text, "vpdpbusd") {
					dots++
					require.Equal(t, set == avx512vnni, isEVEX, "%s: %s", functionName(f), text)
				}
				if isEVEX {
					require.Equal(t, avx512vnni, set, "%s: %s", functionName(f), text)
					require.Contains(t, evexFeatures, strings.Fields(text)[0], "%s: %s", functionName(f), text)
				}
			}
			if !strings.HasSuffix(functionName(f), ".scaleAVX512VNNI") {
				require.Greater(t, dots, 5, functionName(f))
			}
		}
	}
}

// TestVNNIOffered compares what is offered with the kernel's list of the CPU's features.
func TestVNNIOffered(t *testing.T) {
	info, err := os.ReadFile("/proc/cpuinfo")
	require.NoError(t, err)
	flags := regexp.MustCompile(`(?m)^flags\s*:.*$`).FindString(string(info)) + " "
	for _, k := range []*Kernels{avxvnni, avx512vnni} {
		flag := map[*Kernels]string{avxvnni: " avx_vnni ", avx512vnni: " avx512_vnni "}[k]
		require.Equal(t, strings.Contains(flags, flag), slices.Contains(available(), k), k.Name)
	}
}
