"""Every mistake in plans.toml, with what the user reads."""

import json
import zoneinfo
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest

from tests.support.plan_text import one_plan, plan_toml, problems_of

REGIONS = (
    "ap-east-1, ap-northeast-1, ap-northeast-2, ap-south-1, ap-southeast-1, ap-southeast-2, ap-southeast-3, "
    "ap-southeast-5, ca-central-1, eu-central-1, eu-north-1, eu-south-2, eu-west-1, eu-west-2, eu-west-3, sa-east-1, "
    "us-east-1, us-east-2, us-west-2"
)


A_DATE = "must be a date such as 2026-12-01"
A_DURATION = "must be a duration such as 14d, 26h, 90m, or in ISO 8601: P14D, P2W, PT36H"
A_REGION = 'must be a list of text in quotes, such as ["eu-central-1"]'
OURS = "that the plan would set itself off for ever"
OUR_EVENTS = (
    f'would match our own events, of source "lightsail-snapshots", so {OURS}; '
    'pin source to what is to trigger the plan, such as source = ["aws.codepipeline"]'
)
OUR_CALL = (
    f"would match CloudTrail's event of our own call CreateInstanceSnapshot, so {OURS}; "
    "pin source to something else, or detail.eventName to the calls that are to trigger the plan"
)

