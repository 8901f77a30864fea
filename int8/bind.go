package int8

// Binding fixes where a convolution reads and writes: how its window moves over the input, where its output lies, and
// the offsets of both where the operator goes by such a table. It is immutable. Every session shares it, and so do
// convolutions of equal maps, Kernel, Stride and Groups.
type Binding struct {
	window
	indirection
	out Map
}

// window is how a convolution's window moves over the input, in bytes.
type window struct {
	start            int // of the first output pixel's window, its first tap
	inRow, inCol     int // from one output pixel's window to the next one's
	tapRow, tapCol   int // from one tap to the next
	tapRows, tapCols int // taps of a window
	inBytes          int // of the whole input
}

// BindingBytes is how many bytes a Binding takes for each pixel of its output map.
const BindingBytes = 8

// Bind binds the convolution to an input map with a border of at least kernel/2 (none for 1x1), and to the
// output map that a shortcut, if one is added, shares.
func (c *Conv) Bind(in, out Map) *Binding {
	pad := c.kernel / 2
	return c.bind(out, window{
		start: in.Offset(-pad, -pad), tapRow: in.Row(), tapCol: in.Layout.Total,
		tapRows: c.kernel, tapCols: c.kernel, inBytes: in.Bytes(),
	})
}

// BindImage is Bind for a stem, which reads an image whose border is kernel/2. A tap is a row of its window.
func (c *Conv) BindImage(in Image, out Map) *Binding {
	return c.bind(out, window{tapRow: in.Row(), tapCol: 3, tapRows: c.kernel, tapCols: 1, inBytes: in.Bytes()})
}

func (c *Conv) bind(out Map, w window) *Binding {
	w.inRow, w.inCol = c.stride*w.tapRow, c.stride*w.tapCol
	b := &Binding{out: out, window: w}
	c.operator.bind(b)
	return b
}
