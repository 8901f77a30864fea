#!/usr/bin/env bash
# build.sh: what a Raspberry Pi's owner unpacks and runs, in dist/.
#
#     examples/raspi/package/build.sh [arm64|armhf]...     both without an argument
#
# arm64 is for 64-bit systems and has libresnext for C, where Debian's cross compiler is at hand; armhf is for 32-bit
# systems (ARMv7) and has only the programs. The same source gives the same bytes.
set -euo pipefail
cd "$(dirname "$0")/../../.."
umask 022
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' resnext/model.go)
stamp=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export CGO_ENABLED=0
mkdir -p dist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- arm64 armhf

# The model: the bundled network, calibrated with calib's defaults.
go run ./cmd/calib --weights testdata/fashion/resnext20_8x4d.pth --images testdata/fashion/calib.zip \
	--mean 0.2860 --std 0.3530 --out "$work/model.int8.safetensors" >"$work/calib.log" 2>&1 || { cat "$work/calib.log" >&2; exit 1; }

for kind in "$@"; do
	case $kind in
	arm64) go_arch=(GOARCH=arm64) ;;
	armhf) go_arch=(GOARCH=arm GOARM=7) ;;
	*) echo "raspi: tarballs are for arm64 and armhf, not $kind" >&2; exit 1 ;;
	esac
	name=libresnext-raspi-$version-$kind
	root=$work/$name
	mkdir -p "$root"/{bin,share/resnext,systemd,examples}
	env "${go_arch[@]}" go build -trimpath -ldflags "-s -w" -o "$root/bin/" ./cmd/resnext ./cmd/calib
	env "${go_arch[@]}" go -C examples/raspi build -trimpath -ldflags "-s -w" -o "$root/bin/" ./raspi-live
	cp "$work/model.int8.safetensors" "$root/share/resnext/"
	cp -r testdata/fashion/sample "$root/share/resnext/pictures"
	cp testdata/fashion/LICENSE.fashion-mnist LICENSE "$root/share/resnext/"
	cp examples/raspi/package/raspi-live.service "$root/systemd/"
	cp examples/raspi/README.md "$root/"
	if [ "$kind" = arm64 ]; then
		if bindings/c/build.sh "$work/c" arm64 >/dev/null; then
			PREFIX=/ LIBDIR=/lib DESTDIR=$root bindings/c/install.sh "$work/c" >/dev/null
			mkdir "$root/examples/resnext"
			cp bindings/c/examples/*.{c,h,cpp,ppm} "$root/examples/"
			cp bindings/python/resnext/{*.py,py.typed} "$root/examples/resnext/"
		else
			echo "raspi: the tarball for arm64 is WITHOUT the C library" >&2
			[ "${CI:-}" != true ]
		fi
	fi
	rmdir --ignore-fail-on-non-empty "$root/examples"
	tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$stamp" -cf - "$name" | gzip -9n >"$work/$name.tar.gz"
	mv "$work/$name.tar.gz" dist/
	echo "dist/$name.tar.gz: $(stat -c %s "dist/$name.tar.gz") bytes"
done
