#!/usr/bin/env bash
# lint.sh: formatting and static checks of Go and assembly; prints what is wrong and fails.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
tool() { go tool -modfile=tools/go.mod "$@"; }
check() { # check NAME COMMAND...: fails if the command does, and shows its output
	local name=$1 out
	shift
	if ! out=$("$@" 2>&1); then
		printf 'lint: %s\n%s\n' "$name" "$out" >&2
		failed=1
	fi
}
silent() { # silent COMMAND...: succeeds if the command prints nothing
	local out
	out=$("$@" 2>&1)
	printf '%s' "$out"
	[ -z "$out" ]
}
formatted() { git ls-files -z '*.go' | xargs -0 gofmt -l; }
assembly() { git ls-files -z '*.s' | xargs -0 go tool -modfile=tools/go.mod asmfmt -d; }

check "gofmt: run gofmt -w on these" silent formatted
check "asmfmt: run asmfmt -w on these" silent assembly
check "go mod tidy" go mod tidy -diff
for arch in amd64 arm64 arm; do
	check "go vet for $arch" env GOARCH=$arch CGO_ENABLED=0 go vet ./...
done
check "staticcheck" tool staticcheck ./...
[ $failed = 0 ] && echo "lint: clean"
exit $failed
