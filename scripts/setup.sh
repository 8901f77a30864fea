#!/usr/bin/env bash
# setup.sh: installs the Debian packages that the tests need, where that is possible, and says plainly what
# is missing where it is not. Exits 0 either way; a test that needs a missing tool names it.
set -uo pipefail

# Some are where only administrators look.
PATH=$PATH:/usr/sbin

# command (or python:MODULE), Debian packages, what for
needs=(
	"qemu-aarch64-static qemu-user-static the arm64 and arm tests"
	"llvm-mc llvm the checks of instruction encodings and the model of CPUs with VNNI"
	"gcc gcc the race detector and the C library"
	"g++ g++ the C library's header in C++"
	"pkg-config pkg-config the C library's packages"
	"dpkg-deb dpkg the C library's packages"
	"valgrind valgrind the C library's use of memory"
	"aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu,libc6-dev-arm64-cross the C library on arm64"
	"arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf,libc6-dev-armhf-cross the C library and the wheel for 32-bit ARM"
	"cmake cmake the C library's files for CMake"
	"python:numpy python3-numpy the Python package from Debian's packages, and the second reader of model files"
	"python:ensurepip python3-venv the Python wheels"
	"mosquitto mosquitto the MQTT publisher of the Raspberry Pi example"
	"systemd-analyze systemd the unit file of the Raspberry Pi example"
	"chromium chromium the page of the Raspberry Pi example"
)
# have NEED: whether the command, or the module of Debian's Python, is there.
have() {
	case $1 in
	python:*) /usr/bin/python3 -c "import ${1#python:}" 2>/dev/null ;;
	*) command -v "$1" >/dev/null ;;
	esac
}
missing=()
for need in "${needs[@]}"; do
	read -r command package _ <<<"$need"
	have "$command" || missing+=(${package//,/ })
done
if [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
	echo "setup: installing ${missing[*]}"
	log=$(mktemp)
	if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		tail -n 5 "$log" >&2
	fi
	rm -f "$log"
fi
for need in "${needs[@]}"; do
	read -r command package use <<<"$need"
	have "$command" ||
		echo "setup: MISSING: $command, for $use. Install it: apt-get install ${package//,/ }." >&2
done
exit 0
