#!/usr/bin/env bash
# run.sh: tests the C library as C programs see it.
#
#     bindings/c/test/run.sh         this machine's
#     bindings/c/test/run.sh arm64   arm64's, under qemu, with fewer rounds; arm is 32-bit ARM's
set -uo pipefail
cd "$(dirname "$0")/../../.."
tests=bindings/c/test
arch=${1:-}
work=$PWD/build/test/c${arch:+-$arch}
lib=$work/lib
run=()
CC=gcc CXX=g++
if [ -n "$arch" ]; then
	CXX=
	case $arch in
	arm64) CC=aarch64-linux-gnu-gcc run=(qemu-aarch64-static -L /usr/aarch64-linux-gnu) ;;
	arm) CC=arm-linux-gnueabihf-gcc run=(qemu-arm-static -L /usr/arm-linux-gnueabihf) ;;
	*) echo "run.sh: tests are for this machine, arm64 and arm, not $arch" >&2; exit 1 ;;
	esac
	run+=(-E "LD_LIBRARY_PATH=$lib")
	export RESNEXT_TEST_ROUNDS=3 # per cent
	[ "$arch" = arm64 ] || RESNEXT_TEST_ROUNDS=1
	export RESNEXT_TEST_RUN="${run[*]}"
else
	export LD_LIBRARY_PATH=$lib
fi
rm -rf "$work"
mkdir -p "$work"
failed=0
fail() {
	echo "FAILED: $*" >&2
	failed=1
}

bindings/c/build.sh "$lib" $arch >/dev/null || exit 1
CGO_ENABLED=0 go run ./$tests/golden "$work/data" || exit 1

# The header is complete and clean, and its functions are the library's, no more and no less.
warnings="-Wall -Wextra -pedantic -Wconversion -Wshadow -Werror"
$CC -std=c99 $warnings -I "$lib" -o "$work/header" $tests/header.c -L "$lib" -lresnext || fail "the header as C99"
if [ -n "$CXX" ]; then
	$CXX -std=c++11 -x c++ $warnings -I "$lib" -fsyntax-only $tests/header.c || fail "the header as C++11"
fi
declared() { sed -n 's/^RESNEXT_API .*[ *]\(resnext_[a-z_]*\)(.*/\1/p' bindings/c/resnext.h | sort; }
exported() { nm -D --defined-only "$lib/libresnext.so" | awk '$2 != "A" {sub("@.*", "", $3); print $3}' | sort; }
in_archive() { nm -g --defined-only "$lib/libresnext.a" | awk 'NF == 3 {print $3}' | sort; }
diff <(declared) <(exported) >&2 || fail "the header's functions and the shared library's differ"
diff <(declared) <(in_archive) >&2 || fail "the header's functions and the static library's differ"
[ "$(declared | wc -l)" -ge 27 ] || fail "only $(declared | wc -l) functions found in the header"

build() { # build OUTPUT SOURCE FLAG...
	local output=$1 source=$2
	shift 2
	$CC -std=gnu11 -g -O1 -Wall -Wextra -Werror -I "$lib" -o "$work/$output" "$tests/$source.c" "$@" -lpthread -ldl -lm ||
		fail "$output does not build"
}
check() { # check PROGRAM ARGUMENT...
	local start=$SECONDS
	(cd "$work/data" && timeout 300 "${run[@]}" "$work/$1" "${@:2}") || fail "$* (exit $?)"
	echo "c: $* ($((SECONDS - start)) s)"
}

check header
for program in same misuse sizes versions heads batch threads collector signals masks handlers limits fork fork_meanwhile damage log growth; do
	build $program $program -L "$lib" -lresnext
	check $program
done

# What a user has set for other Go programs: the first would end the process, the last would let Go interrupt the program.
GODEBUG=cgocheck=2,asyncpreemptoff=0 GOGC=1 GOMEMLIMIT=1 GOMAXPROCS=1 check same
GODEBUG=asyncpreemptoff=0 check masks

if [ -n "$CXX" ]; then
	$CXX -std=c++11 -g -O1 $warnings -I "$lib" -o "$work/wrapper" $tests/wrapper.cpp -L "$lib" -lresnext || fail "the C++ wrapper"
	check wrapper
fi

# Loaded by dlopen.
for program in floats load; do
	build $program $program
	check $program
done

# In a program of its own, without the shared library.
build same-static same "$lib/libresnext.a"
check same-static

# Beside another Go library.
GOARCH=${arch:-$(go env GOARCH)} CGO_ENABLED=1 CC=$CC go build -buildmode=c-shared -trimpath -o "$work/data/other.so" ./$tests/other ||
	fail "the other Go library does not build"
build other_go other_go
check other_go
check other_go after

# The program in the README.
sed -n '/^```c$/,/^```$/{/^```/d;p}' bindings/c/README.md >"$work/readme.c"
$CC -Wall -Wextra -Werror -I "$lib" -o "$work/readme" "$work/readme.c" -L "$lib" -lresnext || fail "the README's program does not build"
check readme tiny.safetensors >"$work/readme.out"
[ "$(grep -c '^ *[0-9.]*% ' "$work/readme.out")" = 3 ] || fail "the README's program does not print three classes"

# With watchers over the program's memory. Go's own memory they do not see.
if [ -z "$arch" ]; then
	export ASAN_OPTIONS=handle_segv=0:use_sigaltstack=0 UBSAN_OPTIONS=halt_on_error=1
	for program in same misuse sizes versions heads batch threads damage; do
		build $program-asan $program -fsanitize=address,undefined -L "$lib" -lresnext
		RESNEXT_TEST_ROUNDS=20 check $program-asan
	done
	command -v valgrind >/dev/null || fail "MISSING: valgrind: apt-get install valgrind"
	build memcheck memcheck -L "$lib" -lresnext
	run=(valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=9 --suppressions="$PWD/bindings/c/resnext.supp")
	RESNEXT_KERNELS=generic check memcheck
fi
exit $failed