MISTAKES: Mapping[str, tuple[dict[str, str | None], str, str]] = {
    "unknown key of a plan": ({"shedule": '"x"'}, "shedule", "unknown key; did you mean schedule?"),
    "unknown key like no other": (
        {"foo": "1"},
        "foo",
        "unknown key; allowed are select, schedule, timezone, flexible_window, on, regions, keep, keep_for, max_age, "
        "copy_to, tags, max_deletes, allow_deletes_until, dry_run",
    ),
    "unknown key of keep": ({"keep": "{ dayly = 7 }"}, "keep.dayly", "unknown key; did you mean daily?"),
    "unknown key of select": (
        {"select": '{ all = true, exlude = ["a"] }'},
        "select.exlude",
        "unknown key; did you mean exclude?",
    ),
    "key of the file in a plan": (
        {"notify": '["ops@example.com"]'},
        "notify",
        "belongs to the file: above the first table header",
    ),
    "schedule that is no text": ({"schedule": "15"}, "schedule", "must be text in quotes"),
    "bad cron": (
        {"schedule": '"cron(15 3 * * * *)"'},
        "schedule",
        "exactly one of day-of-month (third) and day-of-week (fifth) must be ?, and here neither is",
    ),
    "bad rate": ({"schedule": '"rate(1 days)"'}, "schedule", "write rate(1 day)"),
    "unknown zone": (
        {"timezone": '"Europe/berln"'},
        "timezone",
        "is no time zone of the IANA database; did you mean Europe/Berlin?",
    ),
    "zone as an offset": (
        {"timezone": '"+02:00"'},
        "timezone",
        "is no time zone of the IANA database; names are like Europe/Berlin, America/New_York, UTC",
    ),
    "zone of this machine": (
        {"timezone": '"localtime"'},
        "timezone",
        "is no time zone of the IANA database; names are like Europe/Berlin, America/New_York, UTC",
    ),
    "zone without anything in it": (
        {"timezone": '"UTC"', "schedule": None, "on": '{ source = ["ci"] }', "keep": None},
        "timezone",
        "has no effect without schedule or keep",
    ),
    "window too long": ({"flexible_window": "1441"}, "flexible_window", "must be a whole number from 1 to 1440"),
    "window that is true": ({"flexible_window": "true"}, "flexible_window", "must be a whole number from 1 to 1440"),
    "window without schedule": (
        {"flexible_window": "5", "schedule": None, "on": '{ source = ["ci"] }'},
        "flexible_window",
        "has no effect without schedule",
    ),
    "Availability Zone for a Region": (
        {"regions": '["eu-central-1a"]'},
        "regions",
        "eu-central-1a is an Availability Zone; the Region is eu-central-1",
    ),
    "local zone for a Region": (
        {"regions": '["us-west-2-lax-1a"]'},
        "regions",
        "us-west-2-lax-1a is an Availability Zone; the Region is us-west-2",
    ),
    "Region in botocore's enum that has no Lightsail": (
        {"regions": '["us-west-1"]'},
        "regions",
        f"us-west-1 is a Region without Lightsail; Lightsail is in {REGIONS}",
    ),
    "mistyped Region": (
        {"regions": '["eu-centrl-1"]'},
        "regions",
        "eu-centrl-1 is no Region of Lightsail; did you mean eu-central-1?",
    ),
    "no Region at all": (
        {"regions": '["Frankfurt"]'},
        "regions",
        f"Frankfurt is no Region of Lightsail; Lightsail is in {REGIONS}",
    ),
    "Region twice": ({"regions": '["eu-west-1", "eu-west-1"]'}, "regions", "eu-west-1 is listed twice"),
    "Region without a list": ({"regions": '"eu-west-1"'}, "regions", A_REGION),
    "no Regions": ({"regions": "[]"}, "regions", A_REGION),
    "bad glob": (
        {"select": '{ names = ["web/*"] }'},
        "select.names",
        "\"web/*\" has '/', so it matches no name; use letters, digits, - _ . and * ? [...]",
    ),
    "select that is no table": (
        {"select": '"web-*"'},
        "select",
        "must have names, tags or all",
    ),
    "select that selects nothing": (
        {"select": '{ exclude = ["a"] }'},
        "select",
        "selects nothing: give names, tags or all",
    ),
    "no select": (
        {"select": None},
        "",
        'selects nothing: give select, such as select = { tags = { backup = "daily" } }',
    ),
    "a request that a rule's target cannot hold": (
        {"on": '{ source = ["my.ci"] }', "select": f'{{ names = ["{"a" * 8000}"] }}'},
        "",
        "is too long for a plan with on: select, tags and the Regions may have 8000 characters as JSON",
    ),
    "neither schedule nor on": (
        {"schedule": None},
        "",
        'never starts: give schedule, such as schedule = "cron(15 3 * * ? *)", or on, an event pattern',
    ),
    "keep that keeps nothing": (
        {"keep": "{ last = 0, daily = 0 }"},
        "keep",
        "keeps nothing: give at least one of last, hourly, daily, weekly, monthly, yearly, within, above 0",
    ),
    "empty keep": (
        {"keep": "{}"},
        "keep",
        "keeps nothing: give at least one of last, hourly, daily, weekly, monthly, yearly, within, above 0",
    ),
    "keep that is no table": ({"keep": "7"}, "keep", "must be a table, such as { last = 7, weekly = 4 }"),
    "negative count": ({"keep": "{ last = -1 }"}, "keep.last", "must be a whole number, 0 or more"),
    "count that is no whole number": ({"keep": "{ last = 1.5 }"}, "keep.last", "must be a whole number, 0 or more"),
    "within in another form": ({"keep": '{ within = "14 d" }'}, "keep.within", A_DURATION),
    "within in calendar years": ({"keep": '{ within = "P1Y" }'}, "keep.within", A_DURATION),
    "keep_for in another form": ({"keep": None, "keep_for": '"36H"'}, "keep_for", A_DURATION),
    "keep_for of no length": ({"keep": None, "keep_for": '"P0D"'}, "keep_for", A_DURATION),
    "keep beside keep_for": (
        {"keep_for": '"P14D"'},
        "keep_for",
        "cannot stand beside keep, which decides instead; for both, write keep = { within = ... }",
    ),
    "max_age in words": ({"max_age": '"1 day"'}, "max_age", A_DURATION),
    "max_age of no length": ({"max_age": '"0h"'}, "max_age", A_DURATION),
    "max_age without a unit": ({"max_age": "26"}, "max_age", "must be text in quotes"),
    "copy into the Region itself": (
        {"regions": '["eu-west-1"]', "copy_to": '["eu-west-1"]'},
        "copy_to",
        "eu-west-1 is a Region of the plan itself: a copy keeps its name, so it needs another Region",
    ),
    "copy into an Availability Zone": (
        {"copy_to": '["eu-west-1b"]'},
        "copy_to",
        "eu-west-1b is an Availability Zone; the Region is eu-west-1",
    ),
    "tag with a reserved prefix": (
        {"tags": '{ "AWS:x" = "y" }'},
        "tags.AWS:x",
        "the key begins with aws:, which is reserved",
    ),
    "tag with a character too many": (
        {"tags": '{ env = "a;b" }'},
        "tags.env",
        "the value may hold only letters, digits, spaces and + - = . _ : / @",
    ),
    "tag with a long key": (
        {"tags": f'{{ {"k" * 129} = "a" }}'},
        f"tags.{'k' * 129}",
        "the key has 129 characters, allowed are 1 to 128",
    ),
    "tag with a long value": (
        {"tags": f'{{ env = "{"v" * 257}" }}'},
        "tags.env",
        "the value has 257 characters, allowed are 256",
    ),
    "tag that is a number": ({"tags": "{ env = 7 }"}, "tags.env", "must be text in quotes"),
    "tag that is ours": (
        {"tags": '{ snapshot-of = "x" }'},
        "tags.snapshot-of",
        "is reserved for lightsail-snapshots",
    ),
    "too many tags": (
        {"tags": "{ " + ", ".join(f'k{number} = ""' for number in range(46)) + " }"},
        "tags",
        "has 46 tags, allowed are 45: Lightsail takes 50, the rest are ours",
    ),
    "tags in a list": ({"tags": '["a"]'}, "tags", 'must be a table of tags, such as { cost-center = "web" }'),
    "no deletes at all": ({"max_deletes": "0"}, "max_deletes", "must be a whole number, 1 or more"),
    "deletes allowed for long": (
        {"allow_deletes_until": '"2026-12-01"'},
        "allow_deletes_until",
        "must not be more than 7 days ahead: 2026-11-30 at the latest",
    ),
    "deletes allowed until no date": ({"allow_deletes_until": '"soon"'}, "allow_deletes_until", A_DATE),
    "deletes allowed until a time": ({"allow_deletes_until": "2026-11-24T00:00:00"}, "allow_deletes_until", A_DATE),
    "deletes limited where nothing is deleted": (
        {"keep": None, "max_deletes": "3"},
        "max_deletes",
        "has no effect without keep or keep_for",
    ),
    "dry_run in words": ({"dry_run": '"yes"'}, "dry_run", "must be true or false, without quotes"),
    "pattern that is no table": (
        {"on": '"aws.codepipeline"'},
        "on",
        'must be an event pattern, such as { source = ["aws.codepipeline"] }',
    ),
    "empty pattern": ({"on": "{}"}, "on", "must not be empty: an empty pattern matches nothing"),
    "pattern without a list": (
        {"on": '{ source = "aws.codepipeline" }'},
        "on.source",
        'must be a list: ["aws.codepipeline"]',
    ),
    "pattern with an unknown field": (
        {"on": '{ source = ["ci"], detailtype = ["x"] }'},
        "on.detailtype",
        "no event has this field; did you mean detail-type?",
    ),
    "pattern that matches our outcome": ({"on": '{ detail-type = ["Instance Snapshot Available"] }'}, "on", OUR_EVENTS),
    "pattern that names our source": ({"on": '{ source = ["ci", "lightsail-snapshots"] }'}, "on", OUR_EVENTS),
    "pattern that matches CloudTrail": ({"on": '{ source = [{ prefix = "aws." }] }'}, "on", OUR_CALL),
    "pattern that excludes us alone": (
        {"on": '{ source = [{ anything-but = "lightsail-snapshots" }] }'},
        "on",
        OUR_CALL,
    ),
    "pattern that matches the tags of our snapshots": (
        {"on": '{ source = ["aws.tag"], detail = { service = ["lightsail"] } }'},
        "on",
        f"would match the event that AWS itself sends about the tags of our own snapshots, so {OURS}; "
        "pin source to something else, or detail.resource-type",
    ),
}


