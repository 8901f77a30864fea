#!/usr/bin/env bash
# run.sh: builds bench.c and runs it on the reference network, which is calibrated first if `make demo` has not done so.
set -euo pipefail
cd "$(dirname "$0")/../../.."
model=build/demo/resnext20_8x4d.int8.safetensors
if [ ! -f "$model" ]; then
	model=build/test/bench-c.safetensors
	mkdir -p build/test
	CGO_ENABLED=0 go run ./cmd/calib --weights testdata/fashion/resnext20_8x4d.pth --images testdata/fashion/calib.zip --limit 64 \
		--mean 0.2860 --std 0.3530 --out "$model" --eval-limit 8 >build/test/bench-c.log 2>&1 || { cat build/test/bench-c.log >&2; exit 1; }
fi
${CC:-gcc} -std=gnu11 -O2 -Wall -Wextra -Werror -I bindings/c -o build/bench-c bindings/c/bench/bench.c -ldl
LD_LIBRARY_PATH=$PWD/build/lib exec build/bench-c "$model"
