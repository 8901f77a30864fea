#!/usr/bin/env python3
"""wheel.py: makes a wheel of a folder that has the package `resnext`, whole, and `licenses`.

    bindings/python/wheel.py FOLDER VERSION MACHINE DIST

Its tag is the lowest that is true: the newest version of glibc that the library asks for says which. If that is above what
was promised for the machine, or the library needs another library than glibc's, there is no wheel. The same folder gives the
same bytes, with times of SOURCE_DATE_EPOCH.
"""

import base64
import hashlib
import os
import re
import subprocess
import sys
import time
import zipfile

# The glibc that is promised at most, and below which no tag goes: what numpy's wheels need themselves.
PROMISED = {"x86_64": ((2, 17), (2, 28)), "aarch64": ((2, 17), (2, 28)), "armv7l": ((2, 31), (2, 31))}  # manylinux begins there for ARMv7
GLIBC = re.compile(r"(libc\.so\.6|libpthread\.so\.0|ld-linux.*\.so\.\d)")

METADATA = """\
Metadata-Version: 2.1
Name: resnext
Version: {version}
Summary: ResNet, ResNeXt and RegNet image classifiers in 8-bit integers, the same answer to the bit on every CPU
Home-page: https://github.com/libresnext/libresnext
Author: the libresnext authors
License: Apache-2.0; what is linked in: BSD, MIT, OFL and FreeType licences, see THIRD_PARTY_NOTICES
Project-URL: Source, https://github.com/libresnext/libresnext
Project-URL: Changelog, https://github.com/libresnext/libresnext/blob/main/CHANGELOG.md
Keywords: resnet,resnext,regnet,int8,quantization,inference,classification,embedding,raspberry-pi
Platform: linux
Classifier: Development Status :: 4 - Beta
Classifier: Intended Audience :: Developers
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3
Classifier: Programming Language :: Python :: 3 :: Only
Classifier: Topic :: Scientific/Engineering :: Image Recognition
Classifier: Typing :: Typed
Requires-Python: >=3.9
Requires-Dist: numpy>=1.21
Requires-Dist: pillow; extra == "pillow"
Provides-Extra: pillow
License-File: LICENSE
License-File: THIRD_PARTY_NOTICES
Description-Content-Type: text/markdown

"""
ENTRY_POINTS = "[console_scripts]\ncalib = resnext._tools:calib\nresnext = resnext._tools:resnext\n"


def tag(library: str, machine: str) -> str:
    """The lowest platform tag that is true of a library."""

    def tool(*command: str) -> str:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    foreign = [n for n in re.findall(r"NEEDED.*\[(.*)\]", tool("readelf", "-d", library)) if not GLIBC.fullmatch(n)]
    if foreign:
        sys.exit(f"wheel.py: {library} needs {', '.join(foreign)}, which no manylinux has")
    versions = {tuple(map(int, v.split("."))) for v in re.findall(r"\bGLIBC_([\d.]+)", tool("objdump", "-T", library))}
    if not versions:
        sys.exit(f"wheel.py: {library} names no version of glibc")
    lowest, most = PROMISED[machine]
    needs = max(max(versions)[:2], lowest)
    if needs > most:
        symbols = [line for line in tool("objdump", "-T", library).splitlines() if f"GLIBC_{needs[0]}.{needs[1]}" in line]
        sys.exit("wheel.py: {} needs glibc {}.{}, and {}.{} is promised:\n{}".format(library, *needs, *most, "\n".join(symbols)))
    return f"py3-none-manylinux_{needs[0]}_{needs[1]}_{machine}"


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def main() -> None:
    folder, version, machine, dist = sys.argv[1:]
    wheel_tag = tag(os.path.join(folder, "resnext", "lib", "libresnext.so.0"), machine)
    info = f"resnext-{version}.dist-info"
    here = os.path.dirname(os.path.abspath(__file__))

    files = {}  # what is in each file, and whether it is a program
    for parent, _, names in os.walk(os.path.join(folder, "resnext")):
        for name in names:
            path = os.path.join(parent, name)
            files[os.path.relpath(path, folder)] = read(path), os.path.basename(parent) == "bin"
    for name in ("LICENSE", "THIRD_PARTY_NOTICES"):
        files[f"{info}/licenses/{name}"] = read(os.path.join(folder, "licenses", name)), False
    files[f"{info}/METADATA"] = METADATA.format(version=version).encode() + read(os.path.join(here, "README.md")), False
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: libresnext\nRoot-Is-Purelib: false\nTag: {wheel_tag}\n".encode(), False
    files[f"{info}/entry_points.txt"] = ENTRY_POINTS.encode(), False
    record = []
    for name, (data, _) in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(data)}\n")
    files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"]).encode(), False

    stamp = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800))[:6]  # a zip file knows no time before 1980
    path = os.path.join(dist, f"resnext-{version}-{wheel_tag}.whl")
    # RECORD comes last, as the format recommends for what follows from the rest; the others by name.
    with zipfile.ZipFile(path + ".part", "w") as archive:
        for name, (data, program) in sorted(files.items(), key=lambda f: (f[0].startswith(info), f[0].endswith("/RECORD"), f[0])):
            entry = zipfile.ZipInfo(name, stamp)
            entry.create_system = 3  # Unix, whose modes follow
            entry.external_attr = (0o100755 if program else 0o100644) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 6)  # 9 takes thrice as long for 0.5%
    os.replace(path + ".part", path)
    print(f"{path}: {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()
