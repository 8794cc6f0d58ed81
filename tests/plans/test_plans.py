"""Plans read from plans.toml: values, defaults, warnings, and the message for a file with mistakes."""

import json
import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.selection import Select
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.models import PlanTable
from lightsail_snapshots_plans.plans import read_plans
from tests.support.plan_text import error_of, one_plan, plan_toml, problems_of, read

SHIPPED = Path(__file__).parents[2] / "plans.toml"


def test_shipped_file_is_valid_and_asks_only_for_notify() -> None:
    plans = read_plans(SHIPPED)
    assert [plan.name for plan in plans.plans] == ["daily"]
    assert [warning.path for warning in plans.warnings] == [("notify",)]


def test_commented_lines_of_the_shipped_file_are_valid(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    uncommented = re.sub(r"^# (?=\[|\w+ *= )", "", text, flags=re.MULTILINE)
    plans = read(tmp_path, uncommented)
    assert [plan.name for plan in plans.plans] == ["daily", "before-deploy"]
    assert plans.notify == ("you@example.com",)
    assert (plans.unprotected, plans.unprotected_tags) == (("scratch-*",), {"backup": "none"})
    assert plans.heartbeat
    assert plans.plans[0].copy_to == ("eu-west-1",)
    assert plans.plans[0].drill
    assert [warning.path for warning in plans.warnings] == [("plans", "daily", "drill")]


def test_plan_with_every_key_is_read(tmp_path: Path) -> None:
    plan = one_plan(
        tmp_path,
        schedule='"rate(12 hours)"',
        timezone='"Europe/Berlin"',
        flexible_window="15",
        on='{ source = ["my-ci"] }',
        regions='["eu-central-1", "us-east-1"]',
        select='{ names = ["web-*"], tags = { backup = "daily" }, exclude = ["db"], exclude_tags = { stage = "t*" } }',
        keep='{ last = 7, within = "P2W" }',
        max_age='"26h"',
        copy_to='["eu-west-1"]',
        tags='{ cost-center = "web" }',
        keep_confirmed='"within=14d last=7"',
        was='["nightly"]',
        dry_run="true",
    )
    assert plan == Plan(
        name="daily",
        schedule="rate(12 hours)",
        timezone="Europe/Berlin",
        flexible_window=15,
        on={"source": ["my-ci"]},
        regions=("eu-central-1", "us-east-1"),
        select=Select(names=("web-*",), tags={"backup": "daily"}, exclude=("db",), exclude_tags={"stage": "t*"}),
        keep=Keep(last=7, within=timedelta(days=14)),
        max_age=timedelta(hours=26),
        copy_to=("eu-west-1",),
        tags={"cost-center": "web"},
        keep_confirmed=Keep(last=7, within=timedelta(days=14)),
        was=("nightly",),
        dry_run=True,
    )


def test_every_field_of_plan_is_a_key() -> None:
    assert {*PlanTable.model_fields, "name"} == {each.name for each in fields(Plan)}


def test_durations_have_a_short_form_and_the_iso_form(tmp_path: Path) -> None:
    minutes = {"30m": 30, "26h": 26 * 60, "2d": 2880, "P2D": 2880, "PT26H": 26 * 60, "P1DT2H30M": 1590}
    for written, length in minutes.items():
        assert one_plan(tmp_path, max_age=f'"{written}"').max_age == timedelta(minutes=length)
        assert one_plan(tmp_path, keep=None, keep_for=f'"{written}"').keep_for == timedelta(minutes=length)
        assert one_plan(tmp_path, keep=f'{{ within = "{written}" }}').keep == Keep(within=timedelta(minutes=length))


def test_plan_without_regions_has_those_of_the_file_or_the_stack(tmp_path: Path) -> None:
    assert one_plan(tmp_path).regions == ()
    assert one_plan(tmp_path, region="eu-west-1").regions == ("eu-west-1",)
    (plan,) = read(tmp_path, 'regions = ["us-east-1", "us-east-2"]\n' + plan_toml(), region="eu-west-1").plans
    assert plan.regions == ("us-east-1", "us-east-2")


def test_addresses_and_accounts_are_read(tmp_path: Path) -> None:
    plans = read(tmp_path, 'notify = ["ops+aws@mail.example.com"]\nallow_accounts = ["012345678901", "111122223333"]')
    assert plans.notify == ("ops+aws@mail.example.com",)
    assert plans.allow_accounts == ("012345678901", "111122223333")


def test_unprotected_instances_are_read(tmp_path: Path) -> None:
    plans = read(tmp_path, 'unprotected = ["scratch-*", "x?"]\nunprotected_tags = { backup = "none", env = "" }')
    assert plans.unprotected == ("scratch-*", "x?")
    assert plans.unprotected_tags == {"backup": "none", "env": ""}


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ('"https://hc-ping.com/0f8b2bd1-3f5c"', "https://hc-ping.com/0f8b2bd1-3f5c"),
        ('"https://kuma.example.com:3001/api/push/x?status=up&msg=OK"',) * 2,
        ('"https://uptime.betterstack.com/api/v1/heartbeat/abc"',) * 2,
        ('{ url_parameter = "/backup/heartbeat" }', "{{resolve:ssm:/backup/heartbeat}}"),
        ('{ url_parameter = "heartbeat:2" }', "{{resolve:ssm:heartbeat:2}}"),
    ],
)
def test_heartbeat_is_an_address_or_the_name_of_a_parameter(tmp_path: Path, written: str, endpoint: str) -> None:
    assert read(tmp_path, f"heartbeat = {written}").heartbeat == endpoint.strip('"')


