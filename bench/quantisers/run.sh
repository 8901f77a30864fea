#!/usr/bin/env bash
# run.sh: calib beside the static quantisers of ONNX Runtime and PyTorch, on the same float networks and images.
# bench/quantisers/README.md says how it compares. Options go to bench/quantisers: for example -json.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=build/bench
venv=$out/venv
data=${FASHION_MNIST:-/usr/share/datasets/fashion-mnist}
mkdir -p "$out"

say() { printf 'quantisers: %s\n' "$*" >&2; }

ort=() torch=()
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv" || say "python3 -m venv failed (Debian's package python3-venv has it)"
if [ -x "$venv/bin/pip" ] && grep -E '^(numpy|onnx|onnxruntime|sympy)==' bench/requirements.txt | "$venv/bin/pip" install --quiet -r /dev/stdin; then
	ort=(-ort "$venv/bin/python")
else
	say "ONNX Runtime could not be installed and is LEFT OUT"
fi
if /usr/bin/python3 -c 'import torch' 2>/dev/null ||
	{ [ "$(id -u)" = 0 ] && apt-get install -y -qq --no-install-recommends python3-torch >/dev/null; }; then
	torch=(-torch /usr/bin/python3)
else
	say "PyTorch (Debian's package python3-torch) could not be installed and is LEFT OUT"
fi
eval=$data
if [ ! -d "$data" ] && { [ "$(id -u)" != 0 ] || ! apt-get install -y -qq dataset-fashion-mnist >/dev/null; }; then
	say "Debian's package dataset-fashion-mnist could not be installed: comparing on the 1000 bundled images instead of all 10,000"
	eval=testdata/fashion/test.zip
fi

go build -o "$out/" ./cmd/calib ./bench/quantisers

"$out/quantisers" "${ort[@]}" "${torch[@]}" -dir "$out/quantised/resnext20_8x4d" \
	-weights testdata/fashion/resnext20_8x4d.pth -images testdata/fashion/calib.zip -eval "$eval" \
	-calib-options "--mean 0.2860 --std 0.3530" "$@"
for network in testdata/family/*.safetensors; do
	echo
	"$out/quantisers" "${ort[@]}" "${torch[@]}" -dir "$out/quantised/$(basename "$network" .safetensors)" \
		-weights "$network" -images testdata/fashion/calib.zip -eval "$eval" \
		-calib-options "--mean 0.2860 --std 0.3530 --crop 28 --resize 28" "$@"
done
echo
# The others keep every activation of every image: 16 of them, and not the methods that need histograms.
"$out/quantisers" "${ort[@]}" "${torch[@]}" -dir "$out/quantised/resnext50_32x4d" -methods MinMax \
	-weights random-outliers:resnext50_32x4d -limit 16 "$@"
