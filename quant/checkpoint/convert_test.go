package checkpoint

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every float16, against the definition in IEEE 754 computed with Ldexp.
func TestFloat16All(t *testing.T) {
	for h := range 1 << 16 {
		fraction, exponent := h&0x3ff, h>>10&0x1f
		var want float64
		switch {
		case exponent == 0:
			want = math.Ldexp(float64(fraction), -24)
		case exponent < 31:
			want = math.Ldexp(float64(fraction+1024), exponent-25)
		case fraction == 0:
			want = math.Inf(1)
		default:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = math.Copysign(want, -1)
		}
		got := float64(float16At(binary.LittleEndian.AppendUint16(nil, uint16(h))))
		if math.IsNaN(want) {
			require.True(t, math.IsNaN(got), "%#04x", h)
			require.Equal(t, h>>15 == 1, math.Signbit(got), "%#04x", h)
			continue
		}
		require.Equal(t, math.Float64bits(want), math.Float64bits(got), "%#04x", h)
	}
}

func TestBFloat16(t *testing.T) {
	for bits, want := range map[uint16]float32{
		0x0000: 0, 0x3f80: 1, 0xbf80: -1, 0x4049: 3.140625, 0x7f7f: 3.3895313892515355e38,
		0x0001: 9.183549615799121e-41, 0x7f80: float32(math.Inf(1)), 0xff80: float32(math.Inf(-1)),
	} {
		require.Equal(t, want, bfloat16At(binary.LittleEndian.AppendUint16(nil, bits)))
	}
}

func TestFloat64RoundsToNearestEven(t *testing.T) {
	for value, want := range map[float64]float32{
		1 + 0x1p-24:              1,
		1 + 0x1p-24 + 0x1p-52:    1 + 0x1p-23,
		1 + 0x3p-24:              1 + 0x2p-23,
		1e300:                    float32(math.Inf(1)),
		-1e300:                   float32(math.Inf(-1)),
		0x1p-149:                 0x1p-149,
		0x1p-150:                 0,
		math.MaxFloat32 * 1.0001: float32(math.Inf(1)),
	} {
		require.Equal(t, want, float64At(binary.LittleEndian.AppendUint64(nil, math.Float64bits(value))))
	}
}

func TestSwapBytes(t *testing.T) {
	for size, want := range map[int]string{1: "abcdefgh", 2: "badcfehg", 4: "dcbahgfe", 8: "hgfedcba"} {
		b := []byte("abcdefgh")
		swapBytes(b, size)
		require.Equal(t, want, string(b))
	}
}
