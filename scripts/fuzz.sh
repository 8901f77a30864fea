#!/usr/bin/env bash
# fuzz.sh: runs each fuzz target of every module for FUZZTIME (60s), or those that are named: fuzz.sh FuzzDecode ...
# What a run finds interesting is kept in Go's cache for the next one. An input that fails is written below testdata/fuzz
# of its package, where go test runs it from then on, and is named here.
# fuzz.sh --brief runs each for so many executions (FUZZRUNS, 300) and keeps nothing.
set -uo pipefail
cd "$(dirname "$0")/.."

brief=
[ "${1:-}" = --brief ] && brief=1 && shift
FUZZTIME=${FUZZTIME:-60s}
FUZZRUNS=${FUZZRUNS:-300}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cache=$(go env GOCACHE)/fuzz
failed=()

# fuzz PACKAGE FOLDER TARGET: one target of the package's binary. Minimising is left out: it takes minutes for each input that
# is new, and says nothing more.
fuzz() {
	local package=$1 folder=$2 target=$3 log=$work/log kept=$cache/$1 time=$FUZZTIME
	[ -n "$brief" ] && kept=$work/$target time=${FUZZRUNS}x
	(cd "$folder" && "$work/test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" \
		-test.fuzzminimizetime 1x -test.parallel 2 -test.fuzzcachedir "$kept") >"$log" 2>&1
	local status=$? runs
	runs=$(grep -o 'execs: [0-9]*' "$log" | tail -n 1)
	printf '%-52s %s\n' "${package#*/*/*/} $target" "${runs:-execs: none}"
	[ $status = 0 ] && return
	cat "$log"
	failed+=("$package $target")
}

for folder in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do
	package=$(go -C "$folder" list) && go -C "$folder" test -c -fuzz . -o "$work/test" || { failed+=("$folder"); continue; }
	for target in $("$work/test" -test.list '^Fuzz'); do
		[ $# = 0 ] || [[ " $* " = *" $target "* ]] && fuzz "$package" "$folder" "$target"
	done
done

if [ ${#failed[@]} -gt 0 ]; then
	printf 'FAILED: %s\n' "${failed[@]}" >&2
	exit 1
fi
