#!/usr/bin/env bash
# test.sh: installs this version's packages of dist/, or of $RESNEXT_DIST, into a folder, compiles and runs the examples
# against them, by pkg-config and, for amd64, by CMake and from Python, and removes them.
#
#     packaging/deb/test.sh MODEL PICTURE.ppm [amd64|arm64]
set -euo pipefail
model=$(realpath "$1") picture=$(realpath "$2") arch=${3:-amd64}
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' resnext/model.go)
case $arch in
amd64) triplet=x86_64-linux-gnu run=() ;;
arm64) triplet=aarch64-linux-gnu run=(qemu-aarch64-static -L /usr/aarch64-linux-gnu -E) ;;
esac
# Classifies a PPM picture with the Python package, and prints what classify.c does.
python='
import sys, numpy, resnext
with open(sys.argv[2], "rb") as f:
    _, width, height, _ = b" ".join(f.readline() for _ in range(3)).split()
    picture = numpy.frombuffer(f.read(), numpy.uint8).reshape(int(height), int(width), 3)
model = resnext.Model(sys.argv[1])
features = model.embed(picture)
assert features.shape == (model.info.features,) and features.min() >= 0 and features.max() > 0, features
for label, probability in model.classify(picture):
    print(f"{100 * probability:6.2f}%  {label}")
'
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers}
touch "$root/var/lib/dpkg/status"

# The C library is not in the folder; nothing here runs as part of the installation.
dpkg() { command dpkg --root="$root" --force-depends --force-architecture --force-not-root --log=/dev/null "$@" >"$root/log" 2>&1 || { cat "$root/log" >&2; exit 1; }; }
dpkg --install "${RESNEXT_DIST:-dist}"/{libresnext0,libresnext-dev,resnext-tools}_"$version-1_$arch.deb"
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
same() { # same NAME COMMAND...: it prints what the C example does
	local got
	got=$("${@:2}") && [ "$got" = "$want" ] || { printf 'deb: %s answers otherwise:\n%s\n' "$1" "$got" >&2; exit 1; }
}
same "the static library" "${run[@]}" "$root/static" "$model" "$picture"
if [ "$arch" = amd64 ]; then
	same "the C++ example" "${run[@]}" "$root/cpp" "$model" "$picture"

	# CMake finds the package in the folder, and the programs find the library without further words.
	command -v cmake >/dev/null || { echo "deb: MISSING: cmake: apt-get install cmake" >&2; exit 1; }
	{ cmake -S "$examples" -B "$root/cmake" -DCMAKE_PREFIX_PATH="$root/usr" && cmake --build "$root/cmake"; } >"$root/log" 2>&1 ||
		{ cat "$root/log" >&2; exit 1; }
	for program in classify classify-static classify-cpp; do
		same "CMake's $program" "$root/cmake/$program" "$model" "$picture"
	done
	! ldd "$root/cmake/classify-static" | grep libresnext >&2 || { echo "deb: CMake's resnext::static is shared" >&2; exit 1; }

	/usr/bin/python3 -c 'import numpy' || { echo "deb: MISSING: numpy: apt-get install python3-numpy" >&2; exit 1; }
	same "the Python package" "${run[@]}" PYTHONPATH="$examples" PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 -c "$python" "$model" "$picture"
fi
"${run[@]}" "$root/usr/bin/resnext" inspect "$model" >/dev/null
"${run[@]}" "$root/usr/bin/calib" --version >/dev/null

dpkg --remove libresnext-dev resnext-tools libresnext0
left=$(find "$root/usr" ! -type d 2>/dev/null || true)
[ -z "$left" ] || { echo "deb: left behind: $left" >&2; exit 1; }
echo "deb: the packages for $arch install, compile, run and remove"
