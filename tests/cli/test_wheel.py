"""The wheel: what is in it, and what it needs."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from lightsail_snapshots_cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    # `uv build` calls the same build system; this needs no uv, and fetches nothing.
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603  our own words
    [path] = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_wheel_holds_three_packages(wheel: zipfile.ZipFile) -> None:
    packages = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in packages if not name.endswith(".dist-info")} == {
        "lightsail_snapshots",
        "lightsail_snapshots_plans",
        "lightsail_snapshots_cli",
    }


def test_wheel_has_the_console_script(wheel: zipfile.ZipFile) -> None:
    [path] = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "lightsail-snapshots = lightsail_snapshots_cli.main:main" in wheel.read(path).decode()
    assert main.name == "main"


def test_wheel_pins_what_the_lists_of_requirements_pin() -> None:
    dependencies = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    lists = "".join((ROOT / name).read_text() for name in ("requirements-cli.in", "lambda/requirements.in"))
    assert dependencies <= set(re.findall(r"^[a-z0-9-]+==[0-9.]+", lists, re.MULTILINE))
