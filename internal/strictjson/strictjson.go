// Package strictjson decodes JSON text that another program wrote, and takes nothing but what was meant: unknown keys,
// keys that come twice, keys in another case and text behind the value are errors. encoding/json lets all but the first
// pass.
package strictjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Unmarshal decodes text, which is one JSON value, into v, a pointer as for json.Unmarshal. v's type must encode every
// field that it decodes: no omitempty.
func Unmarshal(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("text follows its end")
	}
	again, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var understood any
	if err := json.Unmarshal(again, &understood); err != nil {
		return err
	}
	return checkKeys(json.NewDecoder(strings.NewReader(text)), understood)
}

// checkKeys reads the next value of d, whose objects may have each key of the value that was understood at the same
// place, once. The text is known to be sound JSON.
func checkKeys(d *json.Decoder, understood any) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		values, _ := understood.(map[string]any)
		if err := checkObject(d, values); err != nil {
			return err
		}
	case json.Delim('['):
		values, _ := understood.([]any)
		for i := 0; d.More(); i++ {
			var value any // nothing where Go's array is shorter
			if i < len(values) {
				value = values[i]
			}
			if err := checkKeys(d, value); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = d.Token() // the closing delimiter
	return err
}

func checkObject(d *json.Decoder, values map[string]any) error {
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		value, ok := values[key]
		if !ok {
			return fmt.Errorf("unknown key %q: keys are case-sensitive", key)
		}
		if seen[key] {
			return fmt.Errorf("the key %q comes twice", key)
		}
		seen[key] = true
		if err := checkKeys(d, value); err != nil {
			return err
		}
	}
	return nil
}
