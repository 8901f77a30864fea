// Package quant turns a float ResNeXt into an int8 one without training (post-training quantisation).
//
// Collect runs the float network over some unlabelled images and keeps a Histogram of every activation
// map; Quantise chooses from them the range of each map and the scale of each filter and computes the
// integers of a resnext.Quantised; Compare measures what that lost, against the float network.
//
// The format is resnext.Quantised's: activations of 8 bits with one scale per map, unsigned [0,255] after
// a ReLU and signed [-127,127] after a projection shortcut, weights in [-127,127] with one scale per output
// channel, zero point 0 everywhere.
//
// Results do not depend on the number of threads. An error names the layer or the image it is about.
package quant
