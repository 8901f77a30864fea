package topology

import "math"

// regNetForm is a RegNet (Radosavovic et al. 2020, "Designing Network Design Spaces"): blocks and widths of its stages as
// they come out of the paper's linear rule, rounded to whole groups.
type regNetForm struct {
	name, alias string // torchvision's, then timm's
	gated       bool   // RegNetY
	group       int
	blocks      [4]int
	widths      [4]int
}

// regNets lists them. torchvision rounds the widths of three of them up where they would lose more than a tenth; those
// as in the paper have timm's name only.
var regNets = []regNetForm{
	{"regnet_x_200mf", "regnetx_002", false, 8, [4]int{1, 1, 4, 7}, [4]int{24, 56, 152, 368}},
	{"regnet_x_400mf", "regnetx_004_tv", false, 16, [4]int{1, 2, 7, 12}, [4]int{32, 64, 160, 400}},
	{"regnetx_004", "", false, 16, [4]int{1, 2, 7, 12}, [4]int{32, 64, 160, 384}},
	{"regnet_x_600mf", "regnetx_006", false, 24, [4]int{1, 3, 5, 7}, [4]int{48, 96, 240, 528}},
	{"regnet_x_800mf", "regnetx_008", false, 16, [4]int{1, 3, 7, 5}, [4]int{64, 128, 288, 672}},
	{"regnet_x_1_6gf", "regnetx_016", false, 24, [4]int{2, 4, 10, 2}, [4]int{72, 168, 408, 912}},
	{"regnet_x_3_2gf", "regnetx_032", false, 48, [4]int{2, 6, 15, 2}, [4]int{96, 192, 432, 1008}},
	{"regnet_x_4gf", "regnetx_040", false, 40, [4]int{2, 5, 14, 2}, [4]int{80, 240, 560, 1360}},
	{"regnet_x_6_4gf", "regnetx_064", false, 56, [4]int{2, 4, 10, 1}, [4]int{168, 392, 784, 1624}},
	{"regnet_x_8gf", "regnetx_080", false, 120, [4]int{2, 5, 15, 1}, [4]int{80, 240, 720, 1920}},
	{"regnet_x_12gf", "regnetx_120", false, 112, [4]int{2, 5, 11, 1}, [4]int{224, 448, 896, 2240}},
	{"regnet_x_16gf", "regnetx_160", false, 128, [4]int{2, 6, 13, 1}, [4]int{256, 512, 896, 2048}},
	{"regnet_x_32gf", "regnetx_320", false, 168, [4]int{2, 7, 13, 1}, [4]int{336, 672, 1344, 2520}},
	{"regnet_y_200mf", "regnety_002", true, 8, [4]int{1, 1, 4, 7}, [4]int{24, 56, 152, 368}},
	{"regnet_y_400mf", "regnety_004", true, 8, [4]int{1, 3, 6, 6}, [4]int{48, 104, 208, 440}},
	{"regnet_y_600mf", "regnety_006", true, 16, [4]int{1, 3, 7, 4}, [4]int{48, 112, 256, 608}},
	{"regnet_y_800mf", "regnety_008_tv", true, 16, [4]int{1, 3, 8, 2}, [4]int{64, 144, 320, 784}},
	{"regnety_008", "", true, 16, [4]int{1, 3, 8, 2}, [4]int{64, 128, 320, 768}},
	{"regnet_y_1_6gf", "regnety_016", true, 24, [4]int{2, 6, 17, 2}, [4]int{48, 120, 336, 888}},
	{"regnet_y_3_2gf", "regnety_032", true, 24, [4]int{2, 5, 13, 1}, [4]int{72, 216, 576, 1512}},
	{"regnet_y_4gf", "regnety_040", true, 64, [4]int{2, 6, 12, 2}, [4]int{128, 192, 512, 1088}},
	{"regnet_y_6_4gf", "regnety_064", true, 72, [4]int{2, 7, 14, 2}, [4]int{144, 288, 576, 1296}},
	{"regnet_y_8gf", "regnety_080_tv", true, 56, [4]int{2, 4, 10, 1}, [4]int{224, 448, 896, 2016}},
	{"regnety_080", "", true, 56, [4]int{2, 4, 10, 1}, [4]int{168, 448, 896, 2016}},
	{"regnet_y_12gf", "regnety_120", true, 112, [4]int{2, 5, 11, 1}, [4]int{224, 448, 896, 2240}},
	{"regnet_y_16gf", "regnety_160", true, 112, [4]int{2, 4, 11, 1}, [4]int{224, 448, 1232, 3024}},
	{"regnet_y_32gf", "regnety_320", true, 232, [4]int{2, 5, 12, 1}, [4]int{232, 696, 1392, 3712}},
	{"regnet_y_64gf", "regnety_640", true, 328, [4]int{2, 5, 12, 1}, [4]int{328, 984, 1968, 4920}},
	{"regnet_y_128gf", "regnety_1280", true, 264, [4]int{2, 7, 17, 1}, [4]int{528, 1056, 2904, 7392}},
	{"regnet_y_256gf", "regnety_2560", true, 373, [4]int{2, 7, 17, 1}, [4]int{746, 1492, 4103, 10444}},
}

// RegNetStem is the 3x3, stride 2 convolution of RegNets, without a pooling.
func RegNetStem() Stem { return SimpleStem(3, 2, 32, NoPool) }

// regNet gives the configuration of a RegNet by name.
func regNet(name string) (Config, bool) {
	for _, r := range regNets {
		if name == r.name || r.alias != "" && name == r.alias {
			return r.config(), true
		}
	}
	return Config{}, false
}

// config is the network. The gate of a RegNetY has a quarter of the channels that come into its block, which are fewer in
// the first block of a stage: such a stage is two here.
func (r regNetForm) config() Config {
	c := Config{Stem: RegNetStem(), Classes: 1000, Height: 224, Width: 224}
	in := c.Stem.Out()
	for i, out := range r.widths {
		s := Stage{Blocks: r.blocks[i], Inner: out, Out: out, Cardinality: out / min(out, r.group), Stride: 2}
		if r.gated {
			s.Gate = quarter(in)
			if rest := quarter(out); s.Blocks > 1 && rest != s.Gate {
				first := s
				first.Blocks = 1
				c.Stages = append(c.Stages, first)
				s.Blocks, s.Stride, s.Gate = s.Blocks-1, 1, rest
			}
		}
		c.Stages = append(c.Stages, s)
		in = out
	}
	return c
}

// quarter is the gate of a RegNetY's block behind so many channels.
func quarter(channels int) Gate {
	return Gate{Kind: SqueezeExcite, After: Transform, Hidden: int(math.RoundToEven(float64(channels) / 4))}
}
