package resnext

import (
	"bytes"
	"hash/crc32"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/safetensors"
)

// TestModelFileBytes: version 1 of the file format, to the byte. Devices in the field read what calib writes today, and
// this program must read what it wrote then; a change here is a new version.
func TestModelFileBytes(t *testing.T) {
	for i, want := range []uint32{
		0x08fd5902, 0xe9e541c3, 0xf54ca7f6, 0x68c0e8c3, 0xc6f44b8f, 0x3858a320, 0x04d1f828, 0x0c2e13da, 0xc139aa83,
	} {
		q := selfTestRNG(i).network(selfTestConfigs()[i])
		q.Labels = []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}
		q.Calibration = map[string]string{"tool": "a test"}
		metadata, tensors, err := q.content()
		require.NoError(t, err)
		var b bytes.Buffer
		_, err = safetensors.Encode(&b, metadata, tensors)
		require.NoError(t, err)
		sum := crc32.Checksum(b.Bytes(), crc32.MakeTable(crc32.Castagnoli))
		require.Equal(t, want, sum, "network %d: %#08x", i, sum)
	}
}
