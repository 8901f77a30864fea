#!/usr/bin/env bash
# same.sh: one model file, many CPUs, the same logits to the bit. Calibrates the reference network, then runs
# the tool as built for this CPU with each of its kernel sets, and as built for arm64 and arm under emulated
# CPUs, and compares what `resnext classify --json` prints of every logit.
set -euo pipefail
cd "$(dirname "$0")/.."
data=testdata/fashion
out=build/test/same
mkdir -p "$out"
export CGO_ENABLED=0
go build -o "$out/calib" ./cmd/calib
go build -o "$out/resnext" ./cmd/resnext
GOARCH=arm64 go build -o "$out/resnext.arm64" ./cmd/resnext
GOARCH=arm GOARM=7 go build -o "$out/resnext.arm" ./cmd/resnext
"$out/calib" --weights $data/resnext20_8x4d.pth --images $data/calib.zip --limit 64 --mean 0.2860 --std 0.3530 \
	--out "$out/model" --eval-limit 8 >"$out/calib.log" 2>&1 || { cat "$out/calib.log" >&2; exit 1; }

logits() { # logits NAME KERNELS COMMAND...
	local name=$1 kernels=$2
	shift 2
	RESNEXT_KERNELS=$kernels "$@" classify --json "$out/model" $data/sample |
		sed 's/"milliseconds":[^,}]*//' >"$out/$name.json"
	[ "$(wc -l <"$out/$name.json")" = 10 ] || { echo "same: $name printed $(wc -l <"$out/$name.json") lines, expected 10" >&2; exit 1; }
	cmp "$out/generic.json" "$out/$name.json" || { echo "same: $name gives other logits than plain Go" >&2; exit 1; }
	echo "same: $name"
}
logits generic generic "$out/resnext"
for set in $("$out/resnext" selftest | awk '$2 == "ok" {print $1}'); do logits "$set" "$set" "$out/resnext"; done
if command -v qemu-aarch64-static >/dev/null; then
	for run in cortex-a53:neon cortex-a72:neon cortex-a76:neondot max,sve=off:i8mm; do
		logits "arm64-$run" "${run#*:}" qemu-aarch64-static -cpu "${run%:*}" "$out/resnext.arm64"
	done
	logits arm generic qemu-arm-static -cpu max "$out/resnext.arm"
fi
