package checkpoint

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// made is a pickled object of a training script's own class, with attributes.
func made(class, attributes string) string { return "c" + class + "\n)\x81" + attributes + "b" }

// Objects of any class may stand beside the tensors; those in the place of tensors are named.
func TestObjectsOfUnknownClasses(t *testing.T) {
	recorder := made("utils\nRecorder", dictOf("losses", "]K\x01a", "hook", "ctrain\nhook\n"))
	numpy := "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K\x02\x85Nt" + "b"
	state := dictOf("w", vector("0", 2))
	c, err := parse(torchOf(t, dictOf("recorder", recorder, "curve", numpy, "state_dict", state), "0", floats(2)))
	require.NoError(t, err)
	require.Equal(t, "state_dict", c.Wrapper)
	require.Equal(t, []float32{1, 2}, c.Tensors["w"].Data)

	c, err = parse(torchOf(t, dictOf("w", vector("0", 2), "b", made("quant\nTensor", "}"), "n", "K\x01"), "0", floats(2)))
	require.NoError(t, err)
	require.Equal(t, []string{"b", "n"}, c.Ignored)
	require.Equal(t, map[string]string{"b": "quant.Tensor"}, c.Hidden)

	for name, test := range map[string]struct{ program, want string }{
		"the whole file":             {recorder, `the file holds an object of class "utils.Recorder"`},
		"nothing but objects":        {dictOf("trainer", recorder), `under "trainer" is an object of class "utils.Recorder"`},
		"harmless objects, no state": {dictOf("args", "cargparse\nNamespace\n)\x81"), "no state dict; the keys are args"},
		"a call that runs commands":  {dictOf("x", "cos\nsystem\nX\x02\x00\x00\x00ls\x85R", "state_dict", state), `wants to call "os.system"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(torchOf(t, test.program, "0", floats(2)))
			require.ErrorContains(t, err, test.want)
		})
	}
}

// A subclass of Tensor is rebuilt like its parent.
func TestTensorSubclass(t *testing.T) {
	program := "ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\ncown\nTensor\n(" +
		storageOf("0", 2, "FloatStorage") + "K\x00K\x02\x85K\x01\x85t}tR"
	c, err := parse(torchOf(t, dictOf("w", program), "0", floats(2)))
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2}, c.Tensors["w"].Data)
}

// moduleOf is a module of torch.nn as torch.save(module) writes it.
func moduleOf(parameters, buffers, modules string) string {
	return made("models\nNet", dictOf("training", "\x89", "_parameters", parameters, "_buffers", buffers, "_non_persistent", "]", "_modules", modules))
}

// Modules that were saved whole have their tensors under the names of state_dict(); those of TorchScript are attributes.
func TestModules(t *testing.T) {
	counter := "ctorch._utils\n_rebuild_tensor\n(" + storageOf("1", 1, "LongStorage") + number(0) + "))tR"
	norm := moduleOf(dictOf("weight", vector("0", 2), "bias", "N"), dictOf("num_batches_tracked", counter), "}")
	net := moduleOf("}", "}", dictOf("conv", moduleOf(dictOf("weight", vector("0", 2)), "}", "}"), "layer", moduleOf("}", "}", dictOf("0", norm))))
	script := made("__torch__\nNet", dictOf("training", "\x89", "conv", made("__torch__\nConv", dictOf("weight", vector("0", 2))), "scale", vector("0", 2)))
	slots := "cmodels\nNet\n)\x81N" + dictOf("net", net) + "\x86b"
	for name, c := range map[string]struct {
		program, wrapper string
		order, ignored   []string
	}{
		"a module":                 {net, "", []string{"conv.weight", "layer.0.weight"}, []string{"layer.0.num_batches_tracked"}},
		"a module in a checkpoint": {dictOf("epoch", "K\x01", "net", net), "net", []string{"conv.weight", "layer.0.weight"}, []string{"layer.0.num_batches_tracked"}},
		"in an object's slots":     {slots, "", []string{"net.conv.weight", "net.layer.0.weight"}, []string{"net.layer.0.num_batches_tracked"}},
		"TorchScript":              {script, "", []string{"conv.weight", "scale"}, nil},
		"a module in itself": {"cmodels\nNet\n)\x81q\x01" + dictOf("_parameters", dictOf("w", vector("0", 2)), "_modules", dictOf("again", "h\x01")) + "b", "",
			[]string{"w"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(torchOf(t, c.program, "0", floats(2)))
			require.NoError(t, err)
			require.Equal(t, c.wrapper, got.Wrapper)
			require.Equal(t, c.order, got.Order)
			require.Equal(t, c.ignored, got.Ignored)
			require.Equal(t, []float32{1, 2}, got.Tensors[c.order[0]].Data)
		})
	}
	_, err := parse(zipOf(t, "a/data.pkl", pickled(made("__torch__\nNet", "}")), "a/constants.pkl", pickled("]")))
	require.ErrorContains(t, err, "TorchScript archive whose tensors have lost their names")
}

// A module that holds itself many times over in few bytes does not take long.
func TestModulesWithinModules(t *testing.T) {
	for _, tensors := range []string{"}", dictOf("w", vector("0", 2))} {
		program := moduleOf(tensors, "}", "}")
		for i := range 30 {
			program += "q" + string(rune(i)) + "0" + moduleOf("}", "}", dictOf("a", "h"+string(rune(i)), "b", "h"+string(rune(i))))
		}
		_, err := parse(torchOf(t, program, "0", floats(2)))
		require.ErrorContains(t, err, "names more than 131072 tensors")
	}
}
