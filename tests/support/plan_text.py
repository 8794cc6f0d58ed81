"""Builds plans.toml files and reads them."""

from datetime import date
from pathlib import Path

import pytest

from lightsail_snapshots.plan import Plan
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.plans import Plans, read_plans

TODAY = date(2026, 11, 23)


def read(directory: Path, text: str, region: str | None = None) -> Plans:
    path = directory / "plans.toml"
    path.write_text(text, encoding="utf-8")
    return read_plans(path, region=region, today=TODAY)


def one_plan(directory: Path, region: str | None = None, **changes: str | None) -> Plan:
    """Read a file with one plan; the values are TOML."""
    (plan,) = read(directory, plan_toml(**changes), region).plans
    return plan


def plan_toml(**changes: str | None) -> str:
    """Write the table of a sound plan, with changes; None removes a key."""
    values = {"schedule": '"cron(15 3 * * ? *)"', "select": "{ all = true }", "keep": "{ last = 7 }"} | changes
    return "[plans.daily]\n" + "".join(f"{key} = {value}\n" for key, value in values.items() if value is not None)


def error_of(directory: Path, text: str, region: str | None = None) -> InvalidPlansError:
    with pytest.raises(InvalidPlansError) as raised:
        read(directory, text, region)
    return raised.value


def problems_of(directory: Path, text: str, region: str | None = None) -> list[tuple[str, str]]:
    return [(".".join(problem.path), problem.text) for problem in error_of(directory, text, region).problems]
