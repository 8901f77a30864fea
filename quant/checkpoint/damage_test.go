package checkpoint

import (
	"archive/zip"
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// No flipped bit in a zip or safetensors header gives other tensors than the
// original: it is an error, or hits a byte that does not matter. (The older
// format and safetensors' data have no checksum.)
func TestFlippedBitsInZip(t *testing.T) {
	for _, name := range []string{"f32.pth"} {
		b := fixture(t, name)
		want, err := parse(b)
		require.NoError(t, err)
		refused := 0
		for i := range b {
			for bit := range 8 {
				b[i] ^= 1 << bit
				got, err := parse(b)
				b[i] ^= 1 << bit
				if err != nil {
					refused++
					continue
				}
				if !same(want, got) {
					t.Fatalf("%s: byte %d, bit %d changes the tensors", name, i, bit)
				}
			}
		}
		require.Greater(t, refused, 8*1000, "of %d bits", 8*len(b))
	}
}

// A flipped bit in the older format may change a number, but never more.
func TestFlippedBitsElsewhere(t *testing.T) {
	for _, name := range []string{"legacy_f32.pth", "legacy_protocol5.pth", "mixed.safetensors"} {
		b := fixture(t, name)
		for i := range b {
			for bit := range 8 {
				b[i] ^= 1 << bit
				if got, err := parse(b); err == nil {
					requireSound(t, got)
				}
				b[i] ^= 1 << bit
			}
		}
	}
}

// Damage inside the pickle itself, where no checksum stands in the way.
func TestFlippedBitsInPickle(t *testing.T) {
	pickle := []byte(pickled(dictOf("a", vector("0", 2), "state_dict", dictOf("module.b", tensorOf("0", 2, 1, []int64{1, 1}, []int64{1, 1})))))
	for i := range pickle {
		for bit := range 8 {
			pickle[i] ^= 1 << bit
			if got, err := parse(zipOf(t, "a/data.pkl", string(pickle), "a/data/0", floats(2))); err == nil {
				requireSound(t, got)
			}
			pickle[i] ^= 1 << bit
		}
	}
}

func TestEveryTruncation(t *testing.T) {
	for _, name := range []string{"f32.pth", "legacy_f32.pth", "legacy_protocol1.pth", "mixed.safetensors"} {
		b := fixture(t, name)
		for n := range b {
			_, err := parse(b[:n])
			require.Error(t, err, "%s: %d of %d bytes", name, n, len(b))
		}
	}
}

// requireSound checks what must hold of anything that was read. It is called
// for every flipped bit, so it avoids the slow comparisons of require.
func requireSound(t testing.TB, c *Checkpoint) {
	if len(c.Order) == 0 || len(c.Tensors) != len(c.Order) {
		t.Fatalf("%d names for %d tensors", len(c.Order), len(c.Tensors))
	}
	for _, name := range c.Order {
		tensor := c.Tensors[name]
		count := 1
		for _, dim := range tensor.Shape {
			count *= dim
		}
		if tensor.Name != name || len(tensor.Data) != count || count < 0 {
			t.Fatalf("%q: %d elements in shape %v", name, len(tensor.Data), tensor.Shape)
		}
	}
}

// same reports whether two readings hold the same tensors, to the bit.
func same(a, b *Checkpoint) bool {
	if !slices.Equal(a.Order, b.Order) || !slices.Equal(a.Ignored, b.Ignored) {
		return false
	}
	for _, name := range a.Order {
		x, y := a.Tensors[name], b.Tensors[name]
		if x.DType != y.DType || !slices.Equal(x.Shape, y.Shape) || !bytes.Equal(floatBytes(x.Data), floatBytes(y.Data)) {
			return false
		}
	}
	return true
}

func FuzzRead(f *testing.F) {
	for _, path := range fixtures(f) {
		b, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := parse(b); err == nil {
			requireSound(t, c)
		}
	})
}

// FuzzPickle puts the program where the zip's checksums do not hide it.
func FuzzPickle(f *testing.F) {
	f.Add([]byte(pickled(dictOf("w", vector("0", 2)))))
	f.Add([]byte("\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00\x8c\x05torch\x8c\x04Size\x93)\x85R."))
	f.Add([]byte("ccollections\nOrderedDict\n](](U\x01aK\x01e](K\x07K\x02ee\x85R."))
	for _, name := range []string{"f32.pth", "wrapped.pth", "wrapped_protocol5.pth", "parameter.pth", "hostile.pth"} {
		b := fixture(f, name)
		archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		require.NoError(f, err)
		z, err := openTorchZip(archive, int64(len(b)))
		require.NoError(f, err)
		pickle, err := z.read("data.pkl", nil, maxPickle)
		require.NoError(f, err)
		f.Add(pickle)
	}
	f.Fuzz(func(t *testing.T, pickle []byte) {
		c, err := parse(zipOf(t, "a/data.pkl", string(pickle), "a/data/0", floats(2), "a/data/1", floats(4)))
		if err == nil {
			requireSound(t, c)
		}
	})
}
