//go:build !amd64

package asm

func sgemmTiles(t *sgemmTile) { sgemmTilesGo(t) }
