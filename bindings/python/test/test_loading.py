"""What a wheel says where it cannot run, and the tools beside the library."""

import os
import subprocess
import sys
import tempfile
import unittest

import help
import resnext

# Another libresnext: one that only tells its version.
OTHER = """
unsigned resnext_abi_version(void) { return %d; }
const char *resnext_version_string(void) { return "0.0.9"; }
"""


class Loading(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.library = os.path.join(os.path.dirname(resnext.__file__), "lib", "libresnext.so.0")

    def imports(self, **environment):
        """The error of `import resnext` in a Python of its own; must be one sentence."""
        ran = help.python("try:\n\timport resnext\nexcept ImportError as error: print(error)", **environment)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertEqual(ran.stdout.count("\n"), 1, ran.stdout)
        return ran.stdout

    def changed(self, path, at, data):
        """A copy of a file with other bytes at one place."""
        name = os.path.join(self.folder, "changed-" + os.path.basename(path))
        with open(path, "rb") as file:
            whole = bytearray(file.read())
        whole[at : at + len(data)] = data
        with open(name, "wb") as file:
            file.write(whole)
        os.chmod(name, 0o755)
        return name

    def compiled(self, version):
        name = os.path.join(self.folder, f"libresnext.so.{version}")
        code = OTHER % version if version else "int nothing;"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", name, "-x", "c", "-"], input=code, text=True, check=True)
        return name

    def test_from_the_wheel(self):
        self.assertTrue(resnext.__file__.startswith(sys.prefix), resnext.__file__)
        with open("/proc/self/maps") as maps:
            mapped = {line.split()[-1] for line in maps if "libresnext" in line}
        self.assertEqual(mapped, {os.path.realpath(self.library)})

    def test_another_machine(self):
        said = self.imports(RESNEXT_LIBRARY=self.changed(self.library, 18, b"\xf3\0"))
        self.assertRegex(said, r"is for machine 243, and this Python is for (\w+): install the wheel for \1")

    def test_no_library(self):
        self.assertIn("there is no library /nowhere/libresnext.so", self.imports(RESNEXT_LIBRARY="/nowhere/libresnext.so"))
        self.assertIn("is no library", self.imports(RESNEXT_LIBRARY=__file__))
        self.assertIn("is another library", self.imports(RESNEXT_LIBRARY=self.compiled(0)))
        package = help.copy_of_package(self.folder)
        os.remove(os.path.join(package, "lib", "libresnext.so.0"))
        self.assertIn("neither in this package nor in the system", self.imports(PYTHONPATH=self.folder))

    def test_old_library(self):
        said = self.imports(RESNEXT_LIBRARY=self.compiled(1))
        self.assertRegex(said, r"is libresnext 0\.0\.9, whose interface is version 1; this package needs 2")

    def test_two_libraries(self):
        code = "import ctypes, sys\nother = ctypes.CDLL(sys.argv[1])\nimport resnext\nresnext.Model(sys.argv[2])"
        ran = help.python(code, self.compiled(2), help.MODEL)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn(f"RuntimeWarning: this process has two versions of libresnext, {resnext.__version__} for Python and 0.0.9 (", ran.stderr)
        ran = help.python(code, self.changed(self.library, 9, b"\0"), help.MODEL)  # a second one of the same version
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))

    def test_tools(self):
        version = resnext.__version__
        self.assertEqual(help.tool("--version"), f"resnext version {version}\n")
        self.assertEqual(help.tool("--version", name="calib"), f"calib version {version}\n")
        module = [sys.executable, "-m", "resnext"]
        self.assertEqual(subprocess.run([*module, "--version"], stdout=subprocess.PIPE, text=True).stdout, f"resnext version {version}\n")
        # Exit codes and standard input are the tool's.
        bad = subprocess.run([*module, "inspect", "/nowhere"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn("/nowhere", bad.stderr)
        # A pipe that nobody reads ends it.
        reader, writer = os.pipe()
        os.close(reader)
        broken = subprocess.run([*module, "--help"], stdout=writer, stderr=subprocess.PIPE, text=True)
        os.close(writer)
        self.assertLess(broken.returncode, 0)
        self.assertEqual(broken.stderr, "")

    def test_tools_that_do_not_run(self):
        tool = os.path.join(help.copy_of_package(self.folder), "bin", "resnext")

        def says(words):
            ran = subprocess.run(
                [sys.executable, "-m", "resnext"], env={**os.environ, "PYTHONPATH": self.folder}, stderr=subprocess.PIPE, text=True
            )
            self.assertEqual(ran.returncode, 1)
            self.assertRegex(ran.stderr, words)
            self.assertEqual(ran.stderr.count("\n"), 1, ran.stderr)

        os.chmod(tool, 0o644)
        says("may not be run")
        os.chmod(tool, 0o755)
        with open(tool, "r+b") as file:
            file.seek(18)
            file.write(b"\xfe\xfe")
        says("does not run here: Exec format error: is this wheel for another kind of machine")
        os.remove(tool)
        says("this copy of the package has no tools")


if __name__ == "__main__":
    unittest.main()
