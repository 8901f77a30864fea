package resnext

// Quantised is an int8 network as plain numbers, the content of a model file: what calibration makes,
// WriteFile stores and Open reads. It knows nothing of kernels or packing.
//
// The arithmetic: activations are 8 bits with zero point 0, unsigned after a ReLU and signed (-127..127)
// after a projection shortcut. A convolution computes
//
//	acc = bias[oc] + sum(weight * q_in)                                   (int32, exact)
//	q   = clamp(roundeven(float32(acc) * multiplier[oc]), lo, hi)         (float32, no fused multiply-add)
//
// and a block's last one, whose epilogue adds the shortcut r,
//
//	q   = clamp(roundeven(float32(float32(acc)*multiplier[oc]) + float32(float32(r)*residual)), 0, 255).
//
// A 2x2 average pooling gives the mean of its window, rounded to nearest even. A gate takes the mean of each channel of
// the map y at 16 bits, see PoolMultiplier; the layers in it compute
//
//	hidden  = clamp(roundeven(float32(acc) * multiplier[j]), 0, 32767)    (squeeze)
//	index   = clamp(roundeven(float32(acc) * multiplier[c]), -4096, 4095) (excite, or neighbours)
//	gate[c] = Sigmoid[4096 + index]
//
// and with them, or without r where there is no shortcut and y is unsigned,
//
//	q   = clamp(roundeven(float32(float32(y*gate[c])*Gates[name]) + float32(float32(r)*residual)), 0, 255).
//
// The image enters as RGB bytes with scale 1/255; mean and standard deviation are folded into the stem,
// whose border is Preprocess.PadBytes. Global average pooling keeps the int32 sum of each channel; the
// classifier takes it at 16 bits, see PoolMultiplier, and gives float32(acc) * multiplier[class].
type Quantised struct {
	Config     Config
	Preprocess Preprocess
	// Labels names the classes; empty, or Config.Classes long.
	Labels []string
	// Convs holds every convolution of Config.Convs, and the layers of gates, by name.
	Convs map[string]ConvParams
	// Residual holds, for each block by name, the multiplier of its shortcut before the add.
	Residual map[string]float32
	// Gates holds, for each gate by its step's name, the multiplier of a value of its map times the gate.
	Gates map[string]float32
	// Sigmoid gives a gate, 0 to 65535 for 0 to 1, for each of SigmoidSteps numbers around 0; nil without gates. It is
	// part of the network so that no device computes an exponential.
	Sigmoid []uint16
	// Classifier is the last layer: weights [Classes][Features].
	Classifier ConvParams
	// Scale is the real value of one step of each convolution's and each gate's output, by name. Inference does not need
	// it; inspection and comparison with the float network do.
	Scale map[string]float32
	// Calibration says how the numbers were found (tool version, observer, image count, ...), for
	// people; inference ignores it.
	Calibration map[string]string
}

// SigmoidSteps is the length of Quantised.Sigmoid. The number in its middle is that of 0.
const SigmoidSteps = 8192

// ConvParams are the numbers of one convolution, or of the classifier.
type ConvParams struct {
	// Weight is [out][kernel][kernel][in/groups], each in -127..127.
	Weight []int8
	// Bias is [out], in steps of the accumulator.
	Bias []int32
	// Multiplier is [out]: the real value of one accumulator step over that of one output step. It is
	// finite and not negative.
	Multiplier []float32
}

// PoolMultiplier returns the factor that brings the sum of pixels 8-bit values to the 16 bits that the
// classifier takes, and whether it is needed: up to 128 pixels the sum fits as it is.
// The pooled value is roundeven(float32(sum) * multiplier).
func PoolMultiplier(pixels int) (multiplier float32, needed bool) {
	if pixels*255 <= 32767 {
		return 1, false
	}
	return float32(32767 / (255 * float64(pixels))), true
}
