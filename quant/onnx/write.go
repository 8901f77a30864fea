// Package onnx stores an int8 network as an ONNX file, for other runtimes.
//
// The form is the one that ONNX Runtime's own quantiser writes and other runtimes read: real-valued operators
// between QuantizeLinear and DequantizeLinear nodes (QDQ), weights int8 with one scale per output channel,
// activations uint8, standard operators only (opset 13). Runtimes fuse it into integer kernels. The output of
// every layer has the layer's name in the model file, a block's output the block's.
//
// Such a graph cannot say all that the network says. It differs in four ways:
//   - expand's output is rounded to 8 bits before the shortcut is added, see Ranges.
//   - The pooled features are rounded to 8 bits, not 16.
//   - A projection's output may be -128, where the network stops at -127, and so may that of a gated branch.
//   - An average of pixels and the layers of a gate are real-valued, where the network has 16 bits.
//
// And runtimes may differ from the graph: on x86-64 without VNNI they add pairs of products at 16 bits, which
// saturates. Weights made for an acc16 depth of 2 or more cannot get there where the runtime pairs neighbouring
// channels; those made with --acc16 off can, and do.
package onnx

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/libresnext/libresnext/internal/atomicfile"
	"github.com/libresnext/libresnext/resnext"
	"github.com/libresnext/libresnext/resnext/topology"
)

const (
	irVersion         = 7
	opset             = 13
	producerName      = "libresnext"
	graphTitle        = "resnext"
	document          = "int8 ResNeXt. The input is RGB bytes, 0 to 255, of N prepared images [N,3,H,W]; mean and standard deviation are part of the graph. The output is their logits [N,classes]."
	embeddingDocument = "int8 ResNet. The input is RGB bytes, 0 to 255, of N prepared images [N,3,H,W]; mean and standard deviation are part of the graph. The output is their features [N,channels]."
	paddedDocument    = "int8 ResNeXt. The input is RGB bytes [1,3,H,W], already padded for the first convolution."

	// maxFile is the size of a protocol buffer that readers accept, less room for all but the weights.
	maxFile = math.MaxInt32 - 1<<24
)

// Options choose the form of the file. The zero value is the form that people use.
type Options struct {
	// Padded makes a graph of one image that comes with the network's border around it, see Input, so that no
	// time of the runtime goes into adding it. The input is then [1,3,H+2p,W+2p] and the output [1,classes].
	Padded bool
}

// Write stores q at path as an ONNX file with the input "image", uint8 [N,3,H,W] RGB, and the output "logits",
// float32 [N,classes], or "embedding", float32 [N,channels], where N is any number of images. Its metadata are JSON: the labels, the preprocessing
// and the notes of the calibration, as in the model file. The file appears whole or not at all.
func Write(path string, q *resnext.Quantised, r Ranges, o Options) error {
	if err := q.Config.Validate(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if n := weights(q.Config); n > maxFile {
		return fmt.Errorf("%s: the network has %d weights, an ONNX file holds %d at most", path, n, maxFile)
	}
	e := exporter{q: q, ranges: r, options: o}
	e.network()
	parts, err := e.model()
	if e.err != nil {
		err = e.err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	err = atomicfile.Write(path, func(w io.Writer) error {
		for _, part := range parts {
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
	n := int64(0)
	for _, s := range topology.Lower(cfg).Layers() {
		n += int64(s.Weights())
	}
	return n
}

// model gives the parts of the encoded ModelProto, one after the other.
func (e *exporter) model() ([][]byte, error) {
	metadata, err := e.metadata()
	if err != nil {
		return nil, err
	}
	cfg := e.q.Config
	n, h, w, text := anyNumber, cfg.Height, cfg.Width, document
	if cfg.Head == topology.Embedding {
		text = embeddingDocument
	}
	if e.options.Padded {
		h, w = InputSize(cfg)
		n, text = 1, paddedDocument
	}
	rest := appendString(nil, graphName, graphTitle)
	rest = appendBytes(rest, graphInput, encodeValue(imageName, uint8Type, n, 3, h, w))
	if cfg.Head == topology.Embedding {
		rest = appendBytes(rest, graphOutput, encodeValue(embeddingName, float32Type, n, cfg.Features()))
	} else {
		rest = appendBytes(rest, graphOutput, encodeValue(logitsName, float32Type, n, cfg.Classes))
	}

	head := appendInt(nil, modelIRVersion, irVersion)
	head = appendString(head, modelProducer, producerName)
	head = appendString(head, modelProducerVersion, resnext.Version)
	head = appendString(head, modelDoc, text)
	head = appendBytes(head, modelOpsetImport, appendInt(nil, opsetVersion, opset))
	head = append(head, metadata...)
	return [][]byte{appendHeader(head, modelGraph, len(e.nodes)+len(rest)+len(e.constants)), e.nodes, rest, e.constants}, nil
}

// metadata gives the encoded metadata_props.
func (e *exporter) metadata() ([]byte, error) {
	config, _, err := e.q.Config.Encode()
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	values := map[string]any{
		"labels": e.q.Labels, "preprocess": e.q.Preprocess, "calibration": e.q.Calibration, "config": json.RawMessage(config),
	}
	if len(e.q.Labels) == 0 {
		delete(values, "labels")
	}
	var b []byte
	for _, key := range slices.Sorted(maps.Keys(values)) {
		text, err := json.Marshal(values[key])
		if err != nil {
			return nil, fmt.Errorf("metadata %q: %w", key, err)
		}
		entry := appendString(appendString(nil, entryKey, key), entryValue, string(text))
		b = appendBytes(b, modelMetadata, entry)
	}
	return b, nil
}
