#!/usr/bin/env bash
# lint.sh: formatting and static checks of Go and assembly; prints what is wrong and fails.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0
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
every() { # every COMMAND...: a command of go's in each module
	local module status=0
	for module in $(scripts/modules.sh); do go -C "$module" "$@" || status=1; done
	return $status
}
formatted() { git ls-files -z '*.go' | xargs -0 gofmt -l; }
assembly() { git ls-files -z '*.s' | xargs -0 go tool -modfile=tools/go.mod asmfmt -d; }
# vet_shipped: the packages that the programs and the library of an architecture are made of, with their tests. Those
# of web would need the whole of chromedp, and web has nothing that depends on the architecture; that it compiles is
# enough.
vet_shipped() {
	local packages status=0
	packages=$(go list -deps -f '{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}' \
		./cmd/... ./bindings/...) && xargs go vet <<<"$packages" || status=1
	packages=$(go -C examples/raspi list ./... | grep -v '/raspi/internal/web$') &&
		xargs go -C examples/raspi vet <<<"$packages" || status=1
	return $status
}

check "gofmt: run gofmt -w on these" silent formatted
check "asmfmt: run asmfmt -w on these" silent assembly
check "go mod tidy" every mod tidy -diff
CGO_ENABLED=0 check "go vet" every vet ./...
for arch in arm64 arm; do
	GOARCH=$arch CGO_ENABLED=0 check "go vet for $arch" vet_shipped
done
check "staticcheck" every tool -modfile="$PWD/tools/go.mod" staticcheck ./...
[ $failed = 0 ] && echo "lint: clean"
exit $failed