@pytest.mark.parametrize(("changes", "key", "text"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_plan_is_named(tmp_path: Path, changes: dict[str, str | None], key: str, text: str) -> None:
    assert problems_of(tmp_path, plan_toml(**changes)) == [(f"plans.daily.{key}".rstrip("."), text)]


FILE_MISTAKES: Mapping[str, tuple[str, str, str]] = {
    "mistyped key": ("plan = 3", "plan", "unknown key; did you mean plans?"),
    "key of a plan": ('max_age = "2h"', "max_age", "belongs to a plan: below a header such as [plans.daily]"),
    "plans that are no table": ("plans = 3", "plans", "must be a table, such as [plans.daily]"),
    "plan that is no table": ("[plans]\ndaily = 3", "plans.daily", "must be a table, such as [plans.daily]"),
    "address without @": (
        'notify = ["ops"]',
        "notify",
        "'ops' is no e-mail address; one looks like ops@example.com",
    ),
    "address with a name": (
        'notify = ["Ops <ops@example.com>"]',
        "notify",
        "'Ops <ops@example.com>' is no e-mail address; one looks like ops@example.com",
    ),
    "address without a list": (
        'notify = "ops@example.com"',
        "notify",
        'must be a list of text in quotes, such as ["ops@example.com"]',
    ),
    "account of eleven digits": (
        'allow_accounts = ["12345678901"]',
        "allow_accounts",
        "'12345678901' is no AWS account; one is 12 digits in quotes",
    ),
    "account that is a number": (
        "allow_accounts = [123456789012]",
        "allow_accounts",
        'must be a list of text in quotes, such as ["111122223333"]',
    ),
    "pruning once": (
        'prune_schedule = "at(2026-12-01T00:00:00)"',
        "prune_schedule",
        "must come again and again: rate(...), or cron(...) with * as its year",
    ),
    "auditing until the end of a year": (
        'audit_schedule = "cron(15 * * * ? 2026)"',
        "audit_schedule",
        "must come again and again: rate(...), or cron(...) with * as its year",
    ),
    "concurrency that SQS does not have": (
        "create_concurrency = 1",
        "create_concurrency",
        "must be a whole number from 2 to 1000",
    ),
    "bad audit schedule": ('audit_schedule = "rate(2 day)"', "audit_schedule", "write rate(2 days)"),
    "bad Region": (
        'regions = ["eu-west-9"]',
        "regions",
        "eu-west-9 is no Region of Lightsail; did you mean eu-west-3?",
    ),
}


@pytest.mark.parametrize(("text", "key", "problem"), FILE_MISTAKES.values(), ids=FILE_MISTAKES)
def test_a_mistake_at_the_top_of_the_file_is_named(tmp_path: Path, text: str, key: str, problem: str) -> None:
    assert problems_of(tmp_path, text)[0] == (key, problem)


@pytest.mark.parametrize("name", ['"web daily"', '"täglich"', '""', '"a/b"', "a" * 41])
def test_a_plan_whose_name_cannot_be_a_schedules_is_refused(tmp_path: Path, name: str) -> None:
    text = plan_toml().replace("daily", name)
    assert problems_of(tmp_path, text) == [
        (
            "plans." + name.strip('"'),
            "a plan's name becomes part of a schedule's: 1 to 40 letters, digits, - _ and . only",
        )
    ]


def test_more_triggered_plans_than_a_functions_policy_holds_are_refused(tmp_path: Path) -> None:
    triggered = plan_toml(schedule=None, on='{ source = ["ci"] }')
    text = "\n".join(triggered.replace("daily", f"p{number}") for number in range(16))
    assert problems_of(tmp_path, text) == [
        ("plans", "16 plans have on, and at most 15 can: join those that select the same, with $or in their pattern")
    ]


def test_more_plans_than_the_dashboard_shows_alarms_of_are_refused(tmp_path: Path) -> None:
    text = "\n".join(plan_toml().replace("daily", f"p{number}") for number in range(81))
    assert problems_of(tmp_path, text) == [
        ("plans", "there are 81 plans, and at most 80 can be: join those that differ little")
    ]


def test_a_copy_into_the_stacks_own_region_is_refused_where_that_is_known(tmp_path: Path) -> None:
    assert problems_of(tmp_path, plan_toml(copy_to='["eu-west-1"]'), region="eu-west-1") == [
        (
            "plans.daily.copy_to",
            "eu-west-1 is a Region of the plan itself: a copy keeps its name, so it needs another Region; "
            "where the plan's instances are elsewhere, name it in regions",
        )
    ]


def test_a_stack_in_a_region_without_lightsail_needs_regions(tmp_path: Path) -> None:
    assert problems_of(tmp_path, plan_toml(), region="us-west-1") == [
        ("plans.daily", "needs regions: Lightsail is not in us-west-1, the stack's own")
    ]
    assert one_plan(tmp_path, region="us-west-1", regions='["us-west-2"]').regions == ("us-west-2",)


def test_a_machine_without_time_zones_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    assert problems_of(tmp_path, plan_toml(timezone='"Europe/Berlin"')) == [
        (
            "plans.daily.timezone",
            "cannot be checked: this machine has no time zone database; install one with `pip install tzdata` "
            "or your system's package tzdata",
        )
    ]


def test_every_region_where_botocore_knows_lightsail_is_accepted(tmp_path: Path) -> None:
    regions = boto3.session.Session().get_available_regions("lightsail")
    assert one_plan(tmp_path, regions=json.dumps(regions)).regions == tuple(regions)
    assert ", ".join(regions) == REGIONS


@pytest.mark.parametrize(
    "pattern",
    [
        '{ source = ["aws.codepipeline"] }',
        '{ source = ["aws.lightsail"], detail = { eventName = ["StopInstance", { prefix = "Start" }] } }',
        '{ source = [{ anything-but = ["lightsail-snapshots", "aws.lightsail", "aws.tag"] }] }',
        '{ source = [{ wildcard = "my-*" }], detail = { state = [{ exists = true }] } }',
        '{ "$or" = [{ source = ["ci"] }, { source = ["aws.codedeploy"], region = ["eu-west-1"] }] }',
        '{ source = ["aws.tag"], detail = { service = ["lightsail"], resource-type = ["Instance"] } }',
    ],
)
def test_a_pattern_that_keeps_clear_of_our_own_events_is_accepted(tmp_path: Path, pattern: str) -> None:
    assert one_plan(tmp_path, schedule=None, on=pattern).on
