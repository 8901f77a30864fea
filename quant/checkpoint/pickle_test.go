package checkpoint

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unpickle runs one pickle with storages as persistent ids.
func unpickle(program string) (any, error) {
	u := &unpickler{src: newSource(strings.NewReader(program), int64(len(program))), load: storages{}.load}
	return u.run()
}

func TestPickleValues(t *testing.T) {
	for _, c := range []struct {
		name, program string
		want          any
	}{
		{"None", "N", nil},
		{"booleans", "\x88\x89\x86", tuple{true, false}},
		{"text booleans", "I01\nI00\n\x86", tuple{true, false}},
		{"text integers", "I-5\nL7L\n\x86", tuple{int64(-5), int64(7)}},
		{"binary integers", "K\xffM\xff\xffJ\xff\xff\xff\xff\x87", tuple{int64(255), int64(65535), int64(-1)}},
		{"long", "\x8a\x00\x8a\x01\x80\x8a\x02\xff\x00\x87", tuple{int64(0), int64(-128), int64(255)}},
		{"long past 64 bits", "\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01", new(big.Int).Lsh(big.NewInt(1), 64)},
		{"LONG4", "\x8b\x02\x00\x00\x00\x00\x01", int64(256)},
		{"float", "G\x3f\xf8\x00\x00\x00\x00\x00\x00", 1.5},
		{"strings", "X\x02\x00\x00\x00ab\x8c\x01cU\x01d\x87", tuple{"ab", "c", "d"}},
		{"long strings", "T\x01\x00\x00\x00a\x8d\x01\x00\x00\x00\x00\x00\x00\x00b\x86", tuple{"a", "b"}},
		{"bytes", "C\x02ab", &opaque{class: "bytes"}},
		{"tuples", "N\x85(NNNNt)\x87", tuple{tuple{nil}, tuple{nil, nil, nil, nil}, tuple{}}},
		{"list", "](K\x01K\x02eK\x03a", &list{[]any{int64(1), int64(2), int64(3)}}},
		{"LIST", "(K\x01l", &list{[]any{int64(1)}}},
		{"memo", "K\x05q\x07h\x07r\xff\xff\xff\xffj\xff\xff\xff\xff\x87", tuple{int64(5), int64(5), int64(5)}},
		{"MEMOIZE", "K\x05\x94h\x00\x86", tuple{int64(5), int64(5)}},
		{"POP, DUP", "K\x01K\x0202\x86", tuple{int64(1), int64(1)}},
		{"POP takes a mark", "K\x01(0", int64(1)},
		{"POP_MARK", "K\x01(K\x02K\x031", int64(1)},
		{"frame", "\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N", nil},
		{"set", "\x8f(K\x01\x90", &opaque{class: "set"}},
		{"frozenset", "(K\x01\x91", &opaque{class: "frozenset"}},
		{"Size", "ctorch\nSize\n(K\x02K\x03t\x85R", tuple{int64(2), int64(3)}},
		{"Namespace", "cargparse\nNamespace\n)\x81}(X\x01\x00\x00\x00aK\x01ub", &opaque{class: "argparse.Namespace", state: &dict{[]any{"a"}, []any{int64(1)}, map[string]int{"a": 0}}}},
		{"NEWOBJ_EX", "cargparse\nNamespace\n)}\x92", &opaque{class: "argparse.Namespace"}},
		{"defaultdict", "ccollections\ndefaultdict\nc__builtin__\nlist\n\x85R(K\x01]u", &opaque{class: "collections.defaultdict"}},
		{"unknown class", "ctrain.log\nRecorder\n)\x81}(X\x01\x00\x00\x00aK\x01ub", &opaque{class: "train.log.Recorder", state: &dict{[]any{"a"}, []any{int64(1)}, map[string]int{"a": 0}}}},
		{"unknown function of a function", "cbuiltins\ngetattr\nctrain\nMode\nX\x01\x00\x00\x00a\x86R)R", &opaque{class: "builtins.getattr"}},
		{"unknown list and dict", "ctrain\nBox\n)\x81(K\x01e(K\x01K\x02u", &opaque{class: "train.Box"}},
		{"complex tensor", "ctorch._utils\n_rebuild_tensor_v2\n(" + storageOf("0", 4, "ComplexFloatStorage") + "K\x00K\x04\x85K\x01\x85tR", &opaque{class: "torch.ComplexFloatStorage"}},
		{"STACK_GLOBAL", "\x8c\x05torch\x8c\x04Size\x93", global("torch.Size")},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := unpickle(c.program + ".")
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestPickleDicts(t *testing.T) {
	for _, program := range []string{
		"}(X\x01\x00\x00\x00aK\x01K\x07K\x02u.",                                            // EMPTY_DICT, SETITEMS
		"}X\x01\x00\x00\x00aK\x01sK\x07K\x02s.",                                            // SETITEM
		"(X\x01\x00\x00\x00aK\x01K\x07K\x02d.",                                             // DICT
		"ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00aK\x01K\x07K\x02u.",                // Python 3
		"ccollections\nOrderedDict\n](](U\x01aK\x01e](K\x07K\x02ee\x85R.",                  // Python 2
		"ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00aK\x01K\x07K\x02u}(U\x01xK\x01ub.", // with attributes
	} {
		got, err := unpickle(program)
		require.NoError(t, err, "%q", program)
		d, ok := got.(*dict)
		require.True(t, ok)
		require.Equal(t, []any{"a", int64(7)}, d.keys)
		require.Equal(t, []any{int64(1), int64(2)}, d.values)
		require.Equal(t, int64(1), d.get("a"))
		require.Nil(t, d.get("b"))
	}
}

func TestPickleRefuses(t *testing.T) {
	for _, c := range []struct{ name, program, want string }{
		{"nothing", "", "cut short"},
		{"no STOP", "N", "cut short: it wants 1 more bytes at byte 1"},
		{"STOP on an empty stack", ".", "STOP takes a value from an empty stack"},
		{"STOP below a mark", "N(.", "empty stack"},
		{"POP on an empty stack", "0.", "empty stack"},
		{"DUP below a mark", "N(2.", "empty stack"},
		{"TUPLE2 of one", "N\x86.", "empty stack"},
		{"TUPLE without a mark", "Nt.", "wants a mark"},
		{"POP_MARK without a mark", "N1.", "wants a mark"},
		{"APPEND to a tuple", ")Na.", "appends to a tuple"},
		{"APPENDS to a dict", "}(Ne.", "appends to a dict"},
		{"SETITEM of a list", "]NNs.", "sets keys of a list"},
		{"SETITEMS of an odd number", "}(Nu.", "a key without a value"},
		{"DICT of an odd number", "(Nd.", "a key without a value"},
		{"memo of nothing", "q\x00.", "empty stack"},
		{"memo never stored", "h\x05.", "recalls value 5"},
		{"protocol 6", "\x80\x06N.", "newer than 5"},
		{"frame too long", "\x95\xff\xff\xff\xff\xff\xff\xff\xffN.", "cut short"},
		{"string too long", "X\xff\xff\xff\xffab.", "wants 4294967295 bytes"},
		{"string of 2^64-1", "\x8d\xff\xff\xff\xff\xff\xff\xff\xffab.", "cut short"},
		{"bytes too long", "\x8e\xff\xff\xff\xff\xff\xff\xff\x7fab.", "cut short"},
		{"integer too long", "\x8b\x00\x00\x10\x00" + strings.Repeat("a", 1<<20) + ".", "an integer of 1048576 bytes"},
		{"integer of negative length", "\x8b\xff\xff\xff\xffa.", "an integer of 4294967295 bytes"},
		{"text not a number", "Lx\n.", `"x" is not an integer`},
		{"line without end", "L" + strings.Repeat("1", 1<<20), "a line of over"},
		{"protocol 0 string", "S'a'\n.", "torch.save does not write it"},
		{"protocol 0 persistent id", "Pa\n.", "torch.save does not write it"},
		{"extension registry", "\x82\x01.", "torch.save does not write it"},
		{"out-of-band buffer", "\x97.", "torch.save does not write it"},
		{"INST", "(ios\nsystem\n.", "torch.save does not write it"},
		{"OBJ", "(cargparse\nNamespace\no.", "torch.save does not write it"},
		{"os.system", "cos\nsystem\nX\x02\x00\x00\x00ls\x85R.", `wants to call "os.system"; only tensors are read. Save a state_dict: torch.save(model.state_dict(), path)`},
		{"eval", "c__builtin__\neval\n.", `wants to call "__builtin__.eval"`},
		{"a submodule", "cimportlib.util\nmodule_from_spec\n.", `wants to call "importlib.util.module_from_spec"`},
		{"name that is not text", "NN\x93.", "names a global by None and None"},
		{"call of a value", "N)R.", "calls None"},
		{"call of a storage type", "ctorch\nFloatStorage\n)R.", "calls torch.FloatStorage"},
		{"call without a tuple", "ctorch\nSize\nNR.", "calls torch.Size with None"},
		{"Size of nothing", "ctorch\nSize\n)R.", "torch.Size: want one tuple"},
		{"OrderedDict of numbers", "ccollections\nOrderedDict\n](K\x01e\x85R.", "want a list of pairs"},
		{"OrderedDict of a number", "ccollections\nOrderedDict\nK\x01\x85R.", "want no argument"},
		{"key twice", "}(X\x01\x00\x00\x00aNX\x01\x00\x00\x00aNu.", `sets the key "a" twice`},
		{"BUILD of a number", "K\x01}b.", "sets attributes of an integer"},
		{"BUILD of a name", "ctorch\nSize\n}b.", `sets attributes of the name "torch.Size"`},
		{"tensor of too few arguments", "ctorch._utils\n_rebuild_tensor_v2\n)R.", "want at least 4 arguments"},
		{"tensor of no storage", "ctorch._utils\n_rebuild_tensor_v2\n(NNNNtR.", "want a storage, got None"},
		{"tensor of text offset", "ctorch._utils\n_rebuild_tensor_v2\n(" + storageOf("0", 4, "FloatStorage") + text("a") + "))tR.", "offset a is outside"},
		{"tensor of list shape", "ctorch._utils\n_rebuild_tensor_v2\n(" + storageOf("0", 4, "FloatStorage") + "K\x00])tR.", "shape: want a tuple, got a list"},
		{"tensor of text shape", "ctorch._utils\n_rebuild_tensor_v2\n(" + storageOf("0", 4, "FloatStorage") + "K\x00" + text("a") + "\x85)tR.", "shape: want integers of 64 bits, got a string"},
		{"parameter of no tensor", "ctorch._utils\n_rebuild_parameter\nN\x88}\x87R.", "want a tensor"},
		{"persistent id not a tuple", "NQ.", "persistent id is None"},
		{"persistent id too short", ")Q.", "of 0 parts"},
		{"persistent id of a module", "(" + text("module") + "NNNNtQ.", "is not that of a storage"},
		{"storage of unknown class", "(" + text("storage") + "ctorch\nSize\n" + text("0") + text("cpu") + "K\x01tQ.", "is not that of a storage"},
		{"storage of negative size", storageOf("0", -1, "FloatStorage") + ".", "cannot have -1 elements"},
		{"storage past 63 bits", storageOf("0", 1<<61, "FloatStorage") + ".", "cannot have 2305843009213693952 elements"},
		{"storage of two sizes", storageOf("0", 1, "FloatStorage") + storageOf("0", 2, "FloatStorage") + ".", `storage "0" is both 1 x float32 and 2 x float32`},
		{"storage of two types", storageOf("0", 1, "FloatStorage") + storageOf("0", 1, "IntStorage") + ".", `storage "0" is both`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := unpickle(c.program)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// Programs that would take much memory for their size, were it not counted.
func TestPickleMemoryIsBounded(t *testing.T) {
	pairs := "](" + strings.Repeat("](NNe", 10_000) + "e\x85q\x00" // OrderedDict's argument
	for name, program := range map[string]string{
		"copies of a list of pairs": pairs + "0" + strings.Repeat("ccollections\nOrderedDict\nh\x00R0", 1_000),
		"dicts":                     strings.Repeat("}", 4<<20),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := unpickle(program + "N.")
			require.ErrorContains(t, err, "more than 256 MiB of objects")
		})
	}
}
