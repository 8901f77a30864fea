#!/usr/bin/env bash
# test.sh: installs the packages of dist/ into a folder, compiles and runs the examples against them, and removes them.
#
#     packaging/deb/test.sh MODEL PICTURE.ppm [amd64|arm64]
set -euo pipefail
model=$(realpath "$1") picture=$(realpath "$2") arch=${3:-amd64}
cd "$(dirname "$0")/../.."
case $arch in
amd64) triplet=x86_64-linux-gnu run=() ;;
arm64) triplet=aarch64-linux-gnu run=(qemu-aarch64-static -L /usr/aarch64-linux-gnu -E) ;;
esac
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers}
touch "$root/var/lib/dpkg/status"

# The C library is not in the folder; nothing here runs as part of the installation.
dpkg() { command dpkg --root="$root" --force-depends --force-architecture --force-not-root --log=/dev/null "$@" >"$root/log" 2>&1 || { cat "$root/log" >&2; exit 1; }; }
dpkg --install dist/*_"$arch".deb
# resnext.pc finds itself, so the folder needs no name here.
export PKG_CONFIG_LIBDIR=$root/usr/lib/$triplet/pkgconfig
examples=$root/usr/share/doc/libresnext-dev/examples
libraries=$root/usr/lib/$triplet

# shellcheck disable=SC2046 # flags are words
"$triplet-gcc" -std=c99 -Wall -Wextra -Werror -o "$root/c" "$examples/classify.c" $(pkg-config --cflags --libs resnext)
# shellcheck disable=SC2046
"$triplet-gcc" -std=c99 -o "$root/static" "$examples/classify.c" $(pkg-config --cflags resnext) "$libraries/libresnext.a" -lpthread
if [ "$arch" = arm64 ]; then
	run+=("LD_LIBRARY_PATH=$libraries")
else
	run=(env "LD_LIBRARY_PATH=$libraries")
	"$triplet-g++" -std=c++11 -Wall -Wextra -Werror -o "$root/cpp" "$examples/classify.cpp" $(pkg-config --cflags --libs resnext)
fi
want=$("${run[@]}" "$root/c" "$model" "$picture")
echo "$want" | head -n 1
[ -n "$want" ]
for program in static cpp; do
	[ ! -e "$root/$program" ] || [ "$("${run[@]}" "$root/$program" "$model" "$picture")" = "$want" ] ||
		{ echo "deb: $program answers otherwise" >&2; exit 1; }
done
"${run[@]}" "$root/usr/bin/resnext" inspect "$model" >/dev/null
"${run[@]}" "$root/usr/bin/calib" --version >/dev/null

dpkg --remove libresnext-dev resnext-tools libresnext0
left=$(find "$root/usr" ! -type d 2>/dev/null || true)
[ -z "$left" ] || { echo "deb: left behind: $left" >&2; exit 1; }
echo "deb: the packages for $arch install, compile, run and remove"
