package checkpoint

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWrappersAndPrefixes(t *testing.T) {
	w := vector("0", 2)
	for _, c := range []struct {
		name, program   string
		wrapper, prefix string
		order, ignored  []string
		err             string
	}{
		{name: "plain", program: dictOf("a", w, "b", w), order: []string{"a", "b"}},
		{name: "order of the file", program: dictOf("z", w, "a", w), order: []string{"z", "a"}},
		{name: "network.", program: dictOf("network.a", w), prefix: "network.", order: []string{"a"}},
		{name: "state_dict.", program: dictOf("state_dict.encoder.a", w), prefix: "state_dict.encoder.", order: []string{"a"}},
		{name: "prefix of some only", program: dictOf("backbone.a", w, "fc", w), order: []string{"backbone.a", "fc"}},
		{name: "prefix twice", program: dictOf("module.module.a", w), prefix: "module.module.", order: []string{"a"}},
		{name: "name that is a prefix", program: dictOf("module.", w), prefix: "module.", order: []string{""}},
		{name: "counter beside the prefix", program: dictOf("n_averaged", "K\x01", "module.a", w, "module.n", "N"),
			prefix: "module.", order: []string{"a"}, ignored: []string{"n_averaged", "n"}},
		{name: "clash after the prefix", program: dictOf("a", "N", "module.a", w), err: `two tensors are called "a"`},
		{name: "wrapper in a wrapper", program: dictOf("state_dict", dictOf("model", dictOf("a", w))), wrapper: "state_dict.model", order: []string{"a"}},
		{name: "three wrappers", program: dictOf("net", dictOf("net", dictOf("net", dictOf("a", w)))), err: "no state dict; the keys are net;"},
		{name: "preferred wrapper", program: dictOf("network", dictOf("n", w), "state_dict_ema", dictOf("e", w), "ema", dictOf("b", w)),
			wrapper: "ema", order: []string{"b"}},
		{name: "preferred wrapper without tensors", program: dictOf("state_dict", dictOf("a", "N"), "model", dictOf("b", w)),
			wrapper: "model", order: []string{"b"}},
		{name: "tensor called weights", program: dictOf("weights", w), order: []string{"weights"}},
		{name: "text called model", program: dictOf("model", text("resnext"), "a", w), order: []string{"a"}, ignored: []string{"model"}},
		{name: "wrapper that holds itself", program: "}q\x00X\x05\x00\x00\x00modelh\x00s", err: "no state dict; the keys are model;"},
		{name: "empty", program: "}", err: "the keys are none at all"},
		{name: "number among the keys", program: "}(K\x01" + w + "u", err: "has an integer among its keys"},
		{name: "name not UTF-8", program: "}(U\x01\xff" + w + "u", err: `tensor name "\xff" is not UTF-8`},
		{name: "tensor twice", program: dictOf("conv.weight", w, "conv.weight", w), err: `sets the key "conv.weight" twice`},
		{name: "integers only", program: dictOf("n", "ctorch._utils\n_rebuild_tensor\n("+storageOf("0", 1, "LongStorage")+number(0)+"))tR"), err: "no state dict; the keys are n;"},
		{name: "many keys", program: dictOf("a", "N", "b", "N", "c", "N", "d", "N", "e", "N", "f", "N", "g", "N", "h", "N", "i", "N", "j", "N", "k", "N", "l", "N", "m", "N"),
			err: "the keys are a, b, c, d, e, f, g, h, i, j, k, l, ...;"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parse(torchOf(t, c.program, "0", floats(2)))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.wrapper, got.Wrapper)
			require.Equal(t, c.prefix, got.Prefix)
			require.Equal(t, c.order, got.Order)
			require.Equal(t, c.ignored, got.Ignored)
			for _, name := range c.order {
				require.Equal(t, []float32{1, 2}, got.Tensors[name].Data)
			}
		})
	}
}

// What newer versions of PyTorch write around a tensor that has attributes.
func TestParameterWithState(t *testing.T) {
	p := "ctorch._utils\n_rebuild_parameter_with_state\n(" + vector("0", 2) + "\x88}}tR"
	got, err := parse(torchOf(t, dictOf("w", p), "0", floats(2)))
	require.NoError(t, err)
	require.Equal(t, []float32{1, 2}, got.Tensors["w"].Data)
}

func TestSafetensorsRefusals(t *testing.T) {
	for header, want := range map[string]string{
		`{"w":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`:  `tensor "w": dtype F8_E4M3 is not read; save it as float32`,
		`{"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`:       "no floating-point tensor",
		`{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`:      `cut short: 3 bytes are missing`,
		`{"w":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},"w":1}`: `the key "w" comes twice`,
	} {
		_, err := parse([]byte(string([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}) + header + "x"))
		require.ErrorContains(t, err, want)
	}
}
