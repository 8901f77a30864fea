"""Cycles of executed AArch64 instructions as llvm-mca predicts them."""
import re
import struct
import subprocess

TRIPLE = "aarch64-linux-gnu"
BRANCHES = re.compile(r"(b|bl|br|blr|ret|cbz|cbnz|tbz|tbnz|b\.\w+)$")


class Model:
    """llvm-mca, with the disassembler llvm-mc of the same LLVM."""

    def __init__(self, mca):
        self.mca, self.mc = mca, mca.replace("mca", "mc")
        self.version = re.search(r"LLVM version (\S+)", run([mca, "--version"])).group(1)

    def samples(self, path):
        """The instructions of each stretch of a plugin's trace, as text."""
        with open(path, "rb") as f:
            words = [word for word, in struct.iter_unpack("<I", f.read())]
        text = self.disassemble(sorted(set(words) - {0}))
        stretches = [[]]
        for word in words:
            if word:
                stretches[-1].append(text[word])
            else:
                stretches.append([])
        return stretches[:-1]

    def disassemble(self, words):
        """A dictionary from word to text."""
        data = "\n".join(" ".join("0x%02x" % b for b in struct.pack("<I", w)) for w in words)
        lines = run([self.mc, "-triple=" + TRIPLE, "-mattr=+all", "--disassemble"], data).split("\n")
        lines = [line.split("//")[0].strip() for line in lines]
        lines = [line for line in lines if line and not line.startswith(".")]
        if len(lines) != len(words):
            raise SystemExit("%s read %d of %d instructions" % (self.mc, len(lines), len(words)))
        return dict(zip(words, lines))

    def cycles(self, instructions, core):
        """Cycles on a core. Branches are left out: they are taken as predicted and free."""
        straight = [i for i in instructions if not BRANCHES.match(i.split(None, 1)[0])]
        report = run([self.mca, "-mtriple=" + TRIPLE, "-mcpu=" + core, "-mattr=+dotprod,+i8mm", "-iterations=1",
                      "-instruction-info=0", "-resource-pressure=0"], "\n".join(straight))
        return int(re.search(r"Total Cycles:\s+(\d+)", report).group(1))


def run(command, text=None):
    """The standard output of a command that succeeds."""
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit("%s: exit status %d\n%s" % (command[0], done.returncode, done.stderr[-2000:]))
    return done.stdout
