#!/usr/bin/env bash
# same.sh: one model file, many CPUs, the same logits to the bit. Calibrates the reference network and a random
# ResNeXt-50 at 224x224, then runs the tool as built for this CPU with each of its kernel sets, and as built for
# arm64 and arm under emulated CPUs, and compares what `resnext classify --json` prints of every logit, and for the reference
# network `resnext embed` of every feature.
#
#     scripts/same.sh FOLDER   with calib, resnext, arm64/resnext and arm/resnext: see test.sh
set -euo pipefail
bin=$(realpath "$1")
cd "$(dirname "$0")/.."
data=testdata/fashion
out=build/test/same
mkdir -p "$out"
calibrate() { # calibrate MODEL ARGUMENT...
	local model=$1
	shift
	"$bin/calib" "$@" --out "$out/$model" >"$out/calib.log" 2>&1 || { cat "$out/calib.log" >&2; exit 1; }
}
calibrate fashion --effort fast --acc16 4 --weights $data/resnext20_8x4d.pth --images $data/calib.zip --limit 64 --mean 0.2860 --std 0.3530 --eval-limit 8
calibrate resnext50 --effort fast --acc16 4 --weights random:resnext50_32x4d --limit 8 --eval-limit 1

logits() { # logits MODEL IMAGES NAME KERNELS COMMAND...: the logits must be those of the model's first run
	local model=$1 images=$2 file=$out/$1.$3.json first=$out/$1.json name="$1 on $3" kernels=$4
	shift 4
	RESNEXT_KERNELS=$kernels "$@" classify --json "$out/$model" "$images" | sed 's/"milliseconds":[^,}]*//' >"$file"
	[ -s "$file" ] && [ "$(wc -l <"$file")" = "$(find "$images" -type f | wc -l)" ] ||
		{ echo "same: $name: $(wc -l <"$file") lines, expected one for each image" >&2; exit 1; }
	[ -e "$first" ] || cp "$file" "$first"
	cmp "$first" "$file" || { echo "same: $name gives other logits than plain Go" >&2; exit 1; }
	[ "$model" != fashion ] || features "$name" "$kernels" "$@"
	echo "same: $name"
}

features() { # features NAME KERNELS COMMAND...: the reference network's features must be those of its first run
	local name=$1 kernels=$2 first=$out/fashion.features file=$out/fashion.$1.features
	file=${file// /-}
	shift 2
	RESNEXT_KERNELS=$kernels "$@" embed "$out/fashion" $data/sample >"$file"
	[ -s "$file" ] || { echo "same: $name gives no features" >&2; exit 1; }
	[ -e "$first" ] || cp "$file" "$first"
	cmp "$first" "$file" || { echo "same: $name gives other features than plain Go" >&2; exit 1; }
}

# proved MODEL MOST COMMAND...: at most MOST % of the work may run on the kernels that need no proof
proved() {
	local model=$1 most=$2 depths none
	shift 2
	depths=$("$@" inspect "$out/$model" | sed -n 's/^acc16 depth  *\(.*\) of the work$/\1/p')
	none=$(sed -n 's/.*none for \([0-9]*\)%$/\1/p' <<<"$depths")
	case $depths in
	*[0-9]" for "*) [ "${none:-0}" -le "$most" ] && return ;;
	esac
	echo "same: $model on Cortex-A53: acc16 depths '$depths', expected at most $most % without" >&2
	exit 1
}

rm -f "$out"/*.json "$out"/*.features
image=$data/sample/ankle-boot.png
logits fashion $data/sample generic generic "$bin/resnext"
logits resnext50 $image generic generic "$bin/resnext"
sets=$("$bin/resnext" selftest | awk '$2 == "ok" && $1 != "generic" {print $1}')
for set in $sets; do
	logits fashion $data/sample "$set" "$set" "$bin/resnext"
	logits resnext50 $image "$set" "$set" "$bin/resnext"
done
if command -v qemu-aarch64-static >/dev/null; then
	for run in cortex-a53:neon53 cortex-a72:neon cortex-a76:neondot max,sve=off:i8mm; do
		arm64=(qemu-aarch64-static -cpu "${run%:*}" "$bin/arm64/resnext")
		logits fashion $data/sample "arm64-$run" "${run#*:}" "${arm64[@]}"
		logits resnext50 $image "arm64-$run" "${run#*:}" "${arm64[@]}"
	done
	# What calibration rounds for the lanes of AVX2 must hold in those of the Cortex-A53. The grouped layers,
	# 5 % and 2 % of the work, do not sum in 16 bits there.
	a53=(qemu-aarch64-static -cpu cortex-a53 "$bin/arm64/resnext")
	proved fashion 8 "${a53[@]}"
	proved resnext50 4 "${a53[@]}"
	logits fashion $data/sample arm generic qemu-arm-static -cpu max "$bin/arm/resnext"
fi
