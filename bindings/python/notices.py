#!/usr/bin/env python3
"""notices.py: the licences of Go and of all modules that are linked into Go programs, as one text.

    GOARCH=arm64 CGO_ENABLED=0 bindings/python/notices.py PACKAGE... >THIRD_PARTY_NOTICES

It goes by the module graph, for the architecture that the environment names. A module whose licence is not found is an
error.
"""

import json
import os
import re
import subprocess
import sys
from typing import Iterator

# Names of files with licences, and with what licences want to be passed on.
LICENCE = re.compile(r"(licen[cs]e|copying|ofl|unlicense)([-_. ].*)?", re.I)
FURTHER = re.compile(r"(notice|patents|copyright)([-_. ].*)?", re.I)


def go(*arguments: str) -> str:
    return subprocess.run(["go", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def packages(names: list[str]) -> Iterator[dict]:
    """What `go list` says of all packages that these need."""
    text, decoder, at = go("list", "-deps", "-json=ImportPath,Dir,Module,Standard", *names), json.JSONDecoder(), 0
    while at < len(text.rstrip()):
        package, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        yield package


def texts(folder: str) -> list[str]:
    """The files in a folder that are to be passed on. FTL.TXT and GPL.TXT are licences of freetype, in folders of that name."""
    found = []
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isdir(path) and LICENCE.fullmatch(name.rstrip("sS")):
            found += [os.path.join(path, n) for n in sorted(os.listdir(path))]
        elif os.path.isfile(path) and not name.endswith(".go") and (LICENCE.fullmatch(name) or FURTHER.fullmatch(name)):
            found.append(path)
    return found


def main() -> None:
    modules: dict[str, tuple[str, str, set[str]]] = {}  # version, folder and folders of packages by path
    for package in packages(sys.argv[1:]):
        module = package.get("Module")
        if module and not module.get("Main"):
            module = module.get("Replace") or module
            entry = modules.setdefault(module["Path"], (module.get("Version", ""), module["Dir"], set()))
            folder = package["Dir"]
            while folder.startswith(entry[1]):  # a part of a module may have a licence of its own
                entry[2].add(folder)
                folder = os.path.dirname(folder)
    goroot, version = go("env", "GOROOT", "GOVERSION").split()
    parts = {"Go": (version, goroot, {goroot})}
    parts.update(sorted(modules.items()))

    out = ["What else is in the programs and the library of this package, and under which licences.\n"]
    for path, (number, root, folders) in parts.items():
        files = [file for folder in sorted(folders) for file in texts(folder)]
        if not any(LICENCE.fullmatch(os.path.basename(f)) or os.path.dirname(f) != root for f in files):
            sys.exit(f"notices.py: {path} has no licence in {root}")
        out.append(f"{'=' * 80}\n{path} {number}\n{'=' * 80}\n")
        for file in files:
            with open(file, encoding="utf-8", errors="replace") as text:
                out.append(f"--- {os.path.relpath(file, root)}\n\n{text.read().strip()}\n")
    print("\n".join(out), end="")


if __name__ == "__main__":
    main()
