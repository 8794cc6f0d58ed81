"""`make release`: the files of a release in dist/. The same commit gives the same bytes on every machine."""

import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from datetime import date
from pathlib import Path

from infra.asset.build import ROOT, build_asset
from infra.asset.bytecode import PYTHON_VERSION

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can hold."""


def main() -> int:
    """Fill dist/, or print why there can be no release."""
    version = read_version()
    problems = changelog_problems((ROOT / "CHANGELOG.md").read_text("utf-8"), version)
    if problems:
        sys.stderr.write("".join(f"{each}\n" for each in problems))
        return 1
    for path in write_release(ROOT / "dist", version):
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


def read_version() -> str:
    """Return the version in pyproject.toml: the only place that has it."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])


def changelog_problems(changelog: str, version: str) -> list[str]:
    """Say what the changelog lacks: its newest heading must be this version, with a date, and nothing unreleased."""
    newest = re.search(r"^## (.*)$", changelog, re.MULTILINE)
    heading = newest[1] if newest else "nothing"
    dated = re.fullmatch(rf"{re.escape(version)} - (\d{{4}}-\d\d-\d\d)", heading)
    if dated:
        try:
            date.fromisoformat(dated[1])
        except ValueError:
            return [f"CHANGELOG.md: {dated[1]} is no date."]
        return []
    return [
        f"CHANGELOG.md begins with {heading!r}. For the release of {version}, rename that heading to"
        f" '## {version} - YYYY-MM-DD'; for another version, change it in pyproject.toml first."
    ]


def write_release(folder: Path, version: str) -> list[Path]:
    """Write the wheel, the functions' asset and SHA256SUMS into `folder`; return their paths."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - a fixed command
    files = [
        folder / f"lightsail_snapshots-{version}-py3-none-any.whl",
        folder / f"lightsail-snapshots-functions-{version}.zip",
    ]
    _write_asset(files[1])
    sums = folder / "SHA256SUMS"
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    sums.write_text("".join(lines), "utf-8")
    return [*files, sums]


def _write_asset(target: Path) -> None:
    with tempfile.TemporaryDirectory() as asset:
        if not build_asset(Path(asset)):
            raise SystemExit(f"The functions must be precompiled for a release: install Python {PYTHON_VERSION}.")
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(each for each in Path(asset).rglob("*") if each.is_file()):
                entry = zipfile.ZipInfo(str(path.relative_to(asset)), ZIP_TIME)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
