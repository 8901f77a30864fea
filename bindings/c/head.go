//go:build cgo

package main

import "github.com/libresnext/libresnext/resnext"

// The numbers of resnext.h's heads.
const (
	headOneClass = iota + 1
	headMultiLabel
	headEmbedding
)

func headOf(c resnext.Config) int32 {
	switch c.Head {
	case resnext.MultiLabel:
		return headMultiLabel
	case resnext.Embedding:
		return headEmbedding
	}
	return headOneClass
}
