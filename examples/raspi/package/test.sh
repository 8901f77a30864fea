#!/usr/bin/env bash
# test.sh: builds the tarballs, unpacks them and runs what is inside whole, under qemu's models of the CPUs of Raspberry
# Pis, each of which must choose the kernels that it has.
set -euo pipefail
cd "$(dirname "$0")/../../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CI=${CI:-}
examples/raspi/package/build.sh
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' resnext/model.go)
fail() { echo "raspi: $*" >&2; exit 1; }

# run KIND KERNELS QEMU...: the programs of a tarball, on the pictures of ten kinds that it has.
run() {
	local kind=$1 kernels=$2 top=$work/libresnext-raspi-$version-$1 out answers
	shift 2
	[ -d "$top" ] || tar -C "$work" -xzf "dist/libresnext-raspi-$version-$kind.tar.gz"
	cd "$top" # as its README says
	"$@" bin/calib --version >/dev/null
	"$@" bin/resnext selftest >/dev/null || fail "$*: selftest"
	"$@" bin/resnext classify --json share/resnext/model.int8.safetensors share/resnext/pictures | sed 's/"milliseconds":[^,}]*//' >"$work/logits"
	[ -e "$work/first" ] || cp "$work/logits" "$work/first"
	cmp "$work/first" "$work/logits" || fail "$*: other logits than on the CPU before"
	out=$("$@" bin/raspi-live share/resnext/pictures --once --fps 0 --json)
	grep -q "\"kernels\":\"$kernels\"" <<<"${out%%$'\n'*}" || fail "$*: raspi-live did not choose the kernels $kernels: ${out%%$'\n'*}"
	answers=$(grep -c '"raw":{"class":' <<<"$out")
	[ "$answers" = 10 ] || fail "$*: raspi-live classified $answers of 10 pictures"
	cd - >/dev/null
	echo "raspi: $kind: $*: kernels $kernels"
}

for cpu in cortex-a53:neon53 cortex-a72:neon cortex-a76:neondot max,sve=off:i8mm; do
	run arm64 "${cpu#*:}" qemu-aarch64-static -cpu "${cpu%:*}"
done
run armhf generic qemu-arm-static -cpu max

# The C example, as the README says, but by a cross compiler.
cd "$work/libresnext-raspi-$version-arm64"
export PKG_CONFIG_LIBDIR=$PWD/lib/pkgconfig
# shellcheck disable=SC2046 # flags are words
aarch64-linux-gnu-gcc -o classify examples/classify.c $(pkg-config --cflags --libs resnext) -Wl,-rpath,"$PWD/lib"
qemu-aarch64-static -cpu cortex-a72 -L /usr/aarch64-linux-gnu ./classify share/resnext/model.int8.safetensors examples/sneaker.ppm | grep -q sneaker ||
	fail "the C example does not know a sneaker"
echo "raspi: the C example of the tarball compiles and runs"
