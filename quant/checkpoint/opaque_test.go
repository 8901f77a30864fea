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
		"the state dict itself":      {dictOf("recorder", recorder, "state_dict", made("box\nDict", state)), `under "state_dict" is an object of class "box.Dict", which only its own program can build`},
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
