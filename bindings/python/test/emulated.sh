#!/usr/bin/env bash
# emulated.sh: a wheel for ARM in Debian's Python for it, under qemu: must give the bytes that same.py wrote here.
#
#     bindings/python/test/emulated.sh arm64|armhf WHEEL FOLDER
#
# That Python and numpy are fetched once, as Debian's packages, without installing them, into build/python.
set -euo pipefail
arch=$1 wheel=$(realpath "$2") folder=$(realpath "$3") tests=$(dirname "$(realpath "$0")")
cd "$tests/../../.."
cache=$PWD/build/python/debian-$arch
case $arch in
arm64) triplet=aarch64-linux-gnu qemu=qemu-aarch64-static ;;
armhf) triplet=arm-linux-gnueabihf qemu=qemu-arm-static ;;
*) echo "python: emulated are arm64 and armhf, not $arch" >&2; exit 1 ;;
esac
absent() { # what could not be run fails in CI
	echo "python: NOT RUN: the wheel for $arch under qemu: $*" >&2
	[ "${CI:-}" != true ]
	exit
}
for tool in $qemu apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || absent "$tool is missing"
done
if [ ! -e "$cache/complete" ]; then
	rm -rf "$cache"
	mkdir -p "$cache"/{lists/partial,archives/partial,root}
	: >"$cache/status" # of a system that has nothing yet
	cat >"$cache/conf" <<-END
		Dir::State::lists "$cache/lists";
		Dir::State::status "$cache/status";
		Dir::Cache::archives "$cache/archives";
		Dir::Cache::pkgcache "";
		Dir::Cache::srcpkgcache "";
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Install-Recommends "false";
		Acquire::Retries "3";
		Debug::NoLocking "true";
		APT::Sandbox::User "";
	END
	export APT_CONFIG=$cache/conf
	# One list may be missing while a mirror is being brought up to date: what can be fetched decides.
	{ apt-get update || true; apt-get install -y --download-only python3 python3-numpy; } >"$cache/log" 2>&1 ||
		absent "Debian's Python for $arch cannot be fetched: $(tail -n 1 "$cache/log")"
	for package in "$cache"/archives/*.deb; do dpkg-deb -x "$package" "$cache/root"; done
	rm -rf "$cache"/{lists,archives}
	touch "$cache/complete"
fi

root=$cache/root libraries=$cache/root/usr/lib/$triplet
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
python3 -m zipfile -e "$wheel" "$site"
cd "$site"
$qemu -L "$root" -E "LD_LIBRARY_PATH=$libraries:$root/lib/$triplet:$libraries/blas:$libraries/lapack" \
	-E "PYTHONHOME=$root/usr" -E "PYTHONPATH=$site:$root/usr/lib/python3/dist-packages" -E PYTHONDONTWRITEBYTECODE=1 \
	"$root/usr/bin/python3" "$tests/same.py" check "$folder"
chmod +x resnext/bin/*
$qemu resnext/bin/calib --version >/dev/null
$qemu resnext/bin/resnext classify "$folder/model" "$folder/sample" >/dev/null
