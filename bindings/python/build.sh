#!/usr/bin/env bash
# build.sh: wheels of the Python package resnext, in dist/, or the folder $RESNEXT_DIST.
#
#     bindings/python/build.sh [amd64|arm64|armhf]...     those for which there is a compiler without an argument
#
# It needs Python, binutils and, for another architecture than this machine's, Debian's cross compiler. The same source gives
# the same bytes: times are those of the last commit, or SOURCE_DATE_EPOCH.
set -euo pipefail
cd "$(dirname "$0")/../.."
umask 022
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' resnext/model.go)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
dist=${RESNEXT_DIST:-dist}
for tool in python3 objdump readelf; do
	command -v "$tool" >/dev/null || { echo "wheel: MISSING: $tool: apt-get install python3 binutils" >&2; exit 1; }
done
mkdir -p "$dist"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

all=
[ $# -gt 0 ] || { all=yes; set -- amd64 arm64 armhf; }
for arch in "$@"; do
	case $arch in
	amd64) machine=x86_64 c=amd64 go_arch=(GOARCH=amd64) compiler=x86_64-linux-gnu-gcc ;;
	arm64) machine=aarch64 c=arm64 go_arch=(GOARCH=arm64) compiler=aarch64-linux-gnu-gcc ;;
	armhf) machine=armv7l c=arm go_arch=(GOARCH=arm GOARM=7) compiler=arm-linux-gnueabihf-gcc ;;
	*) echo "wheel: wheels are for amd64, arm64 and armhf, not $arch" >&2; exit 1 ;;
	esac
	if [ -n "$all" ] && [ "$(uname -m)" != $machine ] && ! command -v $compiler >/dev/null; then
		echo "wheel: NOT BUILT for $machine: $compiler is missing: apt-get install gcc-${compiler%-gcc}" >&2
		continue
	fi
	root=$work/$arch
	mkdir -p "$root"/{resnext/lib,resnext/bin,licenses}
	cp bindings/python/resnext/{*.py,py.typed} "$root/resnext/"
	bindings/c/build.sh "$work/c-$arch" $c >/dev/null
	cp "$work/c-$arch/libresnext.so.$version" "$root/resnext/lib/libresnext.so.0"
	env "${go_arch[@]}" CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$root/resnext/bin/" ./cmd/calib ./cmd/resnext
	cp LICENSE "$root/licenses/"
	env "${go_arch[@]}" CGO_ENABLED=1 bindings/python/notices.py ./cmd/calib ./cmd/resnext ./bindings/c >"$root/licenses/THIRD_PARTY_NOTICES"
	bindings/python/wheel.py "$root" "$version" $machine "$dist"
done