@pytest.mark.parametrize(
    "written",
    [
        '"https://"',
        '"https://localhost/x"',
        '"https://a@b.example.com/"',
        '"https://a.example.com/ü"',
        '"https://a.example.com/<x>"',
        "3",
        "[]",
        "{}",
        '{ url_parameter = "" }',
        '{ url_parameter = "/a/" }',
        '{ url_parameter = "/a}}" }',
        '{ url_parameter = "/a", region = "b" }',
    ],
)
def test_heartbeat_that_eventbridge_cannot_call_is_reported(tmp_path: Path, written: str) -> None:
    [(key, text)] = problems_of(tmp_path, f"heartbeat = {written}")
    assert (key, text[:30]) == ("heartbeat", 'must be an address such as "ht')


def test_parameter_of_the_chat_is_read(tmp_path: Path) -> None:
    plans = read(tmp_path, 'chat = { webhook_parameter = "/team/lightsail-snapshots/chat_1.url" }')
    assert plans.chat_parameter == "/team/lightsail-snapshots/chat_1.url"


def test_empty_file_has_no_plans(tmp_path: Path) -> None:
    plans = read(tmp_path, "")
    assert (plans.plans, plans.regions, plans.notify, plans.allow_accounts) == ((), (), (), ())
    assert plans.chat_parameter is None


def test_prune_and_audit_run_at_other_minutes_than_plans(tmp_path: Path) -> None:
    plans = read(tmp_path, plan_toml(schedule='"cron(45,50 3 * * ? *)"'))
    assert (plans.prune_schedule, plans.audit_schedule) == ("cron(40 5 * * ? *)", "cron(55 3/6 * * ? *)")
    plans = read(tmp_path, plan_toml(schedule='"cron(* * * * ? *)"'))
    assert plans.prune_schedule == "cron(45 5 * * ? *)"


def test_minutes_of_plans_are_compared_in_utc(tmp_path: Path) -> None:
    plans = read(tmp_path, plan_toml(schedule='"cron(15 3 * * ? *)"', timezone='"Asia/Kolkata"'))
    assert (plans.prune_schedule, plans.audit_schedule) == ("cron(50 5 * * ? *)", "cron(40 3/6 * * ? *)")


def test_prune_and_audit_schedules_are_those_of_the_file(tmp_path: Path) -> None:
    plans = read(tmp_path, 'prune_schedule = "rate(6 hours)"\naudit_schedule = "cron(7 * * * ? *)"')
    assert plans.prune_schedule == "rate(6 hours)"
    assert plans.audit_schedule == "cron(7 * * * ? *)"


