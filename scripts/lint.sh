#!/usr/bin/env bash
# lint.sh: formatting and static checks of Go and assembly; prints what is wrong and fails.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
tool() { go tool -modfile=tools/go.mod "$@"; }
check() { # check NAME COMMAND...: fails if the command does, and shows all that it printed
	local name=$1 out
	shift
	if ! out=$("$@" 2>&1); then
		printf 'lint: %s\n%s\n' "$name" "$out" >&2
		failed=1
	fi
}
# silent COMMAND...: succeeds if the command does and prints nothing on standard output. What it says on standard error
# (go: downloading ...) is no finding.
silent() {
	local out
	out=$("$@") || { printf '%s' "$out"; return 1; }
	printf '%s' "$out"
	[ -z "$out" ]
}
formatted() { git ls-files -z '*.go' | xargs -0 gofmt -l; }
assembly() { git ls-files -z '*.s' | xargs -0 go tool -modfile=tools/go.mod asmfmt -d; }
# vet_shipped: the packages that the programs and the library of an architecture are made of, with their tests. Those
# of web would need the whole of chromedp, and web has nothing that depends on the architecture; that it compiles is
# enough.
vet_shipped() {
	local packages
	packages=$(go list -deps -f '{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}' \
		./cmd/... ./bindings/... ./examples/raspi/...) || return 1
	grep -v '/raspi/internal/web$' <<<"$packages" | xargs go vet
}

check "gofmt: run gofmt -w on these" silent formatted
check "asmfmt: run asmfmt -w on these" silent assembly
check "go mod tidy" go mod tidy -diff
check "go vet" env CGO_ENABLED=0 go vet ./...
for arch in arm64 arm; do
	GOARCH=$arch CGO_ENABLED=0 check "go vet for $arch" vet_shipped
done
check "staticcheck" tool staticcheck ./...
[ $failed = 0 ] && echo "lint: clean"
exit $failed
