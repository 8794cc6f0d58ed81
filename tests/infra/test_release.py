"""A release: what `make release` writes, that its bytes depend on the commit alone, and the workflows around it."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # it has no types

from infra.asset.build import ROOT
from infra.release import changelog_problems, read_version

VERSION = read_version()
SOURCES = ("infra", "lambda", "plans", "cli", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def released(folder: Path, *, umask: int) -> dict[str, bytes]:
    """Release from a copy of the sources in `folder`; return what the release holds."""
    folder.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / name, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile
            )
        else:
            shutil.copyfile(source, folder / name)
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(changelog.read_text("utf-8").replace("## Unreleased", f"## {VERSION} - 2026-12-01"), "utf-8")
    environment = {**os.environ, "PYTHONPATH": ":".join(str(folder / each) for each in ("", "lambda", "plans", "cli"))}
    command = [sys.executable, "-m", "infra.release"]
    subprocess.run(command, cwd=folder, env=environment, check=True, umask=umask, capture_output=True)  # noqa: S603
    return {path.name: path.read_bytes() for path in (folder / "dist").iterdir()}


def test_release_is_the_same_bytes_from_two_folders_and_umasks(tmp_path: Path) -> None:
    one = released(tmp_path / "one", umask=0o022)
    other = released(tmp_path / "another folder", umask=0o077)
    assert one == other
    wheel, asset = f"lightsail_snapshots-{VERSION}-py3-none-any.whl", f"lightsail-snapshots-functions-{VERSION}.zip"
    assert one.keys() == {wheel, asset, "SHA256SUMS"}
    lines = [f"{hashlib.sha256(one[name]).hexdigest()}  {name}" for name in (wheel, asset)]
    assert one["SHA256SUMS"].decode().splitlines() == lines
    with zipfile.ZipFile(tmp_path / "one" / "dist" / asset) as archive:
        names = archive.namelist()
    assert "lightsail_snapshots/create.py" in names
    assert any(name.startswith("lightsail_snapshots/__pycache__/create.") for name in names), "it is precompiled"


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Unreleased", "begins with 'Unreleased'"),
        ("0.0.9 - 2026-12-01", "begins with '0.0.9 - 2026-12-01'"),
        (f"{VERSION} - 2026-13-01", "2026-13-01 is no date"),
    ],
)
def test_release_needs_its_version_at_the_top_of_the_changelog(heading: str, text: str) -> None:
    [problem] = changelog_problems(f"# Changelog\n\n## {heading}\n\n- A change.\n", VERSION)
    assert text in problem


def test_changelog_with_version_and_date_is_fit_for_a_release() -> None:
    assert changelog_problems(f"# Changelog\n\n## {VERSION} - 2026-12-01\n\n## 0.0.1 - 2026-11-01\n", VERSION) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_pins_actions_by_commit_and_has_few_rights(path: Path) -> None:
    text = path.read_text("utf-8")
    used = re.findall(r"uses: (.+)", text)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", each)] == []
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] in ({}, {"contents": "read"}), "a job that needs more says so itself"
    assert "${{ github.event" not in text, "what a stranger writes is never part of a script"


def test_one_workflow_runs_ci_and_one_releases_on_a_tag() -> None:
    ci, release = (yaml.safe_load(path.read_text("utf-8")) for path in WORKFLOWS)
    assert [step.get("run") for job in ci["jobs"].values() for step in job["steps"]][-1] == "bash .ci/run"
    assert release[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads `on` as true
    commands = "\n".join(step.get("run", "") for job in release["jobs"].values() for step in job["steps"])
    assert commands.index("bash .ci/run") < commands.index("make release") < commands.index("gh release create")
