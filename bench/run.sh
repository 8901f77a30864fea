#!/usr/bin/env bash
# run.sh: this library beside ONNX Runtime and OpenVINO, on the same int8 networks. bench/README.md says how it
# measures. Options go to bench/compare: for example -rounds 10, -threads 1, -json.
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/bench
venv=$out/venv
mkdir -p "$out"

case " $* " in *" -h "* | *" --help "* | *" -help "*)
	sed -n '2,3s/^# //p' bench/run.sh
	go run ./bench/compare -h 2>&1 | grep -v '^exit status'
	exit
	;;
esac

say() { printf 'bench: %s\n' "$*" >&2; }

# install NAME...: these of the pinned packages, into the virtual environment
install() {
	local pattern
	pattern=$(IFS='|' && echo "$*")
	grep -E "^($pattern)==" bench/requirements.txt | "$venv/bin/pip" install --quiet -r /dev/stdin
}

runtimes=()
if [ ! -x "$venv/bin/pip" ]; then
	say "making the virtual environment $venv"
	python3 -m venv "$venv" || say "python3 -m venv failed (Debian's package python3-venv has it)"
fi
if [ -x "$venv/bin/pip" ]; then
	say "installing the packages of bench/requirements.txt into $venv, where they are missing"
	install numpy onnx onnxruntime && runtimes+=(ort)
	[ ${#runtimes[@]} -gt 0 ] && install openvino && runtimes+=(openvino)
fi
[ ${#runtimes[@]} -eq 2 ] || say "NOT ALL RUNTIMES could be installed; measuring beside: ${runtimes[*]:-none}"

say "building calib and bench/compare"
go build -o "$out/" ./cmd/calib ./bench/compare

# network NAME CALIB-OPTION...: the network with each length of chains
network() {
	local name=$1 chains
	shift
	mkdir -p "$out/$name"
	for chains in off 4 8; do
		say "calibrating $name, chains $chains"
		"$out/calib" "$@" --chains $chains --out "$out/$name/chains-$chains.int8.safetensors" >"$out/$name/calib-$chains.log" 2>&1 ||
			{ cat "$out/$name/calib-$chains.log" >&2 && exit 1; }
	done
}

# compare NAME COMPARE-OPTION...: what network made
compare() {
	local name=$1
	shift
	"$out/compare" -python "$venv/bin/python" -runtimes "$(IFS=, && echo "${runtimes[*]:-none}")" -dir "$out/$name" -profile "$@" \
		"$out/$name"/chains-{4,off,8}.int8.safetensors
}

# gap parts the tables of two networks.
gap() { [[ " $* " == *" -json "* ]] || printf '\n\n'; }

network resnext50_32x4d --weights random:resnext50_32x4d --limit 16 --eval-limit 1
network resnext101_32x8d --weights random:resnext101_32x8d --limit 8 --eval-limit 1
network resnext20_8x4d --weights testdata/fashion/resnext20_8x4d.pth --images testdata/fashion/calib.zip --mean 0.2860 --std 0.3530

compare resnext50_32x4d "$@"
gap "$@"
compare resnext101_32x8d -rounds 12 -count 16 "$@"
gap "$@"
compare resnext20_8x4d -images testdata/fashion/test.zip -count 1000 "$@"

if [ ${#runtimes[@]} -gt 0 ]; then
	"$venv/bin/python" - "$out"/{resnext50_32x4d,resnext101_32x8d,resnext20_8x4d}/*.onnx >&2 <<-'END'
		import sys
		import onnx
		for path in sys.argv[1:]:
		    onnx.checker.check_model(path, full_check=True)
		print(f"bench: onnx.checker finds all {len(sys.argv) - 1} exported files sound")
	END
fi
