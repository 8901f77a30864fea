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

# network NAME DEPTHS CALIB-OPTION...: the network with each of these acc16 depths, separated by commas
network() {
	local name=$1 depths=${2//,/ } depth
	shift 2
	mkdir -p "$out/$name"
	for depth in $depths; do
		say "calibrating $name, acc16 $depth"
		"$out/calib" "$@" --acc16 "$depth" --out "$out/$name/acc16-$depth.int8.safetensors" >"$out/$name/calib-$depth.log" 2>&1 ||
			{ cat "$out/$name/calib-$depth.log" >&2 && exit 1; }
	done
}

# compare NAME DEPTHS COMPARE-OPTION...: what network made; the others run the first
compare() {
	local name=$1 depth models=()
	for depth in ${2//,/ }; do models+=("$out/$name/acc16-$depth.int8.safetensors"); done
	shift 2
	"$out/compare" -python "$venv/bin/python" -runtimes "$(IFS=, && echo "${runtimes[*]:-none}")" -dir "$out/$name" -profile "$@" "${models[@]}"
}

# gap parts the tables of two networks.
gap() { [[ " $* " == *" -json "* ]] || printf '\n\n'; }

# Of random weights only the speed counts: the least effort will do, but where calib chooses the depth.
network resnext50_32x4d auto --weights random:resnext50_32x4d --limit 16 --eval-limit 1
network resnext50_32x4d 4,off --weights random:resnext50_32x4d --limit 16 --eval-limit 1 --effort fast
network resnext101_32x8d 8,4 --weights random:resnext101_32x8d --limit 4 --eval-limit 1 --effort fast
# Other members of the family.
family=(resnet18 resnet50 regnet_x_800mf regnet_y_800mf seresnext50_32x4d resnext50d_32x4d)
for name in "${family[@]}"; do
	network "$name" 8 --weights "random:$name" --limit 16 --eval-limit 1 --effort fast
done
network resnext20_8x4d auto,4,off --weights testdata/fashion/resnext20_8x4d.pth --images testdata/fashion/calib.zip --mean 0.2860 --std 0.3530

compare resnext50_32x4d auto,4,off "$@"
gap "$@"
compare resnext101_32x8d 8,4 -rounds 12 -count 16 "$@"
gap "$@"
compare resnext20_8x4d auto,4,off -images testdata/fashion/test.zip -count 1000 "$@"
for name in "${family[@]}"; do
	gap "$@"
	compare "$name" 8 -rounds 12 "$@"
done
# Beside other work that wants the CPU: what several threads cost then.
for busy in 1 2; do
	gap "$@"
	compare resnext50_32x4d auto -rounds 12 -busy $busy "$@"
	gap "$@"
	compare resnext20_8x4d auto -rounds 12 -busy $busy "$@"
done

if [ ${#runtimes[@]} -gt 0 ]; then
	"$venv/bin/python" - "$out"/{resnext50_32x4d,resnext101_32x8d,resnext20_8x4d}/*.onnx >&2 <<-'END'
		import sys
		import onnx
		for path in sys.argv[1:]:
		    onnx.checker.check_model(path, full_check=True)
		print(f"bench: onnx.checker finds all {len(sys.argv) - 1} exported files sound")
	END
fi

# What the C library adds to a call.
if [[ " $* " != *" -json "* ]] && command -v "${CC:-gcc}" >/dev/null; then
	gap
	bindings/c/build.sh build/lib >/dev/null
	bindings/c/bench/run.sh
fi
