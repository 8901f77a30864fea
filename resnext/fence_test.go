//go:build unix

package resnext

import (
	"reflect"
	"runtime/debug"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/guard"
	"github.com/libresnext/libresnext/resnext/topology"
)

// fence moves every slice of numbers that x, a pointer, leads to into memory of its own that ends right before an
// inaccessible page, or begins right behind one. Kernel tables are shared and stay.
func fence(t testing.TB, x any, atStart bool) {
	t.Helper()
	f := fencer{t, atStart, map[unsafe.Pointer]bool{}}
	f.value(reflect.ValueOf(x))
}

type fencer struct {
	testing.TB
	atStart bool
	seen    map[unsafe.Pointer]bool
}

func (f *fencer) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || v.Type() == reflect.TypeFor[*asm.Kernels]() || f.seen[v.UnsafePointer()] {
			return
		}
		f.seen[v.UnsafePointer()] = true
		f.value(v.Elem())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[asm.GroupKernel]() {
			return
		}
		for i := range v.NumField() {
			field := v.Field(i) // settable although it may be unexported
			f.value(reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem())
		}
	case reflect.Interface:
		if v.Elem().Kind() == reflect.Pointer {
			f.value(v.Elem())
		}
	case reflect.Slice:
		f.slice(v)
	}
}

func (f *fencer) slice(v reflect.Value) {
	switch p := v.Addr().Interface().(type) {
	case *[]int8:
		move(f, p)
	case *[]byte:
		move(f, p)
	case *[]uint16:
		move(f, p)
	case *[]int16:
		move(f, p)
	case *[]int32:
		move(f, p)
	case *[]float32:
		move(f, p)
	default:
		for i := range v.Len() {
			f.value(v.Index(i))
		}
	}
}

func move[T guard.Number](f *fencer, p *[]T) {
	if len(*p) > 0 {
		*p = guard.Copy(f.TB, *p, f.atStart)
	}
}

// fencedSession is a session on one thread whose every buffer is fenced, and was full of rubbish when it was made.
func fencedSession(t testing.TB, m *Model, atStart bool) *Session {
	t.Helper()
	var maps [][]byte
	for id := range m.program.Maps {
		maps = append(maps, guard.Copy(t, slices.Repeat([]byte{0xa5}, int(mapBytes(m.program, topology.MapID(id)))), atStart))
	}
	s := m.newSession(1, maps)
	fence(t, s.head, atStart)
	fence(t, &s.logits, atStart)
	fence(t, &s.features, atStart)
	return s
}

// TestFence: the numbers stay, exported or not and however deep they lie, and a byte behind the end of each faults.
func TestFence(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	type deep struct{ floats []float32 }
	x := struct {
		Bytes  []byte
		list   []deep
		pointy map[string]*int
		deep   *deep
		any    any
		empty  []int32
	}{Bytes: []byte{1, 2, 3}, list: []deep{{[]float32{4}}}, deep: &deep{[]float32{5, 6}}, any: &deep{[]float32{7}}}
	fence(t, &x, false)
	require.Equal(t, []byte{1, 2, 3}, x.Bytes)
	require.Equal(t, []float32{4}, x.list[0].floats)
	require.Equal(t, []float32{5, 6}, x.deep.floats)
	for _, p := range []unsafe.Pointer{
		unsafe.Add(unsafe.Pointer(&x.Bytes[0]), 3), unsafe.Add(unsafe.Pointer(&x.list[0].floats[0]), 4),
		unsafe.Add(unsafe.Pointer(&x.deep.floats[0]), 8), unsafe.Add(unsafe.Pointer(&x.any.(*deep).floats[0]), 4),
	} {
		require.Panics(t, func() { touched = *(*byte)(p) })
	}
}

var touched byte