def test_audit_interval_is_the_longest_gap_or_a_day(tmp_path: Path) -> None:
    assert read(tmp_path, "").audit_interval == timedelta(hours=6)
    assert read(tmp_path, 'audit_schedule = "rate(6 hours)"').audit_interval == timedelta(hours=6)
    assert read(tmp_path, 'audit_schedule = "cron(0 3 L * ? *)"').audit_interval == timedelta(days=1)


@pytest.mark.parametrize(
    ("max_age", "apart"),
    [("45m", 1), ("7h", 1), ("8h", 2), ("12h", 3), ("16h", 4), ("23h", 4), ("24h", 6), ("26h", 6), ("40d", 6)],
)
def test_audits_are_at_most_a_quarter_of_the_smallest_max_age_apart(tmp_path: Path, max_age: str, apart: int) -> None:
    other = plan_toml(max_age='"50d"').replace("daily", "other")
    plans = read(tmp_path, plan_toml(max_age=f'"{max_age}"') + other)
    assert plans.audit_interval == timedelta(hours=apart)
    assert read(tmp_path, f'audit_schedule = "rate(1 hour)"\n{other}').audit_interval == timedelta(hours=1)


def test_all_mistakes_are_printed_at_once(tmp_path: Path) -> None:
    text = """\
notfy = ["ops@example.com"]

[plans.daily]
schedule = "cron(15 3 * * *)"
regions  = ["eu-central-1a", "us-west-1"]
select   = { tags = { backup = "daily" } }
keep     = { last = 7, wekly = 4 }

[plans."shop nightly"]
select   = { names = ["shop *"] }
"""
    assert (
        str(error_of(tmp_path, text))
        == """\
plans.toml has 8 problems; nothing was synthesized.

plans.toml:1: notfy = ["ops@example.com"]
    unknown key; did you mean notify?

plans.toml:4: plans.daily.schedule = "cron(15 3 * * *)"
    has 5 fields, six are needed: minutes hours day-of-month month day-of-week year

plans.toml:5: plans.daily.regions = ["eu-central-1a", "us-west-1"]
    eu-central-1a is an Availability Zone; the Region is eu-central-1
    us-west-1 is a Region without Lightsail; Lightsail is in ap-east-1, ap-northeast-1,
    ap-northeast-2, ap-south-1, ap-southeast-1, ap-southeast-2, ap-southeast-3, ap-southeast-5,
    ca-central-1, eu-central-1, eu-north-1, eu-south-2, eu-west-1, eu-west-2, eu-west-3, sa-east-1,
    us-east-1, us-east-2, us-west-2

plans.toml:7: plans.daily.keep.wekly = 4
    unknown key; did you mean weekly?

plans.toml:9: plans."shop nightly"
    a plan's name must have 1 to 40 letters, digits, - _ and . only
    has no trigger: set schedule, such as schedule = "cron(15 3 * * ? *)", or on, an event pattern

plans.toml:10: plans."shop nightly".select.names = ["shop *"]
    "shop *" has ' ', so it matches no name; use letters, digits, - _ . and * ? [...]"""
    )


_scalars = st.booleans() | st.integers(-10, 2000) | st.floats(allow_nan=False) | st.text("aws-1.*{[?@: P", max_size=6)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["source", "detail", "$or", "prefix", "anything-but", "names", "all", "last", "x"]), inner
        )
    ),
    max_leaves=6,
)


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {as_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value).replace("Infinity", "inf")


@given(st.dictionaries(st.sampled_from([*PlanTable.model_fields, "foo"]), _values, min_size=1))
def test_any_value_is_read_or_reported_with_its_line(
    tmp_path_factory: pytest.TempPathFactory, plan: dict[str, Any]
) -> None:
    text = 'notify = ["ops@example.com"]\n' + plan_toml(**{key: as_toml(value) for key, value in plan.items()})
    try:
        plans = read(tmp_path_factory.mktemp("plans"), text)
    except InvalidPlansError as error:
        lines = [problem.line for problem in error.problems]
    else:
        lines = [plan.line for plan in plans.warnings]
        detail = json.loads(json.dumps(plans.plans[0].as_detail(), allow_nan=False))
        assert Plan.from_detail(detail) == plans.plans[0]
    assert all(lines)
