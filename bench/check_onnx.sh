#!/usr/bin/env bash
# check_onnx.sh: what `calib --export-onnx` writes is sound, and ONNX Runtime answers as this library does: it
# calibrates the trained ResNeXt-20, and small random networks of the family's other forms, runs both on the 1000
# labelled test images and compares. Needs the network once, for the packages of bench/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/bench/export
venv=build/bench/venv
mkdir -p "$out"

[ -x "$venv/bin/pip" ] || python3 -m venv "$venv" ||
	{ echo "check_onnx: python3 -m venv failed (Debian's package python3-venv has it)" >&2 && exit 1; }
grep -E '^(numpy|onnx|onnxruntime|pillow)==' bench/requirements.txt | "$venv/bin/pip" install --quiet -r /dev/stdin

go build -o "$out/" ./cmd/calib ./cmd/resnext
failed=0
# check WEIGHTS MEAN OPTION...: one network.
check() {
	local weights=$1 mean=$2
	shift 2
	"$out/calib" --weights "$weights" --images testdata/fashion/calib.zip --mean "$mean" --std 0.3530 "$@" \
		--out "$out/model.int8.safetensors" --export-onnx "$out/model.onnx" >"$out/calib.log" 2>&1 ||
		{ cat "$out/calib.log" >&2 && exit 1; }
	"$out/resnext" classify --json "$out/model.int8.safetensors" testdata/fashion/test.zip >"$out/answers.jsonl"
	"$venv/bin/python" bench/check_onnx.py "$out/model.onnx" "$out/answers.jsonl" testdata/fashion/test.zip || failed=1
}
# One mean for all channels, which takes one padding in the graph, and one for each, which takes three.
for mean in 0.2860 0.2860,0.2861,0.35; do
	check testdata/fashion/resnext20_8x4d.pth "$mean" --eval testdata/fashion/test.zip --eval-limit 1
done
for form in deep_se_open eca_first_script regnety_script padded_script classes_dynamo; do
	echo "$form"
	check "quant/onnx/testdata/family/$form.onnx" 0.2860 --crop 28 --resize 28
done
exit $failed
