#!/usr/bin/env bash
# run.sh: small programs in languages whose runtimes have signals, threads and faults of their own. Each opens the tiny
# network, uses it from several threads while its runtime is kept busy with those, and compares the logits to the bit.
#
#     bindings/c/test/hosts/run.sh [node|java|python|rust]...
#
# Node needs koffi, from npm, and Java JNA, from Maven Central; both are fetched into build/, by npm and mvn.
set -uo pipefail
cd "$(dirname "$0")/../../../.."
koffi=2.14.1 jna=5.14.0 copier=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy
hosts=$PWD/bindings/c/test/hosts
work=$PWD/build/test/hosts
lib=$work/lib
export LD_LIBRARY_PATH=$lib
failed=0
fail() {
	failed=1
	echo "FAILED: $*" >&2
}
need() { # need TOOL PACKAGE
	command -v "$1" >/dev/null && return
	fail "MISSING: $1: apt-get install $2"
	return 1
}
check() { # check NAME COMMAND...
	local start=$SECONDS log=$work/$1.log
	(cd "$work/data" && timeout 600 "${@:2}") >"$log" 2>&1 || {
		fail "$1 (exit $?), at the end of $log:"
		tail -n 40 "$log" >&2
	}
	echo "hosts: $1 ($((SECONDS - start)) s)"
}

node() {
	need node nodejs && need npm npm || return
	[ "$(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$work/node/node_modules/koffi/package.json" 2>/dev/null)" = $koffi ] ||
		npm install --prefix "$work/node" --no-save --ignore-scripts --no-audit --no-fund "koffi@$koffi" \
			>"$work/npm.log" 2>&1 ||
		{ fail "koffi $koffi: see $work/npm.log"; return; }
	NODE_PATH=$work/node/node_modules check node node "$hosts/host.js"
}

java() {
	need java default-jdk && need mvn maven || return
	[ -f "$work/java/jna-$jna.jar" ] ||
		mvn -q -B "$copier" "-Dartifact=net.java.dev.jna:jna:$jna" "-DoutputDirectory=$work/java" >"$work/mvn.log" 2>&1 ||
		{ fail "JNA $jna: see $work/mvn.log"; return; }
	for collector in Serial G1 Parallel; do
		check "java-$collector" java "-XX:+Use${collector}GC" -Xcheck:jni -Xmx256m \
			-cp "$work/java/jna-$jna.jar" "$hosts/Host.java"
	done
}

python() {
	need python3 python3 || return
	check python python3 "$hosts/host.py"
}

rust() {
	need rustc rustc || return
	rustc --edition 2021 -O -L "$lib" -o "$work/host-rust" "$hosts/host.rs" || { fail "rust: it does not build"; return; }
	check rust "$work/host-rust"
}

bindings/c/build.sh "$lib" >/dev/null || exit 1
CGO_ENABLED=0 go run ./bindings/c/test/golden "$work/data" || exit 1
for host in "${@:-node java python rust}"; do
	for one in $host; do "$one"; done
done
exit $failed
