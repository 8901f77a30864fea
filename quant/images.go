package quant

// Images are pictures that calibration reads more than once. Load gives image i of N as Collect's does, the
// same each time, and may be called by several goroutines at once.
type Images struct {
	N    int
	Load func(i int) (rgb []byte, err error)
}
