#!/usr/bin/env bash
# install.sh: copies what build.sh made to where compilers look for it.
#
#     PREFIX=/usr/local LIBDIR=/usr/local/lib DESTDIR= bindings/c/install.sh FOLDER
#
# resnext.pc names its own folder only, so that the tree may be moved. CMake's files go along where there are any.
set -euo pipefail
from=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
prefix=${PREFIX:-/usr/local}
libdir=${LIBDIR:-$prefix/lib}
dest=${DESTDIR:-}

install -d "$dest$libdir/pkgconfig" "$dest$prefix/include"
install -m 644 "$from"/resnext.h* "$dest$prefix/include/"
install -m 644 "$from/libresnext.a" "$dest$libdir/"
install -m 755 "$from"/libresnext.so.*.*.* "$dest$libdir/"
cp -P "$from/libresnext.so" "$from"/libresnext.so.? "$dest$libdir/"
version=$(sed -n 's/^Version: //p' "$from/resnext.pc")
up=$(realpath -ms --relative-to "$libdir/pkgconfig" "$prefix")
sed -e "s|@PREFIX@|\${pcfiledir}/$up|" -e 's|@LIBDIR@|${pcfiledir}/..|' -e 's|@INCLUDEDIR@|${prefix}/include|' \
	-e "s|@VERSION@|$version|" "$here/resnext.pc.in" >"$dest$libdir/pkgconfig/resnext.pc"
if [ -d "$here/cmake" ]; then
	install -d "$dest$libdir/cmake/resnext"
	for file in "$here"/cmake/*.cmake "$here"/cmake/*.cmake.in; do
		[ -e "$file" ] || continue
		sed "s|@VERSION@|$version|g" "$file" >"$dest$libdir/cmake/resnext/$(basename "$file" .in)"
	done
fi
if [ -z "$dest" ] && [ "$(id -u)" = 0 ] && command -v ldconfig >/dev/null; then ldconfig; fi
echo "installed libresnext $version in $dest$prefix"
