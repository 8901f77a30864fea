package quant

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseTechniques(t *testing.T) {
	for text, want := range map[string][]Technique{
		"": nil, " ,": nil, "bias": {BiasCorrection}, "Rounding, equalisation": {Rounding, Equalisation},
	} {
		got, err := ParseTechniques(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := ParseTechniques("bias,luck")
	require.EqualError(t, err, `unknown technique "luck": expected some of [absorption equalisation correction rounding bias]`)
}

func TestParseEffort(t *testing.T) {
	for _, e := range Efforts() {
		got, err := ParseEffort(string(e))
		require.NoError(t, err)
		require.Equal(t, e, got)
	}
	got, err := ParseEffort("MAX")
	require.NoError(t, err)
	require.Equal(t, Max, got)
	_, err = ParseEffort("")
	require.ErrorContains(t, err, "expected one of [fast default max]")
}
