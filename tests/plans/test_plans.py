"""plans.toml: what it may say, and what the user reads where it cannot be used."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots import plan as event_plan
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.selection import Select
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.models import Plan, fleet_request, policy, read_plans
from tests.support.plan_text import error_of, one_plan, plan_toml, read

SHIPPED = Path(__file__).parents[2] / "plans.toml"

# What ships


def test_the_shipped_file_is_sound_and_gives_no_warning() -> None:
    plans = read_plans(SHIPPED)
    assert [plan.name for plan in plans.plans] == ["daily"]
    assert plans.warnings == ()


def test_what_the_shipped_file_offers_in_comments_is_sound_too(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    uncommented = re.sub(r"^# (?=\[|\w+ *= )", "", text, flags=re.MULTILINE)
    plans = read(tmp_path, uncommented)
    assert [plan.name for plan in plans.plans] == ["daily", "before-deploy"]
    assert plans.notify == ("you@example.com",)
    assert plans.plans[0].copy_to == ("eu-west-1",)
    assert plans.warnings == ()


# What is read


def test_a_plan_with_everything_is_read_into_types(tmp_path: Path) -> None:
    plan = one_plan(
        tmp_path,
        schedule='"rate(12 hours)"',
        timezone='"Europe/Berlin"',
        flexible_window="15",
        on='{ source = ["my-ci"] }',
        regions='["eu-central-1", "us-east-1"]',
        select='{ names = ["web-*"], tags = { backup = "daily" }, exclude = ["web-test"] }',
        keep='{ last = 7, within = "P2W" }',
        max_age='"26h"',
        copy_to='["eu-west-1"]',
        tags='{ cost-center = "web" }',
        max_deletes="5",
        allow_deletes_until='"2026-11-30"',
        dry_run="true",
    )
    assert plan.schedule is not None
    assert plan.schedule.expression == "rate(12 hours)"
    assert plan == Plan(
        name="daily",
        schedule=plan.schedule,
        timezone="Europe/Berlin",
        flexible_window=15,
        on={"source": ["my-ci"]},
        regions=("eu-central-1", "us-east-1"),
        select=Select(names=("web-*",), tags={"backup": "daily"}, exclude=("web-test",)),
        keep=Keep(last=7, within=timedelta(days=14)),
        max_age=timedelta(hours=26),
        copy_to=("eu-west-1",),
        tags={"cost-center": "web"},
        max_deletes=5,
        allow_deletes_until=date(2026, 11, 30),
        dry_run=True,
    )


def test_a_fleet_request_is_what_fan_out_needs_and_no_more(tmp_path: Path) -> None:
    assert fleet_request(one_plan(tmp_path)) == {"plan": "daily", "select": {"all": True}}
    plan = one_plan(
        tmp_path,
        keep=None,
        keep_for='"P2W"',
        regions='["us-east-1"]',
        copy_to='["eu-west-1"]',
        tags='{ env = "prod", hold = "" }',
    )
    assert fleet_request(plan) == {
        "plan": "daily",
        "select": {"all": True},
        "regions": ["us-east-1"],
        "tags": {"env": "prod", "hold": ""},
        "copyTo": ["eu-west-1"],
        "keepFor": "P14D",
    }


def test_a_policy_is_what_prune_and_audit_need(tmp_path: Path) -> None:
    assert policy(one_plan(tmp_path, keep=None)) == {"name": "daily", "select": {"all": True}, "timezone": "UTC"}
    plan = one_plan(
        tmp_path,
        timezone='"Asia/Tokyo"',
        regions='["us-east-1"]',
        copy_to='["eu-west-1"]',
        keep='{ last = 0, hourly = 1, daily = 2, weekly = 3, monthly = 4, yearly = 5, within = "PT36H" }',
        max_age='"90m"',
        max_deletes="5",
        allow_deletes_until="2026-11-25",
        dry_run="true",
    )
    assert policy(plan) == {
        "name": "daily",
        "select": {"all": True},
        "timezone": "Asia/Tokyo",
        "regions": ["us-east-1"],
        "copyTo": ["eu-west-1"],
        "keep": {"hourly": 1, "daily": 2, "weekly": 3, "monthly": 4, "yearly": 5, "within": "PT36H"},
        "maxAge": "PT90M",
        "maxDeletes": 5,
        "allowDeletesUntil": "2026-11-25",
        "dryRun": True,
    }
    assert event_plan.Plan.from_detail(json.loads(json.dumps(policy(plan)))) == event_plan.Plan(
        name="daily",
        select=Select(all_instances=True),
        timezone="Asia/Tokyo",
        regions=("us-east-1",),
        keep=Keep(hourly=1, daily=2, weekly=3, monthly=4, yearly=5, within=timedelta(hours=36)),
        max_age=timedelta(minutes=90),
        copy_to=("eu-west-1",),
        max_deletes=5,
        allow_deletes_until=date(2026, 11, 25),
        dry_run=True,
    )


@pytest.mark.parametrize(
    ("written", "age"),
    [("30m", 30), ("26h", 26 * 60), ("2d", 2880), ("P2D", 2880), ("PT26H", 26 * 60), ("P1DT2H30M", 1590)],
)
def test_an_age_has_a_short_form_and_the_iso_form(tmp_path: Path, written: str, age: int) -> None:
    assert one_plan(tmp_path, max_age=f'"{written}"').max_age == timedelta(minutes=age)


def test_a_plan_without_regions_has_those_of_the_file_or_the_stack(tmp_path: Path) -> None:
    assert one_plan(tmp_path).regions == ()
    assert one_plan(tmp_path, region="eu-west-1").regions == ("eu-west-1",)
    (plan,) = read(tmp_path, 'regions = ["us-east-1", "us-east-2"]\n' + plan_toml(), region="eu-west-1").plans
    assert plan.regions == ("us-east-1", "us-east-2")


def test_the_file_names_who_is_told_and_who_may_ask(tmp_path: Path) -> None:
    plans = read(tmp_path, 'notify = ["ops+aws@mail.example.com"]\nallow_accounts = ["012345678901", "111122223333"]')
    assert plans.notify == ("ops+aws@mail.example.com",)
    assert plans.allow_accounts == ("012345678901", "111122223333")


def test_an_empty_file_is_for_custom_events_alone(tmp_path: Path) -> None:
    plans = read(tmp_path, "")
    assert (plans.plans, plans.regions, plans.notify, plans.allow_accounts) == ((), (), (), ())


def test_a_file_saved_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + plan_toml()).plans


def test_prune_and_audit_run_hourly_and_never_at_the_minute_of_a_plan_or_of_each_other(tmp_path: Path) -> None:
    plans = read(tmp_path, plan_toml(schedule='"cron(45,50 3 * * ? *)"'))
    assert (plans.prune_schedule.expression, plans.audit_schedule.expression) == (
        "cron(40 * * * ? *)",
        "cron(55 * * * ? *)",
    )
    plans = read(tmp_path, plan_toml(schedule='"cron(* * * * ? *)"'))
    assert plans.prune_schedule.expression == "cron(45 * * * ? *)"


@pytest.mark.parametrize(
    ("timezone", "minute"),
    [("Asia/Kolkata", 15), ("Asia/Kathmandu", 30), ("America/St_Johns", 15), ("Australia/Lord_Howe", 15)],
)
def test_the_minute_of_a_plan_is_that_of_utc(tmp_path: Path, timezone: str, minute: int) -> None:
    plans = read(tmp_path, plan_toml(schedule=f'"cron({minute} 3 * * ? *)"', timezone=f'"{timezone}"'))
    assert plans.prune_schedule.expression == "cron(50 * * * ? *)"
    assert plans.audit_schedule.expression == "cron(40 * * * ? *)"


def test_prune_and_audit_run_when_the_file_says(tmp_path: Path) -> None:
    plans = read(tmp_path, 'prune_schedule = "rate(6 hours)"\naudit_schedule = "cron(7 * * * ? *)"')
    assert plans.prune_schedule.expression == "rate(6 hours)"
    assert plans.audit_schedule.expression == "cron(7 * * * ? *)"


# What is refused as a whole


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidPlansError) as raised:
        read_plans(tmp_path / "plans.toml")
    assert str(raised.value) == (
        f"{tmp_path}/plans.toml does not exist. It names the instances to take snapshots of; without plans, for custom "
        "events alone, an empty file will do."
    )


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 1000 + "]" * 1000], ids=["digits", "brackets"])
def test_what_python_cannot_hold_is_one_clear_error(tmp_path: Path, value: str) -> None:
    assert str(error_of(tmp_path, f"create_concurrency = {value}\n")).startswith(f"{tmp_path}/plans.toml is not TOML: ")


def test_a_syntax_error_says_where(tmp_path: Path) -> None:
    assert str(error_of(tmp_path, "[plans.daily]\nschedule =\n")) == (
        f"{tmp_path}/plans.toml is not TOML: Invalid value (at line 2, column 11)"
    )


def test_a_file_that_is_no_text_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "plans.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidPlansError, match="cannot be read: 'utf-8' codec"):
        read_plans(path)
    with pytest.raises(InvalidPlansError, match="cannot be read: "):
        read_plans(tmp_path)


def test_everything_is_reported_at_once_as_a_person_reads_it_in_a_terminal(tmp_path: Path) -> None:
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
    a plan's name becomes part of a schedule's: 1 to 40 letters, digits, - _ and . only
    never starts: give schedule, such as schedule = "cron(15 3 * * ? *)", or on, an event pattern

plans.toml:10: plans."shop nightly".select.names = ["shop *"]
    "shop *" has ' ', so it matches no name; use letters, digits, - _ . and * ? [...]"""
    )


