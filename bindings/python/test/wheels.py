"""wheels.py: looks at wheels without installing them.

    wheels.py VERSION WHEEL...

Checks metadata, RECORD, permissions, the licences of all that is linked in, and that the tag promises no less than what the
library asks for. It runs in a Python that has none of them, so that pip can be asked to refuse a wheel for another machine.
"""

import base64
import csv
import email
import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
import zipfile


def say(condition, words):
    if not condition:
        sys.exit(f"wheels.py: {words}")


def check(path, version):
    name = os.path.basename(path)
    tag = re.fullmatch(rf"resnext-{re.escape(version)}-(py3-none-manylinux_(\d+)_(\d+)_(\w+))\.whl", name)
    say(tag, f"{name}: another version than {version}, or no manylinux")
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        names = archive.namelist()
        info = f"resnext-{version}.dist-info/"
        say(len(set(names)) == len(names) and all(n.startswith(("resnext/", info)) for n in names), f"{name}: {names}")
        say({"resnext/py.typed", info + "licenses/LICENSE", info + "entry_points.txt"} <= set(names), f"{name} is not whole: {names}")
        say(not any("pycache" in n for n in names), f"{name} has compiled Python")

        recorded = {row[0]: row[1] for row in csv.reader(io.StringIO(archive.read(info + "RECORD").decode()))}
        for n in names:
            digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(n)).digest()).rstrip(b"=").decode()
            say(recorded.pop(n, None) == ("" if n.endswith("/RECORD") else "sha256=" + digest), f"{name}: RECORD is wrong of {n}")
            mode = archive.getinfo(n).external_attr >> 16
            say(mode == (0o100755 if n.startswith("resnext/bin/") else 0o100644), f"{name}: {n} has the mode {mode:o}")
        say(not recorded, f"{name}: RECORD has {recorded}")

        metadata = email.message_from_bytes(archive.read(info + "METADATA"))
        say((metadata["Name"], metadata["Version"]) == ("resnext", version), f"{name}: {metadata}")
        say(metadata.get_all("Requires-Dist") == ["numpy>=1.21", 'pillow; extra == "pillow"'], f"{name}: requirements")
        say("resnext.Model(" in metadata.get_payload(), f"{name} has no description")
        say(f"Tag: {tag[1]}\n" in archive.read(info + "WHEEL").decode(), f"{name}: WHEEL has another tag")

        # What the linker wrote into the programs, and not what notices.py asked.
        notices = archive.read(info + "licenses/THIRD_PARTY_NOTICES").decode()
        archive.extractall(folder)
        modules = set()
        for tool in ("calib", "resnext"):
            said = subprocess.run(["go", "version", "-m", f"{folder}/resnext/bin/{tool}"], check=True, stdout=subprocess.PIPE, text=True).stdout
            modules |= {(m[1], m[2]) for m in (line.split("\t") + [""] for line in said.splitlines()) for m in [m[1:]] if m[0] == "dep"}
            say("CGO_ENABLED=0" in said and "-trimpath=true" in said, f"{name}: {tool} is built in another way: {said}")
            modules.add(("Go", said.split()[1]))
        say(len(modules) > 10, f"{name}: only {modules}")
        for path_of, number in modules:
            say(f"\n{path_of} {number}\n" in notices, f"{name}: the licence of {path_of} {number} is missing")

        library = f"{folder}/resnext/lib/libresnext.so.0"
        symbols = subprocess.run(["objdump", "-T", library], check=True, stdout=subprocess.PIPE, text=True).stdout
        needs = max(tuple(map(int, v.split("."))) for v in re.findall(r"\bGLIBC_([\d.]+)", symbols))
        say(needs <= (int(tag[2]), int(tag[3])), f"{name}: the library needs glibc {needs}")
        say(max(int(tag[3]), 28) <= (31 if tag[4] == "armv7l" else 28), f"{name}: a later tag than promised")
    return tag[4]


def refused(path, pip):
    """pip must refuse a wheel for another machine, in words."""
    ran = subprocess.run([*pip, "install", "--no-deps", "--no-index", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    say(ran.returncode != 0 and "is not a supported wheel on this platform" in ran.stdout, f"pip takes {path}: {ran.stdout}")


def main():
    version, paths = sys.argv[1], sys.argv[2:]
    for path in paths:
        machine = check(path, version)
        if machine != os.uname().machine:
            refused(path, [sys.executable, "-m", "pip"])
        print(f"python: {os.path.basename(path)}: {os.path.getsize(path)} bytes, whole")


if __name__ == "__main__":
    main()
