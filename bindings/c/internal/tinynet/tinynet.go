// Package tinynet makes the network that the tests of the C library run.
package tinynet

import (
	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
)

// New makes the network: random numbers, the same at every call, in every kind of layer. Pictures are resized to 36
// pixels and cropped to 32.
func New() *resnext.Quantised {
	q := testnet.Random(testnet.Quick(32), 7)
	q.Preprocess = resnext.ImageNetPreprocess()
	q.Preprocess.Resize = 36
	q.Labels = []string{"cat", "dog", "猫", "", "e", "f"}
	return q
}