# What is allowed and yet hardly meant


@pytest.mark.parametrize(
    ("changes", "key", "text"),
    [
        (
            {"max_age": '"24h"'},
            "max_age",
            "runs are up to 24 hours apart: instances will be overdue between them",
        ),
        (
            {"schedule": '"cron(0 3 ? * MON-FRI *)"', "max_age": '"26h"'},
            "max_age",
            "runs are up to 72 hours apart: instances will be overdue between them",
        ),
        ({"schedule": '"at(2026-11-22T03:00:00)"'}, "schedule", "is past, and does not come again"),
        (
            {"schedule": '"cron(15 3 * * ? 2020-2025)"', "max_age": None},
            "schedule",
            "is past, and does not come again",
        ),
        ({"allow_deletes_until": "2026-11-22"}, "allow_deletes_until", "is past, and has no effect any more"),
        ({"keep": None}, "", "its snapshots are never deleted: it has neither keep nor keep_for"),
    ],
)
def test_what_is_hardly_meant_is_a_warning(tmp_path: Path, changes: dict[str, str | None], key: str, text: str) -> None:
    (warning,) = read(tmp_path, plan_toml(**changes)).warnings
    assert (".".join(warning.path), warning.text) == (f"plans.daily.{key}".rstrip("."), text)


def test_a_warning_reads_like_a_problem(tmp_path: Path) -> None:
    (warning,) = read(tmp_path, 'prune_schedule = "cron(15 * * * ? *)"\n' + plan_toml()).warnings
    assert str(warning) == (
        'plans.toml:3: plans.daily.schedule = "cron(15 3 * * ? *)"\n'
        "    has a minute of the hour that prune_schedule has, in UTC: better another one"
    )


# Whatever is written


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


@given(
    st.dictionaries(
        st.sampled_from([*(name for name in Plan.__dataclass_fields__ if name != "name"), "foo"]), _values, min_size=1
    )
)
def test_whatever_is_written_is_read_or_reported_and_never_breaks(
    tmp_path_factory: pytest.TempPathFactory, plan: dict[str, Any]
) -> None:
    text = plan_toml(**{key: as_toml(value) for key, value in plan.items()})
    try:
        plans = read(tmp_path_factory.mktemp("plans"), text)
    except InvalidPlansError as error:
        lines = [problem.line for problem in error.problems]
    else:
        lines = [plan.line for plan in plans.warnings]
        json.dumps([fleet_request(plans.plans[0]), policy(plans.plans[0]), plans.plans[0].on], allow_nan=False)
    assert all(lines)
