#!/usr/bin/env bash
# demo.sh: the main job on the bundled data. A float ResNeXt-20 8x4d, trained on Fashion-MNIST, becomes an
# int8 file; both are evaluated on labelled test images, and one image is classified.
set -euo pipefail
cd "$(dirname "$0")/.."
data=testdata/fashion
out=build/demo
model=$out/resnext20_8x4d.int8.safetensors
mkdir -p "$out"

run() { # show a command, then run it
	printf '\n$ %s\n' "$*"
	"$@"
}
run build/calib --weights $data/resnext20_8x4d.pth --images $data/calib.zip --out "$model" \
	--mean 0.2860 --std 0.3530 --eval $data/test.zip
run build/resnext bench "$model" --threads 1,2
run build/resnext classify "$model" $data/sample/ankle-boot.png
