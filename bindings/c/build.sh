#!/usr/bin/env bash
# build.sh: builds libresnext.so, libresnext.a, resnext.pc and copies of the headers.
#
#     bindings/c/build.sh FOLDER [amd64|arm64|arm]
#
# For another architecture than this machine's it takes Debian's cross compiler.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1
arch=${2:-$(go env GOARCH)}
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' resnext/model.go)
abi=0 # the soname's number, and that of the symbols' version

packages="gcc libc6-dev"
sigtable=618 # the size of Go's table of signals, in hexadecimal
case $arch in
amd64) machine=x86_64 triplet=x86_64-linux-gnu debian=amd64 ;;
arm64) machine=aarch64 triplet=aarch64-linux-gnu debian=arm64 ;;
arm) machine=armv7l triplet=arm-linux-gnueabihf debian=armhf sigtable=30c ;;
*) echo "build.sh: libresnext for C is for amd64, arm64 and arm (ARMv7, hard float), not $arch" >&2; exit 1 ;;
esac
prefix=
if [ "$(uname -m)" != "$machine" ]; then
	prefix=$triplet-
	packages="gcc-${triplet/_/-} libc6-dev-$debian-cross"
fi
CC=${CC:-${prefix}gcc}
for tool in "$CC" "${prefix}ld" "${prefix}objcopy" "${prefix}strip" "${prefix}ar" "${prefix}nm"; do
	command -v "$tool" >/dev/null || { echo "build.sh: MISSING: $tool, for $arch: apt-get install $packages" >&2; exit 1; }
done

mkdir -p "$out"
out=$(realpath "$out")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Go's own archive has the runtime, the code and the C files in many objects, and starts the runtime when it is loaded.
CGO_ENABLED=1 GOARCH=$arch GOARM=7 CC=$CC go build -buildmode=c-archive -trimpath -ldflags "-s -w" -o "$work/go.a" ./bindings/c
(cd "$work" && "${prefix}ar" x go.a)

# The first call starts the runtime instead, and changes its table of signals: see start.c, which knows how that is laid out.
[ "$("${prefix}nm" -S "$work/go.o" | awk '$4 == "runtime.sigtable" {sub("^0*", "", $2); print $2}')" = "$sigtable" ] ||
	{ echo "build.sh: this Go has another table of signals than start.c: $(go version)" >&2; exit 1; }
"${prefix}objcopy" --remove-section .init_array --remove-section .rela.init_array --remove-section .rel.init_array \
	--globalize-symbol "_rt0_${arch}_linux_lib" --globalize-symbol runtime.sigtable "$work/go.o"

# What Go asks of sigaction goes by start.c as well; on 32-bit ARM Go does not ask, and start.c sees to it by the table.
if [ "$arch" != arm ]; then
	cgo=$(grep -l x_cgo_sigaction "$work"/0*.o) && [ "$(wc -l <<<"$cgo")" = 1 ] ||
		{ echo "build.sh: this Go calls sigaction in another way: $(go version)" >&2; exit 1; }
	"${prefix}objcopy" --redefine-sym sigaction=resnextgo_sigaction "$cgo"
fi

# One object whose only names are the interface's, so that nothing clashes with the program's own, another Go library's
# among them.
"${prefix}ld" -r -d -o "$work/all.o" "$work"/*.o
"${prefix}objcopy" --wildcard --keep-global-symbol 'resnext_*' "$work/all.o" "$work/resnext.o"
"${prefix}strip" --strip-unneeded "$work/resnext.o"

static=$out/libresnext.a
rm -f "$work/new.a"
"${prefix}ar" rcsD "$work/new.a" "$work/resnext.o"
mv "$work/new.a" "$static"

# Of a function that the C library has under several versions, and at one address, the oldest is asked for: what is built on
# a new system then runs on old ones too. There some of them are in a library for threads, which newer systems keep empty.
libc=$("$CC" -print-file-name=libc.so.6) threads=$("$CC" -print-file-name=libpthread.so.0)
"${prefix}nm" -D --defined-only "$libc" | awk '{sub("@@", "@", $3); split($3, name, "@"); print name[1], $1, name[2]}' | sort -k1,2 -k3,3V |
	awk '$1 " " $2 == last {if (!done[$1]++) print $1, $1 "@" oldest; next} {last = $1 " " $2; oldest = $3}' >"$work/oldest"
"${prefix}objcopy" --redefine-syms "$work/oldest" "$work/resnext.o" "$work/shared.o"

shared=libresnext.so.$version
printf 'RESNEXT_%s {\n\tglobal: resnext_*;\n\tlocal: *;\n};\n' "$abi" >"$work/exports"
"$CC" -shared -o "$work/$shared" "$work/shared.o" -Wl,-soname,"libresnext.so.$abi" -Wl,--version-script,"$work/exports" \
	-Wl,-z,nodelete,-z,relro,-z,now,-z,noexecstack,-z,text,-z,defs -Wl,--build-id -Wl,--no-as-needed "$threads" -Wl,--as-needed
"${prefix}strip" --strip-all "$work/$shared"
mv "$work/$shared" "$out/$shared"
ln -sf "$shared" "$out/libresnext.so.$abi"
ln -sf "libresnext.so.$abi" "$out/libresnext.so"

# As it stands here, for programs that are built against this folder; install.sh makes the other.
sed -e 's|@PREFIX@|${pcfiledir}|' -e 's|@LIBDIR@|${pcfiledir}|' -e 's|@INCLUDEDIR@|${pcfiledir}|' -e "s|@VERSION@|$version|" \
	bindings/c/resnext.pc.in >"$out/resnext.pc"
cp bindings/c/resnext.h* "$out/"
printf '%s: %d bytes\n' "$out/$shared" "$(stat -c %s "$out/$shared")" "$static" "$(stat -c %s "$static")"
