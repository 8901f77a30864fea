package float

// maxPool computes the 3x3 max pooling of padding 1 and a stride of 1 or 2 of x, [h][w][c], into y; with stride 2 that is
// [(h+1)/2][(w+1)/2][c]. The border never wins: a window has at least four pixels of the map, or the map
// itself is smaller.
func maxPool(x []float32, h, w, c, stride int, y []float32) {
	outH, outW := (h-1)/stride+1, (w-1)/stride+1
	for oy := range outH {
		for ox := range outW {
			out := y[(oy*outW+ox)*c:][:c]
			first := true
			for iy := max(0, stride*oy-1); iy < min(h, stride*oy+2); iy++ {
				for ix := max(0, stride*ox-1); ix < min(w, stride*ox+2); ix++ {
					in := x[(iy*w+ix)*c:][:c]
					if first {
						copy(out, in)
						first = false
						continue
					}
					for i, v := range in {
						if v > out[i] {
							out[i] = v
						}
					}
				}
			}
		}
	}
}

// blur computes the 3x3 binomial filter of stride 2 of x, [h][w][c], into y, [(h+1)/2][(w+1)/2][c]. Beyond an edge the map
// is reflected: row -1 is row 1.
func blur(x []float32, h, w, c int, y []float32) {
	outH, outW := (h+1)/2, (w+1)/2
	clear(y)
	for oy := range outH {
		for ox := range outW {
			out := y[(oy*outW+ox)*c:][:c]
			for tap := range 9 {
				dy, dx := tap/3-1, tap%3-1
				weight := float32((2-dy*dy)*(2-dx*dx)) / 16
				in := x[(reflected(2*oy+dy, h)*w+reflected(2*ox+dx, w))*c:][:c]
				for i, v := range in {
					out[i] += weight * v
				}
			}
		}
	}
}

// reflected is the place of a row or column that is at most one beyond the edges of n.
func reflected(at, n int) int {
	switch {
	case n == 1:
		return 0
	case at < 0:
		return -at
	case at >= n:
		return 2*n - 2 - at
	}
	return at
}

// averagePool2x2 computes the 2x2 average pooling of stride 2 of x, [h][w][c], into y, [(h+1)/2][(w+1)/2][c]. A window at
// an odd edge averages over the pixels that are there.
func averagePool2x2(x []float32, h, w, c int, y []float32) {
	outH, outW := (h+1)/2, (w+1)/2
	for oy := range outH {
		for ox := range outW {
			out := y[(oy*outW+ox)*c:][:c]
			clear(out)
			n := 0
			for iy := 2 * oy; iy < min(h, 2*oy+2); iy++ {
				for ix := 2 * ox; ix < min(w, 2*ox+2); ix++ {
					n++
					for i, v := range x[(iy*w+ix)*c:][:c] {
						out[i] += v
					}
				}
			}
			scale := 1 / float32(n)
			for i := range out {
				out[i] *= scale
			}
		}
	}
}

// averagePool computes the mean over all pixels of x, [pixels][c], into y, [c].
func averagePool(x []float32, pixels, c int, y []float32) {
	clear(y)
	for p := range pixels {
		for i, v := range x[p*c:][:c] {
			y[i] += v
		}
	}
	scale := 1 / float32(pixels)
	for i := range y {
		y[i] *= scale
	}
}
