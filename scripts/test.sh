#!/usr/bin/env bash
# test.sh: everything that must hold, in about ten minutes on two cores. Prints each part's time, and at the
# end what was not run and why; in CI (CI=true) a part that could not run is a failure.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()
absent=()

part() { # part NAME COMMAND...
	local name=$1 start=$SECONDS
	shift
	echo "== $name"
	"$@" || failed+=("$name")
	echo "-- $name: $((SECONDS - start)) s"
}

native() { go test -count=1 ./...; }

# The race detector makes the plain kernels slow, so it covers what shares memory between goroutines, and
# not the runs of whole large networks; of quant the tests that use several threads, not those that measure precision.
race() {
	CGO_ENABLED=1 go test -race -count=1 -short -skip 'Family|FullSize|Architectures|Golden' \
		./resnext ./internal/floatnet ./internal/images &&
		CGO_ENABLED=1 go test -race -count=1 -short -run 'Threads|Deterministic|InOrder|InParallel|Covariances|Stops|Compare|Walk|Budget' ./quant
}

# emulated ARCH QEMU CPU KERNELS: the device's packages under an emulated CPU, which must prefer KERNELS, in that
# order.
emulated() {
	local arch=$1 qemu=$2 cpu=$3 kernels=$4 package binary
	for package in asm int8 resnext; do
		binary=$PWD/build/test/$package.$arch.test
		GOARCH=$arch GOARM=7 CGO_ENABLED=0 go test -c -o "$binary" "./$package" || return 1
		(cd "$package" && RESNEXT_REQUIRE_KERNELS=$kernels "$qemu" -cpu "$cpu" "$binary" -test.short) || return 1
	done
}

scripts/setup.sh
mkdir -p build/test
part "lint" scripts/lint.sh
part "native tests" native
if command -v gcc >/dev/null; then
	part "race detector" race
else
	absent+=("race detector: no gcc")
fi
if command -v qemu-aarch64-static >/dev/null; then
	part "arm64 on Cortex-A53" emulated arm64 qemu-aarch64-static cortex-a53 neon53,neon
	part "arm64 on Cortex-A72" emulated arm64 qemu-aarch64-static cortex-a72 neon,neon53
	part "arm64 on Cortex-A76" emulated arm64 qemu-aarch64-static cortex-a76 neondot,neon
	part "arm64 with i8mm" emulated arm64 qemu-aarch64-static max,sve=off i8mm,neondot,neon
	part "32-bit arm" emulated arm qemu-arm-static max generic
else
	absent+=("arm64 and arm tests: no qemu-user-static")
fi

part "the same logits on every CPU" scripts/same.sh

if command -v gcc >/dev/null && command -v g++ >/dev/null; then
	part "C library" bindings/c/test/run.sh
else
	absent+=("C library: no gcc and g++")
fi
if command -v qemu-aarch64-static >/dev/null && command -v aarch64-linux-gnu-gcc >/dev/null; then
	part "C library on arm64" bindings/c/test/run.sh arm64
else
	absent+=("C library on arm64: no qemu-user-static and gcc-aarch64-linux-gnu")
fi

packages() {
	local out=build/test/deb
	mkdir -p "$out"
	go run ./cmd/calib --weights testdata/fashion/resnext20_8x4d.pth --images testdata/fashion/calib.zip --limit 32 --eval-limit 1 \
		--effort fast --mean 0.2860 --std 0.3530 --out "$out/model" >"$out/log" 2>&1 || { cat "$out/log" >&2; return 1; }
	packaging/deb/build.sh "$@" && for arch in "$@"; do
		packaging/deb/test.sh "$out/model" bindings/c/examples/sneaker.ppm "$arch" || return 1
	done
}

if command -v qemu-aarch64-static >/dev/null && command -v aarch64-linux-gnu-gcc >/dev/null; then
	part "the Raspberry Pi's tarball" examples/raspi/package/test.sh
	part "Debian packages" packages amd64 arm64
else
	absent+=("the Raspberry Pi's tarball and Debian packages: no qemu-user-static and gcc-aarch64-linux-gnu")
fi

for a in "${absent[@]}"; do
	echo "NOT RUN: $a" >&2
	[ "${CI:-}" = true ] && failed+=("not run: $a")
done
if [ ${#failed[@]} -gt 0 ]; then
	printf 'FAILED: %s\n' "${failed[@]}" >&2
	exit 1
fi
echo "all tests passed in $SECONDS s"
