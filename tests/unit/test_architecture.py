"""The rules that keep the tree readable: what may import what."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "lambda" / "lightsail_snapshots"
SOURCES = sorted(FUNCTIONS.rglob("*.py"))
EFFECTS = {"reconciler", "reporting", "create", "copy", "fan_out", "prune", "audit"}
"""The handlers and what they act through, beside `aws`: every other module is a pure decision."""
SDK = {"boto3", "botocore"}
IMPURE = SDK | {"os", "time", "aws_lambda_powertools", "lightsail_snapshots.aws"}


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, and each package around them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {".".join(name.split(".")[:depth]) for name in names for depth in range(1, name.count(".") + 2)}


def is_pure(path: Path) -> bool:
    return path.parent.name != "aws" and path.stem not in EFFECTS


@pytest.mark.parametrize("path", [path for path in SOURCES if is_pure(path)], ids=lambda path: path.stem)
def test_decisions_know_neither_aws_nor_the_environment(path: Path) -> None:
    assert not imports(path) & IMPURE


def test_one_package_touches_the_sdk() -> None:
    assert {path.parent.name for path in SOURCES if imports(path) & SDK} == {"aws"}


def test_what_reads_plans_imports_no_cdk() -> None:
    assert not any("aws_cdk" in imports(path) for path in (ROOT / "plans").rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_each_logger_writes_times_that_lambda_can_read(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    made = [ast.unparse(call) for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Logger"]
    assert made in ([], ["Logger(use_rfc3339=True)"])
