#!/usr/bin/env bash
# run.sh: what can be known of the speed on Raspberry Pis without one. Counts the instructions of an inference
# under qemu and models the cycles of the kernels on each layer with llvm-mca; README.md tells how.
#
#	bench/arm64/run.sh [--set neon] [--network resnext50_32x4d] [--layers] [--json FILE]
set -euo pipefail
cd "$(dirname "$0")/../.."
out=build/arm64
mca=llvm-mca-19
command -v "$mca" >/dev/null || mca=llvm-mca

missing=0
need() { # need COMMAND PACKAGE
	command -v "$1" >/dev/null && return
	echo "bench-arm64: $1 is missing: install Debian's package $2" >&2
	missing=1
}
need qemu-aarch64 "qemu-user (qemu-user-static cannot load plugins)"
need "$mca" "llvm-19 or llvm"
need "${mca/mca/mc}" "llvm-19 or llvm"
need gcc gcc
need python3 python3
[ $missing = 0 ] || exit 1

mkdir -p "$out"
gcc -O2 -fPIC -shared -o "$out/plugin.so" bench/arm64/plugin.c
GOARCH=arm64 CGO_ENABLED=0 go build -o "$out/calls" ./bench/arm64/calls
exec python3 -B bench/arm64/report.py --dir "$out" --mca "$mca" "$@"
