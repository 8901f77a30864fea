package resnext

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadQuantisedGivesBackWhatWasWritten(t *testing.T) {
	for name, cfg := range small() {
		q := randomQuantised(cfg, 5)
		q.Labels = make([]string, cfg.Classes)
		got, err := ReadQuantised(write(t, q))
		require.NoError(t, err, name)
		require.Equal(t, q, got, name)
	}
}

func TestReadQuantisedRefusesDamage(t *testing.T) {
	path := write(t, randomQuantised(tinyConfig(), 5))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	data[len(data)-1] ^= 1
	require.NoError(t, os.WriteFile(path, data, 0o600))
	_, err = ReadQuantised(path)
	require.ErrorIs(t, err, ErrModelFile)
	require.ErrorContains(t, err, path)
	_, err = ReadQuantised(path + ".missing")
	require.ErrorIs(t, err, os.ErrNotExist)
}
