#!/usr/bin/env bash
# build.sh: Debian packages in dist/, or the folder $RESNEXT_DIST: libresnext0, libresnext-dev and resnext-tools.
#
#     packaging/deb/build.sh [amd64|arm64]...     both without an argument
#
# It needs dpkg-deb, and for another architecture than this machine's Debian's cross compiler. The same source gives the
# same bytes: times are those of the last commit, or SOURCE_DATE_EPOCH.
set -euo pipefail
cd "$(dirname "$0")/../.."
umask 022
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' resnext/model.go)
revision=$version-1
maintainer="libresnext <maintainers@libresnext.invalid>"
homepage=https://github.com/libresnext/libresnext
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
command -v dpkg-deb >/dev/null || { echo "deb: dpkg-deb is missing: install Debian's package dpkg" >&2; exit 1; }
dist=${RESNEXT_DIST:-dist}
mkdir -p "$dist"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# c_library FILE: the least version of the C library that FILE works with, as Debian writes dependencies.
c_library() {
	local newest
	newest=$(objdump -T "$1" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -n 1)
	echo "libc6 (>= ${newest#GLIBC_})"
}

# documents PACKAGE: what every package has.
documents() {
	local doc=$root/usr/share/doc/$1
	mkdir -p "$doc"
	cat >"$doc/copyright" <<-END
		Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
		Upstream-Name: libresnext
		Source: $homepage

		Files: *
		Copyright: 2026 the libresnext authors
		License: Apache-2.0
		 On Debian systems the text of the licence is in /usr/share/common-licenses/Apache-2.0.
	END
	printf 'libresnext (%s) unstable; urgency=medium\n\n  * Version %s: see %s.\n\n -- %s  %s\n' \
		"$revision" "$version" "$homepage" "$maintainer" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")" |
		gzip -9n >"$doc/changelog.Debian.gz"
}

# pack PACKAGE SECTION MULTIARCH DEPENDS SUMMARY <DESCRIPTION: makes the package from $root.
pack() {
	documents "$1"
	mkdir -p "$root/DEBIAN"
	cat >"$root/DEBIAN/control" <<-END
		Package: $1
		Source: libresnext
		Version: $revision
		Architecture: $arch
		Multi-Arch: $3
		Maintainer: $maintainer
		Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
		${4:+Depends: $4
		}Section: $2
		Priority: optional
		Homepage: $homepage
		Description: $5
		$(sed 's/^/ /')
	END
	(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
	find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	dpkg-deb --root-owner-group -Zxz --build "$root" "$dist/$1_${revision}_$arch.deb" >/dev/null
	echo "$dist/$1_${revision}_$arch.deb: $(stat -c %s "$dist/$1_${revision}_$arch.deb") bytes"
}

package() { # package NAME: begins with an empty one
	root=$work/$arch/$1
	mkdir -p "$root"
}

[ $# -gt 0 ] || set -- amd64 arm64
for arch in "$@"; do
	case $arch in
	amd64) triplet=x86_64-linux-gnu ;;
	arm64) triplet=aarch64-linux-gnu ;;
	*) echo "deb: packages are for amd64 and arm64, not $arch" >&2; exit 1 ;;
	esac
	built=$work/built-$arch stage=$work/stage-$arch
	libraries=usr/lib/$triplet
	bindings/c/build.sh "$built" "$arch" >/dev/null
	PREFIX=/usr LIBDIR=/$libraries DESTDIR=$stage bindings/c/install.sh "$built" >/dev/null

	package libresnext0
	mkdir -p "$root/$libraries" "$root/DEBIAN"
	mv "$stage/$libraries"/libresnext.so.* "$root/$libraries/"
	echo "libresnext 0 libresnext0 (>= $version)" >"$root/DEBIAN/shlibs"
	echo "activate-noawait ldconfig" >"$root/DEBIAN/triggers"
	pack libresnext0 libs same "$(c_library "$built/libresnext.so")" "int8 inference of ResNeXt image classifiers: shared library" <<-END
		Runs ResNeXt and ResNet networks in 8-bit integers with hand-written assembly for
		64-bit ARM and x86, and gives the same answer, to the bit, on every CPU.
	END

	package libresnext-dev
	mv "$stage/usr" "$root/usr"
	mkdir -p "$root/usr/share/doc/libresnext-dev/examples/resnext"
	cp bindings/c/examples/{CMakeLists.txt,*.{c,h,cpp,ppm}} "$root/usr/share/doc/libresnext-dev/examples/"
	cp bindings/python/resnext/{*.py,py.typed} "$root/usr/share/doc/libresnext-dev/examples/resnext/"
	pack libresnext-dev libdevel same "libresnext0 (= $revision)" "int8 inference of ResNeXt image classifiers: development files" <<-END
		The C header with its C++ wrapper, the static library, files for pkg-config and
		CMake, examples in C and C++, and the Python package.
	END
	# The picture that the README classifies.
	dpkg-deb --contents "$dist/libresnext-dev_${revision}_$arch.deb" | grep '/examples/sneaker\.ppm$' >/dev/null ||
		{ echo "deb: sneaker.ppm is not in libresnext-dev" >&2; exit 1; }

	package resnext-tools
	mkdir -p "$root/usr/bin" "$root/usr/share/bash-completion/completions"
	for tool in calib resnext; do
		completion=completion
		[ $tool = resnext ] || completion=--completion
		GOARCH=$arch CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$root/usr/bin/$tool" "./cmd/$tool"
		CGO_ENABLED=0 go run "./cmd/$tool" "$completion" bash >"$root/usr/share/bash-completion/completions/$tool"
	done
	pack resnext-tools science foreign "" "tools that quantise and run ResNeXt image classifiers" <<-END
		calib turns float32 ResNeXt and ResNet weights (PyTorch, safetensors, ONNX) into one
		int8 model file; resnext classifies pictures with it, and measures and checks it.
	END
done
