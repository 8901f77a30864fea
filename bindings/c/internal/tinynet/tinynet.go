// Package tinynet makes the network that the tests of the C library run.
package tinynet

import (
	"github.com/libresnext/libresnext/internal/testnet"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
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

// WithHead makes the network with another head: resnext.MultiLabel, or resnext.Embedding, which leaves its classes out.
func WithHead(head topology.Head) *resnext.Quantised {
	q := New()
	q.Config.Head = head
	if head == resnext.Embedding {
		q.Config.Classes, q.Labels, q.Classifier = 0, nil, resnext.ConvParams{}
	}
	return q
}
