"""Compiles the asset for the Python of Lambda, also if another Python runs this."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

PYTHON_VERSION = "3.13"
"""The Python of all functions. Their runtime and the bytecode in their asset are derived from it."""

FETCH_SECONDS = 60
"""How long uv may take to fetch a Python: about 25 MB, once. Without a network it gives up after a few seconds."""


@cache
def find_python(version: str = PYTHON_VERSION) -> str | None:
    """Return the path of a Python of this version: this one, one on the PATH, or one that uv has or fetches.

    Returns None if there is none.
    """
    if sys.implementation.cache_tag == f"cpython-{version.replace('.', '')}":
        return sys.executable
    # pyenv's python3.13 starts only if the user has selected it, or this names it.
    environment = {**os.environ, "PYENV_VERSION": version, "UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "5"}
    with_uv = ["uv", "run", "--no-project", "--no-config", "--python", f"cpython-{version}", "python"]
    for command in ([f"python{version}"], with_uv):
        try:
            found = subprocess.run(  # noqa: S603 - a fixed command
                [*command, "-I", "-c", "import compileall, concurrent.futures.process, sys; print(sys.executable)"],
                check=True,
                capture_output=True,
                text=True,
                timeout=FETCH_SECONDS,
                env=environment,
            )
        except (OSError, subprocess.SubprocessError):  # it is not there, does not start, or cannot be fetched
            continue
        return found.stdout.strip()
    return None


def precompile(root: Path, python: str = sys.executable) -> None:
    """Compile everything under `root` with this Python, for its place under /var/task.

    /var/task is read-only: without bytecode each cold start compiles everything again, and takes more than twice as
    long. The bytecode is unchecked-hash, because time stamps do not survive a zip. It has no columns for tracebacks to
    underline: to read them takes a twentieth of a cold start. The compiler is a process of its own, without `site`:
    what a process has interned shows in the bytes.
    """
    command = [python, "-I", "-S", "-X", "no_debug_ranges", "-m", "compileall", "-q", "-j0"]
    placed = ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/var/task", str(root)]
    subprocess.run([*command, *placed], check=True, cwd=root)  # noqa: S603 - a fixed command
