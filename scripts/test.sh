#!/usr/bin/env bash
# test.sh: everything that must hold, in about six minutes on two cores. Its parts run beside each other, as many at
# once as there are CPUs; what each prints comes whole when it ends, with the time it took. At the end stands what was
# not run and why; in CI (CI=true) a part that could not run is a failure.
set -uo pipefail
cd "$(dirname "$0")/.."
work=$PWD/build/test
failed=()
absent=()

# All parts build alike, so that they share what is compiled; and alike to what is shipped, whose paths are trimmed.
export CGO_ENABLED=${CGO_ENABLED:-0}
GOFLAGS="$(go env GOFLAGS) -trimpath"
export GOFLAGS
# Where a busy machine takes long, that is no fault: this is for what hangs.
patience=60m

# Parts. Each is a process group of its own, so that what it began ends with this script.
set -m
declare -A running=() # name by process ID
at_once=$(nproc 2>/dev/null || echo 2)
[ "$at_once" -le 4 ] || at_once=4 # each takes up to 1.5 GB
TIMEFORMAT='%0R s, of CPUs %0U + %0S s'
stop() {
	local pid
	for pid in "${!running[@]}"; do kill -- "-$pid" 2>/dev/null; done
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

part() { # part NAME COMMAND...: begins it when there is room
	while [ ${#running[@]} -ge "$at_once" ]; do ended; done
	local name=$1
	shift
	echo ".. $name"
	{ time "$@" </dev/null >"$work/$name.log" 2>&1; } 2>"$work/$name.time" &
	running[$!]=$name
}
ended() { # waits for any part to end
	local pid= status name
	wait -f -n -p pid
	status=$?
	name=${running[$pid]}
	unset "running[$pid]"
	echo "== $name"
	cat "$work/$name.log"
	if [ $status != 0 ]; then
		failed+=("$name")
		echo "-- FAILED: $name"
	fi
	echo "-- $name: $(<"$work/$name.time")"
}
finish() { # waits for all parts
	local a
	while [ ${#running[@]} -gt 0 ]; do ended; done
	for a in "${absent[@]}"; do
		echo "NOT RUN: $a" >&2
		[ "${CI:-}" = true ] && failed+=("not run: $a")
	done
	if [ ${#failed[@]} -gt 0 ]; then
		printf 'FAILED: %s\n' "${failed[@]}" >&2
		exit 1
	fi
}

# What several parts run.
binaries() {
	go build -o "$work/bin/" ./cmd/... || return 1
	command -v qemu-aarch64-static >/dev/null || return 0
	local arch
	for arch in arm64 arm; do
		GOARCH=$arch GOARM=7 go build -o "$work/bin/$arch/" ./cmd/resnext &&
			GOARCH=$arch GOARM=7 go test -c -o "$work/bin/$arch/" ./asm ./int8 ./resnext || return 1
	done
}

# lint.sh vets.
native() {
	local module status=0
	for module in $(scripts/modules.sh); do
		go -C "$module" test -count=1 -vet=off -timeout $patience ./... || status=1
	done
	return $status
}

# The race detector makes the plain kernels slow, so it covers what shares memory between goroutines, and not the runs
# of whole large networks, nor those that measure precision.
race() {
	local large='Family|FullSize|Architecture|Golden|PyTorchs|WellConditioned' status=0
	local several='Threads|Deterministic|Stops|Compare|Pass'
	export CGO_ENABLED=1
	go test -race -count=1 -short -vet=off -timeout $patience -skip "$large" \
		./resnext ./quant/float ./internal/images ./internal/parallel ./quant/pass || status=1
	go test -race -count=1 -short -vet=off -timeout $patience -run "$several" ./quant || status=1
	return $status
}

# emulated ARCH QEMU CPU KERNELS: the device's packages under an emulated CPU, which must prefer KERNELS, in that
# order.
emulated() {
	local arch=$1 qemu=$2 cpu=$3 kernels=$4 package
	for package in asm int8 resnext; do
		(cd "$package" && RESNEXT_REQUIRE_KERNELS=$kernels "$qemu" -cpu "$cpu" "$work/bin/$arch/$package.test" \
			-test.short -test.timeout=$patience) || return 1
	done
}

# The packages of make deb, but for the time that compressing them well takes.
packages() {
	local out=$work/deb data=testdata/fashion arch
	export RESNEXT_DIST=$out DPKG_DEB_COMPRESSOR_LEVEL=0
	mkdir -p "$out"
	"$work/bin/calib" --weights $data/resnext20_8x4d.pth --images $data/calib.zip --limit 32 --eval-limit 1 \
		--effort fast --mean 0.2860 --std 0.3530 --out "$out/model" >"$out/log" 2>&1 || { cat "$out/log" >&2; return 1; }
	packaging/deb/build.sh "$@" && for arch in "$@"; do
		packaging/deb/test.sh "$out/model" bindings/c/examples/sneaker.ppm "$arch" || return 1
	done
}

scripts/setup.sh
rm -rf "$work"
mkdir -p "$work"
part "binaries" binaries
ended
[ ${#failed[@]} = 0 ] || finish
part "native tests" native
part "lint" scripts/lint.sh
part "fuzz targets, briefly" scripts/fuzz.sh --brief
if command -v gcc >/dev/null; then
	part "race detector" race
else
	absent+=("race detector: no gcc")
fi
if command -v gcc >/dev/null && command -v g++ >/dev/null; then
	part "C library" bindings/c/test/run.sh
else
	absent+=("C library: no gcc and g++")
fi
if command -v qemu-aarch64-static >/dev/null && command -v aarch64-linux-gnu-gcc >/dev/null; then
	part "the Raspberry Pi's tarball" examples/raspi/package/test.sh
	part "Debian packages" packages amd64 arm64
	part "C library on arm64" bindings/c/test/run.sh arm64
else
	absent+=("the Raspberry Pi's tarball, Debian packages, C library on arm64: no qemu-user-static, gcc-aarch64-linux-gnu")
fi
if command -v gcc >/dev/null && command -v python3 >/dev/null; then
	wheels=()
	if command -v qemu-aarch64-static >/dev/null; then
		! command -v aarch64-linux-gnu-gcc >/dev/null || wheels+=(arm64)
		! command -v arm-linux-gnueabihf-gcc >/dev/null || wheels+=(armhf)
	fi
	part "Python wheels" bindings/python/test/run.sh "${wheels[@]}"
else
	absent+=("Python wheels: no gcc and python3")
fi
if command -v qemu-arm-static >/dev/null && command -v arm-linux-gnueabihf-gcc >/dev/null; then
	part "C library on 32-bit arm" bindings/c/test/run.sh arm
else
	absent+=("C library on 32-bit arm: no qemu-user-static, gcc-arm-linux-gnueabihf")
fi
part "the same logits on every CPU" scripts/same.sh "$work/bin"
if command -v qemu-aarch64-static >/dev/null; then
	part "32-bit arm" emulated arm qemu-arm-static max generic
	part "arm64 on Cortex-A53" emulated arm64 qemu-aarch64-static cortex-a53 neon53,neon
	part "arm64 on Cortex-A72" emulated arm64 qemu-aarch64-static cortex-a72 neon,neon53
	part "arm64 on Cortex-A76" emulated arm64 qemu-aarch64-static cortex-a76 neondot,neon
	part "arm64 with i8mm" emulated arm64 qemu-aarch64-static max,sve=off i8mm,neondot,neon
else
	absent+=("arm64 and arm tests: no qemu-user-static")
fi
finish
echo "all tests passed in $SECONDS s"
