"""The rules of imports between our modules."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "lambda" / "lightsail_snapshots"
SOURCES = sorted(FUNCTIONS.rglob("*.py"))
HANDLERS = {"create", "copy", "drill", "fan_out", "prune", "audit", "notify"}
EFFECTS = HANDLERS | {"reconciler", "reporting", "observability", "chat", "probe"}
"""The modules with effects, in addition to `aws`. All others are pure."""
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
def test_pure_modules_import_neither_sdk_nor_os_nor_powertools(path: Path) -> None:
    assert not imports(path) & IMPURE


def test_decisions_import_no_events() -> None:
    decisions = [path for path in FUNCTIONS.glob("*.py") if is_pure(path)]
    assert [path.stem for path in decisions if "lightsail_snapshots.events" in imports(path)] == []


def test_only_aws_imports_the_sdk() -> None:
    assert {path.parent.name for path in SOURCES if imports(path) & SDK} == {"aws"}


def test_plans_package_imports_no_cdk() -> None:
    assert not any("aws_cdk" in imports(path) for path in (ROOT / "plans").rglob("*.py"))


def test_functions_import_neither_pydantic_nor_the_plans_package() -> None:
    assert not any(imports(path) & {"pydantic", "lightsail_snapshots_plans"} for path in SOURCES)


def test_no_module_imports_a_handler() -> None:
    handlers = {f"lightsail_snapshots.{name}" for name in HANDLERS}
    assert not [path.stem for path in SOURCES if imports(path) & handlers]


def made_objects(path: Path) -> set[str]:
    """Return the names of the objects that a module makes when it is imported, except constants."""
    return {
        target.id
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for target in node.targets
        if isinstance(target, ast.Name) and not target.id.isupper()
    }


def test_no_module_imports_a_made_object_except_from_observability() -> None:
    made = {f"lightsail_snapshots.{path.stem}": made_objects(path) for path in SOURCES if path.stem != "observability"}
    assert {"settings", "event_bus"} <= made["lightsail_snapshots.create"]
    imported = {
        (path.stem, alias.name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in made.get(node.module or "", ())
    }
    assert imported == set()


def test_one_logger_and_one_metrics_object_are_made() -> None:
    made = {
        (path.stem, ast.unparse(node.func))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Logger", "Metrics"}
    }
    assert made == {("observability", "Logger"), ("observability", "Metrics")}


def test_tests_of_one_level_import_nothing_from_another() -> None:
    tests = ROOT / "tests"
    levels = {folder.name for folder in tests.iterdir() if folder.is_dir()} - {"support"}
    for level in levels:
        others = {f"tests.{other}" for other in levels - {level}}
        assert not [path for path in (tests / level).rglob("*.py") if imports(path) & others]
