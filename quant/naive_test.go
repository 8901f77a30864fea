package quant

import (
	"math"

	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

// naive runs a Quantised by its contract, in plain loops that know nothing of kernels, packing or planning.
type naive struct {
	q *resnext.Quantised
	// maps holds the integers of every convolution's output of the last image, by name.
	maps map[string][]int32
}

// grid is a map [h][w][c].
type grid struct {
	h, w, c int
	v       []int32
}

func (n *naive) run(rgb []byte) []float32 {
	n.maps = make(map[string][]int32)
	cfg := n.q.Config
	p := topology.Lower(cfg)
	maps := make([]grid, len(p.Maps))
	x := grid{cfg.Height, cfg.Width, 3, make([]int32, len(rgb))}
	for i, b := range rgb {
		x.v[i] = int32(b)
	}
	maps[topology.Image] = x
	bytes := n.q.Preprocess.PadBytes()
	pad := []int32{int32(bytes[0]), int32(bytes[1]), int32(bytes[2])}
	for _, s := range p.Steps {
		switch {
		case s.Op == topology.MaxPool:
			maps[s.Out] = maxPool(maps[s.In], s.Stride)
		case s.Op == topology.Blur:
			maps[s.Out] = blur(maps[s.In])
		case s.Op == topology.AveragePool:
			maps[s.Out] = averagePool(maps[s.In])
		case s.Op == topology.Gated:
			shortcut := grid{v: make([]int32, len(maps[s.In].v))}
			if s.Add != topology.None {
				shortcut = maps[s.Add]
			}
			maps[s.Out] = n.gated(s, maps[s.In], shortcut, p.Maps[s.Out].Signed)
		case s.Op == topology.Classify:
			x = maps[s.In]
		case s.In == topology.Image:
			maps[s.Out] = n.conv(s.Conv, maps[s.In], pad, nil, 0)
		case s.Add == topology.None:
			maps[s.Out] = n.conv(s.Conv, maps[s.In], nil, nil, 0)
		default:
			maps[s.Out] = n.conv(s.Conv, maps[s.In], nil, &maps[s.Add], n.q.Residual[s.Block])
		}
	}
	return n.head(x)
}

// conv is one convolution; pad is the border's value of each channel, nil for zeros.
func (n *naive) conv(s resnext.ConvShape, x grid, pad []int32, shortcut *grid, residual float32) grid {
	p := n.q.Convs[s.Name]
	y := grid{s.OutH, s.OutW, s.Out, make([]int32, s.OutH*s.OutW*s.Out)}
	in := s.In / s.Groups
	for oy := range s.OutH {
		for ox := range s.OutW {
			for oc := range s.Out {
				first := oc / (s.Out / s.Groups) * in
				acc := int64(p.Bias[oc])
				for ky := range s.Kernel {
					for kx := range s.Kernel {
						iy, ix := oy*s.Stride+ky-s.Kernel/2, ox*s.Stride+kx-s.Kernel/2
						for i := range in {
							w := int64(p.Weight[((oc*s.Kernel+ky)*s.Kernel+kx)*in+i])
							acc += w * int64(x.at(iy, ix, first+i, pad))
						}
					}
				}
				at := (oy*s.OutW+ox)*s.Out + oc
				v := float32(float32(int32(acc)) * p.Multiplier[oc])
				if int64(int32(acc)) != acc || float64(v) != float64(int64(v)) && math.Abs(float64(v)) >= math.MaxInt32 {
					panic(s.Name + " leaves int32")
				}
				if shortcut != nil {
					v += float32(float32(shortcut.v[at]) * residual)
				}
				lo, hi := 0.0, 255.0
				if !s.ReLU {
					lo, hi = -127, 127
				}
				y.v[at] = int32(min(max(math.RoundToEven(float64(v)), lo), hi))
			}
		}
	}
	n.maps[s.Name] = y.v
	return y
}

func (g *grid) at(y, x, c int, pad []int32) int32 {
	if y >= 0 && y < g.h && x >= 0 && x < g.w {
		return g.v[(y*g.w+x)*g.c+c]
	}
	if pad != nil {
		return pad[c]
	}
	return 0
}

func maxPool(x grid, stride int) grid {
	h, w := (x.h-1)/stride+1, (x.w-1)/stride+1
	y := grid{h, w, x.c, make([]int32, h*w*x.c)}
	for i := range y.v {
		oy, ox, c := i/x.c/y.w, i/x.c%y.w, i%x.c
		for k := range 9 {
			y.v[i] = max(y.v[i], x.at(stride*oy-1+k/3, stride*ox-1+k%3, c, nil))
		}
	}
	return y
}

// blur is a binomial filter; at the edges the other side's pixel counts twice.
func blur(x grid) grid {
	y := grid{(x.h + 1) / 2, (x.w + 1) / 2, x.c, make([]int32, (x.h+1)/2*((x.w+1)/2)*x.c)}
	inside := func(at, n int) int {
		if at < 0 || at >= n {
			return max(0, min(n-1, 2*max(0, min(n-1, at))-at)) // mirrored at the edge pixel
		}
		return at
	}
	for i := range y.v {
		oy, ox, c := i/x.c/y.w, i/x.c%y.w, i%x.c
		sum := 0.0
		for k := range 9 {
			weight := []float64{1, 2, 1}[k/3] * []float64{1, 2, 1}[k%3]
			sum += weight * float64(x.at(inside(2*oy-1+k/3, x.h), inside(2*ox-1+k%3, x.w), c, nil))
		}
		y.v[i] = int32(math.RoundToEven(sum / 16))
	}
	return y
}

// averagePool divides by 4 and, where the edge is odd, by what is inside; exact halves go to the even neighbour.
func averagePool(x grid) grid {
	y := grid{(x.h + 1) / 2, (x.w + 1) / 2, x.c, make([]int32, (x.h+1)/2*((x.w+1)/2)*x.c)}
	for i := range y.v {
		oy, ox, c := i/x.c/y.w, i/x.c%y.w, i%x.c
		sum, pixels := 0.0, 0.0
		for iy := 2 * oy; iy < min(2*oy+2, x.h); iy++ {
			for ix := 2 * ox; ix < min(2*ox+2, x.w); ix++ {
				sum += float64(x.at(iy, ix, c, nil))
				pixels++
			}
		}
		y.v[i] = int32(math.RoundToEven(sum / pixels))
	}
	return y
}

// gated is a gate; the shortcut is zeros where nothing is added.
func (n *naive) gated(s topology.Step, x, shortcut grid, signed bool) grid {
	pool, _ := resnext.PoolMultiplier(x.h * x.w)
	mean := make([]int64, x.c)
	for i, v := range x.v {
		mean[i%x.c] += int64(v)
	}
	for c, sum := range mean {
		mean[c] = int64(math.RoundToEven(float64(float32(float32(sum) * pool))))
	}
	step := func(p resnext.ConvParams, oc int, in []int64, first int, lo, hi float64) int64 {
		filter := len(p.Weight) / len(p.Bias)
		acc := int64(p.Bias[oc])
		for i := range filter {
			if at := first + i; at >= 0 && at < len(in) {
				acc += int64(p.Weight[oc*filter+i]) * in[at]
			}
		}
		if int64(int32(acc)) != acc {
			panic(s.Name + " leaves int32")
		}
		return int64(min(max(math.RoundToEven(float64(float32(float32(acc)*p.Multiplier[oc]))), lo), hi))
	}
	y := grid{x.h, x.w, x.c, make([]int32, len(x.v))}
	var hidden []int64
	if s.GateKind == topology.SqueezeExcite {
		p := n.q.Convs[s.Gate[0].Name]
		for j := range p.Bias {
			hidden = append(hidden, step(p, j, mean, 0, 0, 32767))
		}
	}
	for c := range x.c {
		var at int64
		if hidden != nil {
			at = step(n.q.Convs[s.Gate[1].Name], c, hidden, 0, -4096, 4095)
		} else {
			p := n.q.Convs[s.Gate[0].Name]
			at = step(p, 0, mean, c-len(p.Weight)/2, -4096, 4095)
		}
		gate := int32(n.q.Sigmoid[4096+at])
		for i := c; i < len(x.v); i += x.c {
			v := float32(float32(x.v[i]*gate)*n.q.Gates[s.Name]) + float32(float32(shortcut.v[i])*n.q.Residual[s.Block])
			lo, hi := 0.0, 255.0
			if signed {
				lo, hi = -127, 127
			}
			y.v[i] = int32(min(max(math.RoundToEven(float64(v)), lo), hi))
		}
	}
	n.maps[s.Name] = y.v
	return y
}

func (n *naive) head(x grid) []float32 {
	p, pixels := n.q.Classifier, x.h*x.w
	pool, _ := resnext.PoolMultiplier(pixels)
	logits := make([]float32, n.q.Config.Classes)
	for class := range logits {
		acc := int64(p.Bias[class])
		for c := range x.c {
			sum := int32(0)
			for i := range pixels {
				sum += x.v[i*x.c+c]
			}
			pooled := int64(math.RoundToEven(float64(float32(float32(sum) * pool))))
			acc += pooled * int64(p.Weight[class*x.c+c])
		}
		if int64(int32(acc)) != acc {
			panic("the classifier leaves int32")
		}
		logits[class] = float32(acc) * p.Multiplier[class]
	}
	return logits
}
