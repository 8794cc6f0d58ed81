"""Builds the Lambda asset: our package, and the very distributions that the tests ran against.

They are copied out of the environment that runs this, after it was checked against the lock file: what ships is
what was tested, and a build needs no network, no docker and no installer. The same sources and the same Python
version give the same bytes on every machine.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from infra.asset.botocore_data import trimmed_data
from lightsail_snapshots.aws import OPERATIONS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lambda" / "lightsail_snapshots"
LOCK = ROOT / "lambda" / "requirements.txt"
RUNTIME_TAG = "cpython-313"
"""The bytecode of the Lambda runtime, python3.13: see `sys.implementation.cache_tag`."""

# What an installer writes differs between machines and installers. METADATA and licences stay: it is from
# METADATA that a scanner such as Amazon Inspector knows what is in the function.
_INSTALLER_FILES = {"RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json"}
# Left out: type stubs; boto3's data, which only its resources read; botocore's data, of which `trimmed_data` writes the
# part that we need; and a web page for REST APIs, which is a third of Powertools.
_UNUSED = re.compile(
    r".*\.pyc|.*\.pyi|.*/py\.typed|boto3/data/.*|boto3/examples/.*|botocore/data/.*|.*/swagger-ui[^/]*\.(js|css)"
)


class BundleError(Exception):
    """The asset cannot be built from this environment. The text lists every reason and says what to do."""


def build_asset(output: Path, *, package: Path = PACKAGE, runtime_tag: str = RUNTIME_TAG) -> bool:
    """Fill the empty directory `output` with the asset; True if this is the runtime's Python and it is precompiled.

    Raises:
        BundleError: the environment is not the one that the lock file pins.

    """
    for dist in pinned_distributions(LOCK.read_text("utf-8")):
        for file in _shipped(dist):
            _copy(Path(str(dist.locate_file(file))), output / file)
    for source in sorted(package.rglob("*.py")):
        _copy(source, output / package.name / source.relative_to(package))
    for name, value in trimmed_data(OPERATIONS).items():
        _write_json(output / "botocore" / "data" / name, value)
    precompiled = sys.implementation.cache_tag == runtime_tag
    if precompiled:
        precompile(output)
    _open_to_lambda(output)
    return precompiled


def pinned_distributions(lock: str) -> list[Distribution]:
    """The installed distributions that a lock file pins (`name==version` at the start of a line).

    Raises:
        BundleError: any is missing, has another version, or is not pure Python (this machine is not Lambda).

    """
    found: list[Distribution] = []
    problems: list[str] = []
    for name, pin in re.findall(r"^([\w.-]+)==([^\s;\\]+)", lock, re.MULTILINE):
        try:
            dist = distribution(name)
        except PackageNotFoundError:
            problems.append(f"{name} {pin} is not installed")
            continue
        found.append(dist)
        if dist.version != pin:
            problems.append(f"{name} {dist.version} is installed, {pin} is pinned")
        if "Root-Is-Purelib: true" not in (dist.read_text("WHEEL") or ""):
            problems.append(f"{name} {dist.version} is not a pure Python wheel, and may not run on Lambda")
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise BundleError(
            f"The Lambda asset cannot be built from this environment:{listed}\n"
            f"Install what is pinned, and try again: {sys.executable} -m pip install -r requirements.txt"
        )
    return found


def precompile(root: Path) -> None:
    """Compile everything under `root` for the running Python, as Lambda will find it under /var/task.

    /var/task is read-only: without bytecode each cold start compiles everything again, and takes more than twice
    as long. Unchecked-hash, since the usual timestamps do not survive a zip. Without the columns that tracebacks
    underline, since reading them takes a twentieth of a cold start. A process of its own, since what this one has
    interned would show in the bytes.
    """
    command = [sys.executable, "-I", "-X", "no_debug_ranges", "-m", "compileall", "-q", "-j0"]
    placed = ["--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/var/task", str(root)]
    subprocess.run([*command, *placed], check=True, cwd=root)  # noqa: S603 - our own words


def _shipped(dist: Distribution) -> Iterator[str]:
    for file in dist.files or ():
        # Scripts are recorded as ../../../bin/name.
        if ".." not in file.parts and file.name not in _INSTALLER_FILES and not _UNUSED.fullmatch(str(file)):
            yield str(file)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write_json(target: Path, value: object) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(value, separators=(",", ":")), "utf-8")


def _open_to_lambda(output: Path) -> None:
    """Lambda runs as another user than the one that owns the files: a strict umask must not shut it out."""
    for path in output.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
