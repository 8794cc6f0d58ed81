"""The rules that keep the tree readable: what may import what."""

import ast
from pathlib import Path

import pytest

SOURCES = sorted((Path(__file__).parents[2] / "lambda" / "lightsail_snapshots").glob("*.py"))
MAY_ACT = {"aws", "reconciler", "direct", "create", "copy", "fan_out", "prune", "audit"}
"""The handlers and what they act through: every other module is a pure decision."""
IMPURE = {"boto3", "botocore", "os", "time", "aws_lambda_powertools", "lightsail_snapshots.aws"}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names | {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.stem not in MAY_ACT], ids=lambda path: path.stem)
def test_decisions_know_neither_aws_nor_the_environment(path: Path) -> None:
    assert not imports(path) & IMPURE


def test_one_module_touches_botocore() -> None:
    assert [path.stem for path in SOURCES if imports(path) & {"boto3", "botocore"}] == ["aws"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_each_logger_writes_times_that_lambda_can_read(path: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    made = [ast.unparse(call) for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Logger"]
    assert made in ([], ["Logger(use_rfc3339=True)"])
