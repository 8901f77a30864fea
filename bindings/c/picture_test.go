package main

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/pixel"
)

func TestFrame(t *testing.T) {
	memory := make([]byte, 4096)
	at := func(i int) unsafe.Pointer { return unsafe.Pointer(&memory[i]) }
	for name, c := range map[string]struct {
		p     picture
		plane [2]int // where each begins
		size  [2]int // and how many bytes are read
		tight bool
	}{
		"tight":           {picture{format: 1, width: 5, height: 4}, [2]int{}, [2]int{60}, true},
		"the same stride": {picture{format: 1, width: 5, height: 4, stride: 15}, [2]int{}, [2]int{60}, true},
		"a gap":           {picture{format: 1, width: 5, height: 4, stride: 16}, [2]int{}, [2]int{63}, false},
		"gray":            {picture{format: 5, width: 5, height: 4}, [2]int{}, [2]int{20}, false},
		"one row":         {picture{format: 4, width: 5, height: 1, stride: 999}, [2]int{}, [2]int{20}, false},
		"NV12":            {picture{format: 6, width: 6, height: 4}, [2]int{0, 24}, [2]int{24, 12}, false},
		"odd NV12":        {picture{format: 6, width: 5, height: 3}, [2]int{0, 15}, [2]int{15, 12}, false},
		"NV12 with gaps":  {picture{format: 6, width: 5, height: 3, stride: 8}, [2]int{0, 24}, [2]int{21, 14}, false},
		"NV12 apart":      {picture{format: 6, width: 5, height: 3, stride: 8, chroma: at(1000), chromaStride: 10}, [2]int{0, 1000}, [2]int{21, 16}, false},
		"NV12 apart, same stride": {
			picture{format: 6, width: 5, height: 3, stride: 8, chroma: at(1000)}, [2]int{0, 1000}, [2]int{21, 14}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.p.pixels = at(0)
			m, err := c.p.frame()
			require.NoError(t, err)
			require.NoError(t, m.Check())
			for p := range m.Format.Planes() {
				require.Equal(t, at(c.plane[p]), unsafe.Pointer(unsafe.SliceData(m.Plane[p])))
				require.Len(t, m.Plane[p], c.size[p])
			}
			_, tight := tightRGB(&m)
			require.Equal(t, c.tight, tight)
		})
	}
}

func TestFrameRefuses(t *testing.T) {
	memory := make([]byte, 64)
	for name, c := range map[string]struct {
		p    picture
		want string
	}{
		"I420, which C has not": {picture{format: int32(pixel.I420), width: 4, height: 4}, "format is 8, expected a resnext_format: 1"},
		"format":                {picture{format: -1, width: 4, height: 4}, "format is -1"},
		"width":                 {picture{format: 1, width: math.MaxUint32, height: 4}, "2147483647x4 pixels: expected 1 to 16384"},
		"stride":                {picture{format: 1, width: 4, height: 4, stride: 11}, "stride is 11, expected at least 12"},
		"endless stride":        {picture{format: 1, width: 4, height: 4, stride: math.MaxUint}, "4 rows of it are beyond the end of memory"},
		"half of all":           {picture{format: 1, width: 4, height: 2, stride: math.MaxInt}, "beyond the end of memory"},
		"chroma's stride":       {picture{format: 6, width: 5, height: 4, stride: 5}, "chroma_stride is 5, expected at least 6"},
	} {
		c.p.pixels = unsafe.Pointer(&memory[0])
		_, err := c.p.frame()
		require.ErrorContains(t, err, c.want, name)
	}
}
