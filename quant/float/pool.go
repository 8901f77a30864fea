package float

// maxPool computes the 3x3 max pooling of stride 2 and padding 1 of x, [h][w][c], into y,
// [(h+1)/2][(w+1)/2][c]. The border never wins: a window has at least four pixels of the map, or the map
// itself is smaller.
func maxPool(x []float32, h, w, c int, y []float32) {
	outH, outW := (h+1)/2, (w+1)/2
	for oy := range outH {
		for ox := range outW {
			out := y[(oy*outW+ox)*c:][:c]
			first := true
			for iy := max(0, 2*oy-1); iy < min(h, 2*oy+2); iy++ {
				for ix := max(0, 2*ox-1); ix < min(w, 2*ox+2); ix++ {
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
