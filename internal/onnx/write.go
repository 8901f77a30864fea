// Package onnx stores an int8 network as an ONNX file, so that other runtimes can be measured beside this
// library on the same numbers.
//
// The form is the one that ONNX Runtime's own quantiser writes and other runtimes read: real-valued operators
// between QuantizeLinear and DequantizeLinear nodes (QDQ), weights int8 with one scale per output channel,
// activations uint8, standard operators only (opset 13). Runtimes fuse it into integer kernels. The output of
// every layer has the layer's name in the model file, a block's output the block's.
//
// Such a graph cannot say all that the network says. It differs in four ways:
//   - The image comes padded, see Input: ONNX pads with one number, the network with a byte per channel.
//   - expand's output is rounded to 8 bits before the shortcut is added, see Ranges.
//   - The pooled features are rounded to 8 bits, not 16.
//   - A projection's output may be -128, where the network stops at -127.
package onnx

import (
	"fmt"
	"io"
	"math"

	"github.com/libresnext/libresnext/internal/atomicfile"
	"github.com/libresnext/libresnext/resnext"
)

const (
	irVersion    = 7
	opset        = 13
	producerName = "libresnext"
	graphTitle   = "resnext"
	document     = "int8 ResNeXt; the input is RGB bytes [1,3,H,W], already padded for the first convolution"

	// maxFile is the size of a protocol buffer that readers accept, less room for all but the weights.
	maxFile = math.MaxInt32 - 1<<24
)

// Write stores q at path as an ONNX file with the input "image", uint8 [1,3,H+2p,W+2p] as Input makes it, and
// the output "logits", float32 [1,classes]. The file appears whole or not at all.
func Write(path string, q *resnext.Quantised, r Ranges) error {
	if err := q.Config.Validate(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if n := weights(q.Config); n > maxFile {
		return fmt.Errorf("%s: the network has %d weights, an ONNX file holds %d at most", path, n, maxFile)
	}
	e := exporter{q: q, ranges: r}
	e.network()
	if e.err != nil {
		return fmt.Errorf("%s: %w", path, e.err)
	}
	err := atomicfile.Write(path, func(w io.Writer) error {
		for _, part := range e.model() {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func weights(cfg resnext.Config) int64 {
	n := int64(cfg.Classes) * int64(cfg.Features())
	for _, s := range cfg.Convs() {
		n += int64(s.Weights())
	}
	return n
}

// model gives the parts of the encoded ModelProto, one after the other.
func (e *exporter) model() [][]byte {
	cfg := e.q.Config
	h, w := InputSize(cfg)
	rest := appendString(nil, graphName, graphTitle)
	rest = appendBytes(rest, graphInput, encodeValue(imageName, uint8Type, 1, 3, h, w))
	rest = appendBytes(rest, graphOutput, encodeValue(logitsName, float32Type, 1, cfg.Classes))

	head := appendInt(nil, modelIRVersion, irVersion)
	head = appendString(head, modelProducer, producerName)
	head = appendString(head, modelDoc, document)
	head = appendBytes(head, modelOpsetImport, appendInt(nil, opsetVersion, opset))
	return [][]byte{appendHeader(head, modelGraph, len(e.nodes)+len(rest)+len(e.constants)), e.nodes, rest, e.constants}
}
