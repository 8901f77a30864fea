package float

// ScaleOutputs multiplies each output channel with its factor. Where a ReLU follows, factors are positive, and
// the layer behind divides by the same ones, see ScaleInputs, a network computes what it did before.
func (c *Conv) ScaleOutputs(factors []float32) {
	size := len(c.Weight) / len(c.Bias)
	for oc, f := range factors {
		c.Bias[oc] *= f
		for i := range size {
			c.Weight[oc*size+i] *= f
		}
	}
}

// ScaleInputs divides the weights by the factors of their input channels.
func (c *Conv) ScaleInputs(factors []float32) {
	in, size, filters := c.Shape.In/c.Shape.Groups, len(c.Weight)/len(c.Bias), len(c.Bias)/c.Shape.Groups
	for i := range c.Weight {
		c.Weight[i] /= factors[i/size/filters*in+i%in]
	}
}
