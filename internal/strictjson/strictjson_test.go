package strictjson

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type inner struct {
	Blocks int `json:"blocks"`
}

type outer struct {
	Name   string            `json:"name"`
	Mean   [3]float32        `json:"mean"`
	Stages []inner           `json:"stages"`
	Notes  map[string]string `json:"notes"`
}

func TestAccepts(t *testing.T) {
	for _, text := range []string{
		`{}`, `null`, ` {"name":"a"} `, "{\"stages\":[{\"blocks\":1},{\"blocks\":2}]}\n",
		`{"mean":[1,2,3],"notes":{"A":"1","a":"2"},"stages":null}`,
	} {
		require.NoError(t, Unmarshal(text, &outer{}), text)
	}
	o := outer{}
	require.NoError(t, Unmarshal(`{"stages":[{"blocks":7}],"notes":{"k":"v"},"name":"n"}`, &o))
	require.Equal(t, outer{Name: "n", Stages: []inner{{7}}, Notes: map[string]string{"k": "v"}}, o)
}

func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                             "EOF",
		`{"name":1}`:                                   "cannot unmarshal",
		`{"other":1}`:                                  `unknown field "other"`,
		`{"name":"a"} {"x":1}`:                         "text follows its end",
		`{"name":"a"} rubbish`:                         "text follows its end",
		`{"name":"a"}}`:                                "text follows its end",
		`{"Name":"a"}`:                                 `unknown key "Name"`,
		`{"name":"a","NAME":"b"}`:                      `unknown key "NAME"`,
		`{"name":"a","name":"b"}`:                      `the key "name" comes twice`,
		`{"notes":{"a":"1","b":"2","a":"3"}}`:          `the key "a" comes twice`,
		`{"stages":[{"blocks":1},{"Blocks":2}]}`:       `unknown key "Blocks"`,
		`{"stages":[{"blocks":1,"blocks":1}]}`:         `the key "blocks" comes twice`,
		`{"stages":[{"blocks":1}],"stages":[]}`:        `unknown key "blocks"`,
		`{"stages":[],"stages":[{"blocks":1}]}`:        `the key "stages" comes twice`,
		`{"mean":[1,2,3,4,5],"name":"x","mean":[1,2]}`: `the key "mean" comes twice`,
	} {
		require.ErrorContains(t, Unmarshal(text, &outer{}), want, text)
	}
}
