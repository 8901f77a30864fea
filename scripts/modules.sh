#!/usr/bin/env bash
# modules.sh: the folders of this repository's Go modules, the library's (.) first, one a line. That of tools/ has no packages.
set -euo pipefail
cd "$(dirname "$0")/.."
find . -name go.mod -not -path './tools/*' -not -path './build/*' -not -path './dist/*' -printf '%h\n' | sort
