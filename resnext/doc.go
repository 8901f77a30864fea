// Package resnext runs int8 networks of the ResNeXt family (ResNeXt, ResNet with bottleneck blocks, wide ResNet) on
// CPUs:
//
//	model, err := resnext.Open("resnext50.int8.safetensors") // immutable, shared
//	...
//	session, err := model.NewSession(resnext.SessionOptions{}) // one for each goroutine
//	...
//	defer session.Close()
//	top, err := session.Classify(img, 5) // any image.Image
//	features, err := session.Embed(rgb)  // what the classifier reads: to compare, find and group images
//
// A model file is made from a float checkpoint and some images, by cmd/calib or package quant. Open checks it, proves
// that its weights cannot overflow a sum on any CPU, and packs them for the best kernel set of this one. The logits are
// the same to the bit on every CPU, with every kernel set and any number of threads.
//
// # Memory
//
// Open allocates the packed weights, and NewSession the activations; Options.MemoryLimit bounds the latter before
// anything is allocated. Batches of images take activations for each thread, once. Session.Infer performs no heap
// allocations unless Observe is set, and returns logits that the next call overwrites; so with Session.Embed.
// Session.Classify allocates its result, and like Preparer what a new size of images needs.
//
// # Concurrency
//
// A Model is immutable, and any number of goroutines may use it. A Session and a Preparer belong to one goroutine at a
// time; Infer returns an error where another one is using the session. Sessions of one model share its weights and run
// side by side. Close ends a session's threads.
//
// # Stability
//
// The module is at version 0: exported names of this package may still change from one minor version to the next.
// Packages asm and int8 hold its kernels and operators; they are no interface, and may change at any time. A model
// file states its format version. This release reads versions 1 and 2, writes version 1 where that can say everything,
// and refuses any other with an error that wraps ErrModelFile.
package resnext
