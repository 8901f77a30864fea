package onnx

import (
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/libresnext/libresnext/internal/testnet"
)

// TestExportedBytes: the graphs that other people's pipelines take today, to the byte.
func TestExportedBytes(t *testing.T) {
	want := map[string]uint32{
		"ImageNet form": 0x80162cfc, "ImageNet form, padded": 0x6c8899f3, "CIFAR form": 0xef581b00, "CIFAR form, padded": 0x1caf7b5e,
		"basic blocks": 0x72c7cc53, "basic blocks, padded": 0x1dba39eb, "identity": 0x069ea86d, "identity, padded": 0xc9d5d69d,
	}
	for name, cfg := range testnet.Forms() {
		for _, padded := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "m.onnx")
			require.NoError(t, Write(path, testnet.Random(cfg, 1), Ranges{Pooled: 0.7}, Options{Padded: padded}))
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			key := name
			if padded {
				key += ", padded"
			}
			sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
			require.Equal(t, want[key], sum, "%s: %#08x", key, sum)
		}
	}
}
