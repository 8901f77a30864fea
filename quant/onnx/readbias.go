package onnx

import (
	"fmt"
	"slices"

	"github.com/libresnext/libresnext/quant/match"
	"github.com/libresnext/libresnext/resnext/topology"
)

// wrongExporter is where files come from whose convolutions have each other's biases: an optimisation took tensors of
// the same first numbers for the same.
const wrongExporter = "PyTorch 2.9 with onnxscript 0.5.6 or older writes such files by mistake: export again with onnxscript 0.5.7 or later " +
	"(any release after November 2025), or with dynamo=False"

// checkBiases refuses a network of which two layers have the same biases other than zeros: no training gives them, and
// one of the two layers has lost its own. Those in front of a batch normalisation do not count; they are part of no
// answer that was folded.
func checkBiases(network *match.Network) error {
	owners := make(map[*float32]string)
	for _, s := range topology.Lower(network.Config).Layers() {
		l := network.Layers[s.Name]
		if l.Norm != nil || !slices.ContainsFunc(l.Bias, func(v float32) bool { return v != 0 }) {
			continue
		}
		if other := owners[&l.Bias[0]]; other != "" {
			return fmt.Errorf("%s and %s share their biases; expected biases of its own for each layer. %s", other, l.Title, wrongExporter)
		}
		owners[&l.Bias[0]] = l.Title
	}
	return nil
}

// sharedHint says more of a convolution's biases that do not fit if another node has them too.
func (b *builder) sharedHint(n *readNode, i int) string {
	for _, other := range b.m.nodes {
		if n.op == "Conv" && other != n && slices.Contains(other.in, n.in[i]) {
			return fmt.Sprintf("; %s has them too. %s", other.title(), wrongExporter)
		}
	}
	return ""
}
