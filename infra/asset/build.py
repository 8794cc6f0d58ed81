"""Builds the Lambda asset: our package, and the distributions that the tests ran with.

The build copies them from its own environment, after a check against the lock file. So what ships is what was tested,
and a build needs neither docker nor an installer. The same sources, if precompiled, give the same bytes everywhere.
"""

import json
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from infra.asset.botocore_data import trimmed_data
from infra.asset.bytecode import PYTHON_VERSION, find_python, precompile
from infra.asset.roots import BUNDLE, amazon_roots
from infra.asset.stubs import STUBS, stub
from lightsail_snapshots.aws import OPERATIONS
from lightsail_snapshots.aws.clients import AMAZON_ROOTS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lambda" / "lightsail_snapshots"
LOCK = ROOT / "lambda" / "requirements.txt"

# Files that an installer writes differ between machines. METADATA and licences stay: scanners such as Amazon Inspector
# read from METADATA what is in the function.
_INSTALLER_FILES = {"RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json"}
# Left out: type stubs; boto3's data, which only its resources read; botocore's data, of which `trimmed_data` writes the
# part that we need; and modules that no function imports, nor any module that a function imports when it is imported.
# Of s3transfer and typing_extensions only a stub remains, or nothing.
_UNUSED = re.compile(
    r".*\.pyc|.*\.pyi|.*/py\.typed"
    r"|boto3/((data|docs|dynamodb|ec2|examples|s3)/.*|crt\.py|resources/(?!__init__)\w+\.py)"
    r"|botocore/(data/.*|docs/(?!utils)\w+.*|crt/auth\.py|stub\.py)"
    r"|dateutil/(zoneinfo/.*|(easter|rrule|tzwin|utils)\.py|tz/win\.py)"
    r"|(s3transfer|typing_extensions)\W.*"
    r"|tzdata/zoneinfo/(tzdata\.zi|leapseconds|\w+\.tab)"
    r"|urllib3/(contrib/(emscripten/.*|pyopenssl\.py|socks\.py)|http2/(__init__|connection)\.py)"
    r"|aws_lambda_powertools/(event_handler|middleware_factory|tracing)/.*"
    r"|aws_lambda_powertools/metrics/(types\.py|provider/datadog/.*)"
    r"|aws_lambda_powertools/shared/(cookies|dynamodb_deserializer|headers_serializer|lazy_import|types)\.py"
    r"|aws_lambda_powertools/utilities/(?!typing/)\w+/.*"
)


class BundleError(Exception):
    """Raised when the asset cannot be built from this environment; lists all problems and says what to do."""


def build_asset(output: Path, *, package: Path = PACKAGE, python_version: str = PYTHON_VERSION) -> bool:
    """Fill the empty directory `output` with the asset; return whether it is precompiled.

    Without a Python of this version it is not. Raises BundleError if this environment differs from the lock file.
    """
    for dist in pinned_distributions(LOCK.read_text("utf-8")):
        for file in _shipped(dist):
            _copy(Path(str(dist.locate_file(file))), output / file)
    for source in sorted(package.rglob("*.py")):
        _copy(source, output / package.name / source.relative_to(package))
    for path, names in STUBS.items():
        _write(output / path, stub(names))
    for name, value in trimmed_data(OPERATIONS).items():
        _write(output / "botocore" / "data" / name, json.dumps(value, separators=(",", ":")))
    _write(output / package.name / "aws" / AMAZON_ROOTS.name, amazon_roots(BUNDLE.read_text("utf-8")))
    python = find_python(python_version)
    if python:
        precompile(output, python)
    _open_to_lambda(output)
    return python is not None


def pinned_distributions(lock: str) -> list[Distribution]:
    """Return the installed distributions that a lock file pins (`name==version` at the start of a line).

    Raises BundleError if any is missing, has another version, or is not pure Python: Lambda is another platform.
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
            "Install what requirements.txt pins, and try again. `make clean`, then the same target, does both."
        )
    return found


def _shipped(dist: Distribution) -> Iterator[str]:
    for file in dist.files or ():
        # Scripts are recorded as ../../../bin/name.
        if ".." not in file.parts and file.name not in _INSTALLER_FILES and not _UNUSED.fullmatch(str(file)):
            yield str(file)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")


def _open_to_lambda(output: Path) -> None:
    """Let everyone read the files, also if the umask is strict: Lambda runs as another user than their owner."""
    for path in output.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
