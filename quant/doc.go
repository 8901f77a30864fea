// Package quant turns a float ResNeXt into an int8 one without training (post-training quantisation).
//
// Collect runs the float network over some unlabelled images and keeps a Histogram of every activation map and
// the moments of its channels. Quantise computes the integers of a resnext.Quantised. Compare measures its error
// against the float network.
//
// Quantise goes through the network layer after layer. It first moves constants out of the float network's maps
// (Absorption) and evens out their channels (Equalisation), and then carries images through both networks side by
// side. At sampled pixels of each layer it measures how the inputs in the int8 network vary together and how far its
// output will be from the float network's; solves for weights that bring it back (Correction); rounds all weights of
// a filter together (Rounding) under the limit of the lanes in which fast kernels add up 16-bit sums; puts the mean
// of the remaining error into the bias (BiasCorrection); and moves on with what the int8 network computes. With the
// effort Fast the first two are not done, and the others with few images and not on large layers, which are rounded by
// the moments.
//
// The format is resnext.Quantised's: activations of 8 bits with one scale per map, unsigned [0,255] after
// a ReLU and signed [-127,127] after a projection shortcut, weights in [-127,127] with one scale per output
// channel, zero point 0 everywhere.
//
// Results do not depend on the number of threads. An error names the layer or the image it is about.
package quant
