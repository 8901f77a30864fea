"""The tools resnext and calib, programs that the wheel has beside the library."""

import os
import signal
import sys
from typing import NoReturn


def resnext() -> NoReturn:
    """Becomes the tool resnext, with this program's arguments."""
    _become("resnext")


def calib() -> NoReturn:
    """Becomes the tool calib, with this program's arguments."""
    _become("calib")


def _become(tool: str) -> NoReturn:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", tool)
    if not os.path.exists(path):
        sys.exit(f"{tool}: this copy of the package has no tools: they are in its wheels, and in Debian's resnext-tools")
    # Python ignores these, and a program that it becomes would go on doing so: `resnext ... | head` must end.
    for name in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(name, signal.SIG_DFL)
    try:
        os.execv(path, [tool, *sys.argv[1:]])
    except PermissionError:
        sys.exit(f"{tool}: {path} may not be run: install the wheel again with pip, where files may be executed")
    except OSError as error:
        sys.exit(f"{tool}: {path} does not run here: {error.strerror}: is this wheel for another kind of machine?")
