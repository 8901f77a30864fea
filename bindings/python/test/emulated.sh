#!/usr/bin/env bash
# emulated.sh: a wheel for arm64 in Debian's Python for arm64, under qemu: must give the bytes that same.py wrote here.
#
#     bindings/python/test/emulated.sh WHEEL FOLDER
#
# That Python and numpy are fetched once, as Debian's packages, without installing them, into build/python.
set -euo pipefail
wheel=$(realpath "$1") folder=$(realpath "$2") tests=$(dirname "$(realpath "$0")")
cd "$tests/../../.."
cache=$PWD/build/python/debian-arm64
absent() { # what could not be run fails in CI
	echo "python: NOT RUN: the wheel for arm64 under qemu: $*" >&2
	[ "${CI:-}" != true ]
	exit
}
for tool in qemu-aarch64-static apt-get dpkg-deb; do
	command -v $tool >/dev/null || absent "$tool is missing"
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
		APT::Architecture "arm64";
		APT::Architectures { "arm64"; };
		APT::Install-Recommends "false";
		Acquire::Retries "3";
		Debug::NoLocking "true";
		APT::Sandbox::User "";
	END
	export APT_CONFIG=$cache/conf
	{ apt-get update && apt-get install -y --download-only python3 python3-numpy; } >"$cache/log" 2>&1 ||
		absent "Debian's Python for arm64 cannot be fetched: $(tail -n 1 "$cache/log")"
	for package in "$cache"/archives/*.deb; do dpkg-deb -x "$package" "$cache/root"; done
	rm -rf "$cache"/{lists,archives}
	touch "$cache/complete"
fi

root=$cache/root libraries=$cache/root/usr/lib/aarch64-linux-gnu
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
python3 -m zipfile -e "$wheel" "$site"
cd "$site"
qemu-aarch64-static -L "$root" -E "LD_LIBRARY_PATH=$libraries:$root/lib/aarch64-linux-gnu:$libraries/blas:$libraries/lapack" \
	-E "PYTHONHOME=$root/usr" -E "PYTHONPATH=$site:$root/usr/lib/python3/dist-packages" -E PYTHONDONTWRITEBYTECODE=1 \
	"$root/usr/bin/python3" "$tests/same.py" check "$folder"
chmod +x resnext/bin/*
qemu-aarch64-static resnext/bin/calib --version >/dev/null
qemu-aarch64-static resnext/bin/resnext classify "$folder/model" "$folder/sample" >/dev/null
