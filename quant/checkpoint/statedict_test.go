package checkpoint

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStateDicts(t *testing.T) {
	w := vector("0", 2)
	for _, c := range []struct {
		name, program  string
		wrapper        string
		order, ignored []string
		err            string
	}{
		{name: "plain", program: dictOf("a", w, "b", w), order: []string{"a", "b"}},
		{name: "order of the file", program: dictOf("z", w, "a", w), order: []string{"z", "a"}},
		{name: "names with prefixes", program: dictOf("module.backbone.a", w, "fc", w), order: []string{"module.backbone.a", "fc"}},
		{name: "counter", program: dictOf("n_averaged", "K\x01", "module.a", w, "module.n", "N"),
			order: []string{"module.a"}, ignored: []string{"n_averaged", "module.n"}},
		{name: "wrapper in a wrapper", program: dictOf("state_dict", dictOf("model", dictOf("a", w))), wrapper: "state_dict.model", order: []string{"a"}},
		{name: "wrappers of any names", program: dictOf("x", dictOf("y", dictOf("z", dictOf("a", w)))), wrapper: "x.y.z", order: []string{"a"}},
		{name: "a dict without tensors", program: dictOf("state_dict", dictOf("a", "N"), "model", dictOf("b", w)),
			wrapper: "model", order: []string{"b"}},
		{name: "a number as key", program: "}(K\x07" + dictOf("b", w) + "u", wrapper: "7", order: []string{"b"}},
		{name: "tensors beside a dict", program: dictOf("best", w, "model", dictOf("b", w)), wrapper: "model", order: []string{"b"}},
		{name: "tensor called weights", program: dictOf("weights", w), order: []string{"weights"}},
		{name: "text called model", program: dictOf("model", text("resnext"), "a", w), order: []string{"a"}, ignored: []string{"model"}},
		{name: "wrapper that holds itself", program: "}q\x00X\x05\x00\x00\x00modelh\x00s", err: "no state dict; the keys are model;"},
		{name: "empty", program: "}", err: "the keys are none at all"},
		{name: "number in the place of a name", program: "}(K\x01" + w + "u", err: "no floating-point tensor"},
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

// All state dicts of a file are found, and no number is read that is not wanted.
func TestSeveralStateDicts(t *testing.T) {
	moments := "}K\x00" + dictOf("exp_avg", vector("missing", 2)) + "s"
	file := torchOf(t, dictOf("model", dictOf("a", vector("0", 2), "b", vector("gone", 3)), "ema", dictOf("a", vector("1", 2)),
		"optimizer", dictOf("state", moments)), "0", floats(2), "1", floats(2))
	all, err := parseAll(file)
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Equal(t, []string{"model", "ema", "optimizer.state.0"}, []string{all[0].Wrapper, all[1].Wrapper, all[2].Wrapper})
	require.Equal(t, []int{3}, all[0].Tensors["b"].Shape)
	require.NoError(t, all[0].Load(func(name string) bool { return name == "a" }))
	require.Equal(t, []float32{1, 2}, all[0].Tensors["a"].Data)
	require.Nil(t, all[0].Tensors["b"].Data)
	require.ErrorContains(t, all[0].Load(func(string) bool { return true }), `x.pth: tensor "b": zip entry "data/gone" is missing`)

	path := filepath.Join(t.TempDir(), "x.pth")
	require.NoError(t, os.WriteFile(path, file, 0o600))
	_, err = Open(path)
	require.ErrorContains(t, err, `holds 3 state dicts, under "model" and "ema" among others; expected one`)
}

// Labels are found wherever training scripts keep them, and not where they name something else.
func TestLabels(t *testing.T) {
	w := vector("0", 2)
	for name, c := range map[string]struct {
		program string
		want    []string
	}{
		"none":                  {dictOf("a", w), nil},
		"class_to_idx":          {dictOf("state_dict", dictOf("a", w), "class_to_idx", dictOf("dog", "K\x01", "cat", "K\x00")), []string{"cat", "dog"}},
		"id2label":              {dictOf("m", dictOf("a", w), "config", dictOf("id2label", dictOf("1", text("dog"), "0", text("cat")))), []string{"cat", "dog"}},
		"idx_to_class":          {dictOf("m", dictOf("a", w), "idx_to_class", "}K\x00"+text("cat")+"s"), []string{"cat"}},
		"mmengine":              {dictOf("m", dictOf("a", w), "meta", dictOf("dataset_meta", dictOf("classes", text("cat")+text("dog")+"\x86"))), []string{"cat", "dog"}},
		"a Namespace":           {dictOf("m", dictOf("a", w), "args", made("argparse\nNamespace", dictOf("classes", "]"+text("cat")+"a"))), []string{"cat"}},
		"a number twice":        {dictOf("a", w, "class_to_idx", dictOf("dog", "K\x01", "cat", "K\x01")), nil},
		"a number that is none": {dictOf("a", w, "class_to_idx", dictOf("dog", "K\x00", "cat", "K\x02")), nil},
		"numbers as classes":    {dictOf("a", w, "classes", "]K\x01a"), nil},
		"two that differ":       {dictOf("a", w, "classes", "]"+text("x")+"a", "m", dictOf("classes", text("x")+text("y")+"\x86")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parse(torchOf(t, c.program, "0", floats(2)))
			require.NoError(t, err)
			require.Equal(t, c.want, got.Labels)
		})
	}
}
