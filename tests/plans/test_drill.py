"""The key `drill` of a plan: its values, its mistakes, and its warnings."""

from datetime import timedelta
from pathlib import Path

import pytest

from lightsail_snapshots.drill_options import TIME_LIMIT, Drill, Probe
from lightsail_snapshots_plans.file import InvalidPlansError
from tests.support.plan_text import one_plan, plan_toml, read

WEEKLY = 'schedule = "rate(7 days)", max_age = "35d"'


def test_drill_has_defaults(tmp_path: Path) -> None:
    plan = one_plan(tmp_path, drill=f"{{ {WEEKLY} }}")
    assert plan.drill == Drill(schedule="rate(7 days)", max_age=timedelta(days=35), time_limit=TIME_LIMIT)


@pytest.mark.parametrize(("port", "protocol"), [(443, "https"), (80, "http"), (22, "tcp")])
def test_protocol_of_the_probe_follows_from_its_port(tmp_path: Path, port: int, protocol: str) -> None:
    plan = one_plan(tmp_path, drill=f"{{ {WEEKLY}, probe = {{ port = {port} }} }}")
    assert plan.drill is not None
    assert plan.drill.probe == Probe(port=port, protocol=protocol)


@pytest.mark.parametrize(
    ("drill", "problem"),
    [
        ('"x"', "must be a table, such as"),
        ('{ max_age = "35d" }', "schedule\n    is missing"),
        ('{ schedule = "rate(7 days)" }', "max_age\n    is missing"),
        ('{ schedule = "at(2027-01-01T00:00:00)", max_age = "35d" }', "must run forever"),
        (f'{{ {WEEKLY}, time_limit = "9h" }}', "must be at most PT8H, not PT9H"),
        (f'{{ {WEEKLY}, maxage = "1d" }}', "unknown key; did you mean max_age?"),
        (f"{{ {WEEKLY}, max_price_per_hour = 0 }}", "must be a price in USD above 0, such as 0.10, not 0"),
        (f"{{ {WEEKLY}, probe = {{ prt = 1 }} }}", "unknown key; did you mean port?"),
        (f"{{ {WEEKLY}, probe = {{ port = 0 }} }}", "must be a port from 1 to 65535, not 0"),
        (f'{{ {WEEKLY}, probe = {{ port = 80, path = "x" }} }}', "must be a path such as /health, not 'x'"),
        (f'{{ {WEEKLY}, probe = {{ port = 80, protocol = "udp" }} }}', "must be one of tcp, http, https, not 'udp'"),
    ],
)
def test_mistake_in_a_drill_is_reported(tmp_path: Path, drill: str, problem: str) -> None:
    with pytest.raises(InvalidPlansError) as error:
        read(tmp_path, plan_toml(drill=drill))
    assert problem in str(error.value)


def test_drill_warns_of_what_a_clone_does_and_of_drills_too_far_apart(tmp_path: Path) -> None:
    plans = read(tmp_path, plan_toml(drill='{ schedule = "rate(7 days)", max_age = "3d" }'))
    texts = {warning.path[2:]: warning.text for warning in plans.warnings if "drill" in warning.path}
    assert texts == {
        ("drill",): "each clone does what its instance does on its own, such as cron jobs and mail: see docs/drill.md",
        ("drill", "max_age"): "drills are up to 168 hours apart: proofs will be overdue between them",
    }
