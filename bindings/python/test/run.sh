#!/usr/bin/env bash
# run.sh: builds this machine's wheel twice, which must give the same bytes, installs it into Python environments of its own,
# with Pillow and without, and tests it there, from outside of the repository.
#
#     bindings/python/test/run.sh [ARCH...]     builds wheels of these architectures too, and looks at them; those for
#                                               ARM must give the same answers in Debian's Python for it, under qemu
#
# The environments stay in build/python. RESNEXT_PYTHONS names other interpreters than those that are found.
set -euo pipefail
cd "$(dirname "$0")/../../.."
tests=$PWD/bindings/python/test work=$PWD/build/test/python environments=$PWD/build/python
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' resnext/model.go)
arch=$(go env GOARCH)
[ "$arch" != arm ] || arch=armhf
fail() { echo "python: $*" >&2; exit 1; }
rm -rf "$work"
mkdir -p "$work"/{wheels,again,data/empty} "$environments"

# The system's Python, and another version where there is one.
read -ra pythons <<<"${RESNEXT_PYTHONS:-}"
number() { "$1" -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 9); print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }
if [ ${#pythons[@]} = 0 ]; then
	for python in /usr/bin/python3 python3 python3.{14,13,12,11,10,9} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
		found=$(number "$python") || continue
		[ "$found" != "${first:-}" ] || continue
		pythons+=("$python")
		[ -z "${first:-}" ] || break
		first=$found
	done
fi
[ ${#pythons[@]} -gt 0 ] || fail "MISSING: Python 3.9 or later with venv: apt-get install python3-venv"
[ ${#pythons[@]} -gt 1 ] || pythons+=("${pythons[0]}")

# Models of each head, and pictures.
fashion=testdata/fashion
calibrate() { # calibrate NAME ARGUMENT...
	go run -trimpath ./cmd/calib --weights $fashion/resnext20_8x4d.pth --images $fashion/calib.zip --limit 16 --eval-limit 1 --effort fast \
		--mean 0.2860 --std 0.3530 --out "$work/data/$1" "${@:2}" >"$work/calib.log" 2>&1 || { cat "$work/calib.log" >&2; exit 1; }
}
calibrate model
calibrate multilabel --head multilabel
calibrate embedding --head embedding
cp -r $fashion/sample "$work/data/sample"

RESNEXT_DIST=$work/wheels bindings/python/build.sh "$arch" >/dev/null
RESNEXT_DIST=$work/again bindings/python/build.sh "$arch" >/dev/null
wheels=("$work"/wheels/*.whl)
cmp "${wheels[0]}" "$work"/again/*.whl || fail "the same source gives another wheel"
for other in "$@"; do RESNEXT_DIST=$work/wheels bindings/python/build.sh "$other" >/dev/null; done

export RESNEXT_TEST_DATA=$work/data PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1
unset PYTHONPATH RESNEXT_LIBRARY
pillow=(pillow)
for python in "${pythons[@]}"; do
	environment=$environments/$(number "$python")${pillow[*]:+-pillow}
	# One that was made by an interpreter that has gone is made again.
	if ! "$environment/bin/python" -c "import numpy${pillow[*]:+, PIL.Image}" 2>/dev/null; then
		rm -rf "$environment"
		{ "$python" -m venv "$environment" && "$environment/bin/pip" install numpy "${pillow[@]}"; } >"$work/pip.log" 2>&1 ||
			{ tail -n 5 "$work/pip.log" >&2; fail "numpy cannot be installed for $python"; }
	fi
	"$environment/bin/pip" uninstall -q -y resnext >"$work/pip.log" 2>&1 || true
	[ ${#pillow[@]} = 0 ] || "$environment/bin/python" "$tests/wheels.py" "$version" "$work"/wheels/*.whl
	"$environment/bin/pip" install -q --no-index "${wheels[0]}"
	! "$environment/bin/pip" check >"$work/pip.log" 2>&1 && { cat "$work/pip.log" >&2; fail "pip check"; }
	(
		cd "$work/data/empty"
		installed=$("$environment/bin/python" -c 'import importlib.metadata, resnext; print(importlib.metadata.version("resnext"), resnext.__version__)')
		[ "$installed" = "$version $version" ] || fail "installed is $installed, expected $version"
		[ ${#pillow[@]} = 0 ] || "$environment/bin/python" "$tests/same.py" write "$work/data"
		for test in model pictures loading; do
			"$environment/bin/python" "$tests/test_$test.py" -q >"$work/$test.log" 2>&1 || { cat "$work/$test.log" >&2; fail "test_$test.py, $python"; }
		done
	) || exit 1
	echo "python: $("$environment/bin/python" --version), numpy $("$environment/bin/python" -c 'import numpy; print(numpy.__version__)')${pillow[*]:+ and Pillow}: installed and tested"
	pillow=()
done
for other in "$@"; do
	machine=armv7l
	[ "$other" = armhf ] || machine=aarch64
	"$tests/emulated.sh" "$other" "$work"/wheels/*_$machine.whl "$work/data"
done
