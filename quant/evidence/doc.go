// Package evidence asks a trained network about its own reading. Its batch normalisations keep the mean and the variance
// that every convolution gave in training. Where the network is read as it was trained, and images are prepared as they were,
// images like those of training give nearly the same; where not, they do not, from the first layer on that differs. So
// preparations, and readings that a file leaves open, can be compared on a few images.
//
// How far two distributions are apart is the Kullback-Leibler divergence of the normal distributions that have the means and
// variances, measured and kept; its median over the channels of a layer, so that dead channels do not count, and the mean of
// that over the layers. The method is our own; the figures by which it decides are in decide.go, with where they come from.
package evidence
