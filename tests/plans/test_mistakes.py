"""Every mistake in plans.toml, and the message for it."""

import json
import zoneinfo
from collections.abc import Mapping
from pathlib import Path

import boto3
import pytest

from lightsail_snapshots_plans.models import PlanTable
from tests.support.plan_text import one_plan, plan_toml, problems_of

REGIONS = (
    "ap-east-1, ap-northeast-1, ap-northeast-2, ap-south-1, ap-southeast-1, ap-southeast-2, ap-southeast-3, "
    "ap-southeast-5, ca-central-1, eu-central-1, eu-north-1, eu-south-2, eu-west-1, eu-west-2, eu-west-3, sa-east-1, "
    "us-east-1, us-east-2, us-west-2"
)


A_DATE = "must be a date such as 2026-12-01"
A_DURATION = "must be a duration such as 14d, 26h, 90m, or in ISO 8601: P14D, P2W, PT36H"
A_REGION = 'must be a list of text in quotes, such as ["eu-central-1"]'
A_HEARTBEAT = 'must be an address such as "https://hc-ping.com/...", or { url_parameter = "/name/of/an/SSM/parameter" }'
KEEPS_NOTHING = "keeps nothing: set at least one of last, hourly, daily, weekly, monthly, yearly, within above 0"
NO_PARAMETER = "must be the name of an SSM parameter, such as /lightsail-snapshots/chat; it holds the address"
NO_ZONE = "is not an IANA time zone; use a name such as Europe/Berlin, America/New_York or UTC"
PAST = "is in the past, and EventBridge Scheduler would reject it: set another one, or enabled = false"
OUR_CALL = (
    "would match CloudTrail's event of our own call CreateInstanceSnapshot, so the plan would trigger itself forever; "
    "set another source, or set detail.eventName to the calls that should trigger the plan"
)


def our_event(detail_type: str) -> str:
    return (
        f"would match our own event {detail_type}, so the plan would trigger itself forever; "
        'set source, such as source = ["aws.codepipeline"]'
    )


MISTAKES: Mapping[str, tuple[dict[str, str | None], str, str]] = {
    "unknown key of a plan": ({"shedule": '"x"'}, "shedule", "unknown key; did you mean schedule?"),
    "unknown key like no other": (
        {"foo": "1"},
        "foo",
        f"unknown key; allowed are {', '.join(PlanTable.model_fields)}",
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
    "schedule that ended yesterday": ({"schedule": '"at(2026-11-22T23:59:00)"'}, "schedule", PAST),
    "schedule that ended in its zone": (
        {"schedule": '"at(2026-11-23T05:00:00)"', "timezone": '"Asia/Tokyo"'},
        "schedule",
        PAST,
    ),
    "schedule of earlier years": ({"schedule": '"cron(15 3 * * ? 2020-2025)"'}, "schedule", PAST),
    "schedule of an earlier month": ({"schedule": '"cron(15 3 1 2 ? 2026)"'}, "schedule", PAST),
    "bad rate": ({"schedule": '"rate(1 days)"'}, "schedule", "write rate(1 day)"),
    "unknown zone": (
        {"timezone": '"Europe/berln"'},
        "timezone",
        "is not an IANA time zone; did you mean Europe/Berlin?",
    ),
    "zone in lower case": ({"timezone": '"utc"'}, "timezone", "is not an IANA time zone; did you mean UTC?"),
    "zone without a continent": (
        {"timezone": '"Berlin"'},
        "timezone",
        "is not an IANA time zone; did you mean Europe/Berlin?",
    ),
    "zone as an offset": ({"timezone": '"+02:00"'}, "timezone", NO_ZONE),
    "zone as an abbreviation": ({"timezone": '"PST"'}, "timezone", NO_ZONE),
    "zone as a letter": ({"timezone": '"Z"'}, "timezone", NO_ZONE),
    "zone as an offset from GMT": ({"timezone": '"GMT+5"'}, "timezone", NO_ZONE),
    "zone of this machine": ({"timezone": '"localtime"'}, "timezone", NO_ZONE),
    "zone that nothing uses": (
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
        "eu-centrl-1 is not a Region of Lightsail; did you mean eu-central-1?",
    ),
    "no Region at all": (
        {"regions": '["Frankfurt"]'},
        "regions",
        f"Frankfurt is not a Region of Lightsail; Lightsail is in {REGIONS}",
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
        'selects nothing: set select, such as select = { tags = { backup = "daily" } }',
    ),
    "a request that a rule's target cannot hold": (
        {"on": '{ source = ["my.ci"] }', "select": f'{{ names = ["{"a" * 8000}"] }}'},
        "",
        "is too long for a plan with on: select, tags and regions may have at most 8000 characters as JSON",
    ),
    "neither schedule nor on": (
        {"schedule": None},
        "",
        'has no trigger: set schedule, such as schedule = "cron(15 3 * * ? *)", or on, an event pattern',
    ),
    "keep that keeps nothing": (
        {"keep": "{ last = 0, daily = 0 }"},
        "keep",
        KEEPS_NOTHING,
    ),
    "empty keep": (
        {"keep": "{}"},
        "keep",
        KEEPS_NOTHING,
    ),
    "keep as a number": ({"keep": "7"}, "keep", "must be a table, such as { last = 7, weekly = 4 }"),
    "negative count": ({"keep": "{ last = -1 }"}, "keep.last", "must be a whole number, 0 or more"),
    "count that is no whole number": ({"keep": "{ last = 1.5 }"}, "keep.last", "must be a whole number, 0 or more"),
    "within in calendar years": ({"keep": '{ within = "P1Y" }'}, "keep.within", A_DURATION),
    "keep_for of no length": ({"keep": None, "keep_for": '"P0D"'}, "keep_for", A_DURATION),
    "keep beside keep_for": (
        {"keep_for": '"P14D"'},
        "keep_for",
        'cannot be set with keep: to combine them, write keep = { within = "14d" }',
    ),
    "max_age in words": ({"max_age": '"1 day"'}, "max_age", A_DURATION),
    "max_age of no length": ({"max_age": '"0h"'}, "max_age", A_DURATION),
    "max_age without a unit": ({"max_age": "26"}, "max_age", "must be text in quotes"),
    "copy into the Region itself": (
        {"regions": '["eu-west-1"]', "copy_to": '["eu-west-1"]'},
        "copy_to",
        "eu-west-1 is a Region of the plan itself: a copy has the same name, so it needs another Region",
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
        "the key snapshot-of is reserved for lightsail-snapshots",
    ),
    "tag that is ours, in another case": (
        {"tags": '{ Managed-By = "terraform" }'},
        "tags.Managed-By",
        "the key Managed-By is reserved for lightsail-snapshots",
    ),
    "too many tags": (
        {"tags": "{ " + ", ".join(f'k{number} = ""' for number in range(36)) + " }"},
        "tags",
        "has 36 tags, at most 35 are allowed: Lightsail takes 50",
    ),
    "tags in a list": ({"tags": '["a"]'}, "tags", 'must be a table, such as { cost-center = "web" }'),
    "confirmed rules that are no text": (
        {"keep_confirmed": "{ last = 7 }"},
        "keep_confirmed",
        "must be text in quotes",
    ),
    "confirmed rules that are mistyped": (
        {"keep_confirmed": '"last=7 wekly=4"'},
        "keep_confirmed",
        "must be keep rules such as last=7 weekly=4 within=P3D, not 'last=7 wekly=4'",
    ),
    "confirmed rules without keep": (
        {"keep": None, "keep_confirmed": '"last=7"'},
        "keep_confirmed",
        "has no effect without keep",
    ),
    "earlier name that is no list": (
        {"was": '"nightly"'},
        "was",
        'must be a list of text in quotes, such as ["nightly"]',
    ),
    "earlier name that no plan can have": (
        {"was": '["every night"]'},
        "was",
        "must have 1 to 40 letters, digits, - _ and ., not 'every night'",
    ),
    "earlier name that is the plan's own": (
        {"was": '["daily"]'},
        "was",
        "daily is a plan of its own: its snapshots are its own",
    ),
    "dry_run in words": ({"dry_run": '"yes"'}, "dry_run", "must be true or false, without quotes"),
    "pattern that is no table": (
        {"on": '"aws.codepipeline"'},
        "on",
        'must be a table, such as { source = ["aws.codepipeline"], detail = { state = ["STARTED"] } }',
    ),
    "empty pattern": ({"on": "{}"}, "on", "must not be empty: an empty pattern matches nothing"),
    "pattern without a list": (
        {"on": '{ source = "aws.codepipeline" }'},
        "on.source",
        'must be a list: ["aws.codepipeline"]',
    ),
    "pattern with an account as a number": (
        {"on": '{ source = ["ci"], account = [111122223333] }'},
        "on.account",
        "must hold text in quotes or operators only",
    ),
    "pattern with a date": (
        {"on": '{ source = ["ci"], detail = { day = [2026-11-23] } }'},
        "on.detail.day",
        "must hold text in quotes, numbers, true, false or operators only",
    ),
    "pattern with an unknown field": (
        {"on": '{ source = ["ci"], detailtype = ["x"] }'},
        "on.detailtype",
        "events have no such field; did you mean detail-type?",
    ),
    "pattern that matches our outcome": (
        {"on": '{ detail-type = ["Instance Snapshot Available"] }'},
        "on",
        our_event("Instance Snapshot Available"),
    ),
    "pattern that names our source": (
        {"on": '{ source = ["ci", "lightsail-snapshots"] }'},
        "on",
        our_event("Instance Snapshot Requested"),
    ),
    "pattern that matches CloudTrail": ({"on": '{ source = [{ prefix = "aws." }] }'}, "on", OUR_CALL),
    "pattern that excludes us alone": (
        {"on": '{ source = [{ anything-but = "lightsail-snapshots" }] }'},
        "on",
        OUR_CALL,
    ),
    "pattern that matches the tags of our snapshots": (
        {"on": '{ source = ["aws.tag"], detail = { service = ["lightsail"] } }'},
        "on",
        "would match AWS's event about the tags of our own snapshots, so the plan would trigger itself forever; "
        "set another source, or detail.resource-type",
    ),
}


def test_plan_error_names_key_and_remedy(tmp_path: Path) -> None:
    found = {name: problems_of(tmp_path, plan_toml(**changes)) for name, (changes, _, _) in MISTAKES.items()}
    assert found == {name: [(f"plans.daily.{key}".rstrip("."), text)] for name, (_, key, text) in MISTAKES.items()}


FILE_MISTAKES: Mapping[str, tuple[str, str, str]] = {
    "mistyped key": ("plan = 3", "plan", "unknown key; did you mean plans?"),
    "key of a plan": ('max_age = "2h"', "max_age", "belongs to a plan: below a header such as [plans.daily]"),
    "plans that are no table": ("plans = 3", "plans", "must be a table, such as [plans.daily]"),
    "plan header without plans": ("[daily]\nkeep = 7", "daily", "unknown key; the header of a plan is [plans.daily]"),
    "plan header with a typo": ("[plan.daily]\nkeep = 7", "plan", "unknown key; did you mean plans?"),
    "plan that is no table": ("[plans]\ndaily = 3", "plans.daily", "must be a table, such as [plans.daily]"),
    "address without @": (
        'notify = ["ops"]',
        "notify",
        "'ops' is not an e-mail address; one looks like ops@example.com",
    ),
    "address with a name": (
        'notify = ["Ops <ops@example.com>"]',
        "notify",
        "'Ops <ops@example.com>' is not an e-mail address; one looks like ops@example.com",
    ),
    "address without a list": (
        'notify = "ops@example.com"',
        "notify",
        'must be a list of text in quotes, such as ["ops@example.com"]',
    ),
    "chat without its parameter": ("chat = {}", "chat.webhook_parameter", "is missing"),
    "chat that is no table": (
        'chat = "/lightsail-snapshots/chat"',
        "chat",
        'must be a table, such as { webhook_parameter = "/lightsail-snapshots/chat" }',
    ),
    "unknown key of chat": (
        'chat = { webhook_paramter = "/a", webhook_parameter = "/a" }',
        "chat.webhook_paramter",
        "unknown key; did you mean webhook_parameter?",
    ),
    "address of a webhook itself": (
        'chat = { webhook_parameter = "https://hooks.slack.com/services/T0/B0/x" }',
        "chat.webhook_parameter",
        NO_PARAMETER,
    ),
    "parameter without a path": ('chat = { webhook_parameter = "chat" }', "chat.webhook_parameter", NO_PARAMETER),
    "parameter of AWS": ('chat = { webhook_parameter = "/aws/x" }', "chat.webhook_parameter", NO_PARAMETER),
    "account of eleven digits": (
        'allow_accounts = ["12345678901"]',
        "allow_accounts",
        "'12345678901' is not an AWS account; one is 12 digits in quotes",
    ),
    "account that is a number": (
        "allow_accounts = [123456789012]",
        "allow_accounts",
        'must be a list of text in quotes, such as ["111122223333"]',
    ),
    "more accounts than the policy of the bus holds": (
        f"allow_accounts = {[str(10**11 + number) for number in range(101)]}",
        "allow_accounts",
        "has 101 accounts, at most 100 are allowed: the bus has to name each",
    ),
    "pruning once": (
        'prune_schedule = "at(2026-12-01T00:00:00)"',
        "prune_schedule",
        "must run forever: rate(...), or cron(...) with * as its year",
    ),
    "auditing until the end of a year": (
        'audit_schedule = "cron(15 * * * ? 2026)"',
        "audit_schedule",
        "must run forever: rate(...), or cron(...) with * as its year",
    ),
    "concurrency that SQS does not have": (
        "create_concurrency = 1",
        "create_concurrency",
        "must be a whole number from 2 to 1000",
    ),
    "glob of unprotected with braces": (
        'unprotected = ["{a,b}"]',
        "unprotected",
        '"{a,b}": braces are not supported; list each name',
    ),
    "unprotected that is no list": (
        'unprotected = "scratch-*"',
        "unprotected",
        'must be a list of globs, such as ["web-*"]',
    ),
    "unprotected tag that is a number": (
        "unprotected_tags = { backup = 0 }",
        "unprotected_tags.backup",
        'must be a text; "*" is any value',
    ),
    "heartbeat over HTTP": ('heartbeat = "http://hc-ping.com/1"', "heartbeat", A_HEARTBEAT),
    "heartbeat with a key": ("heartbeat = { parameter = '/a' }", "heartbeat", A_HEARTBEAT),
    "bad audit schedule": ('audit_schedule = "rate(2 day)"', "audit_schedule", "write rate(2 days)"),
    "bad Region": (
        'regions = ["eu-west-9"]',
        "regions",
        "eu-west-9 is not a Region of Lightsail; did you mean eu-west-3?",
    ),
}


def test_file_error_names_key_and_remedy(tmp_path: Path) -> None:
    found = {name: problems_of(tmp_path, text)[0] for name, (text, _, _) in FILE_MISTAKES.items()}
    assert found == {name: (key, problem) for name, (_, key, problem) in FILE_MISTAKES.items()}


def test_schedule_that_is_not_over_or_not_enabled_is_accepted(tmp_path: Path) -> None:
    later = '"at(2026-11-22T20:00:00)"'
    assert one_plan(tmp_path, schedule=later, timezone='"America/New_York"').schedule == later.strip('"')
    assert not one_plan(tmp_path, schedule='"at(2026-11-22T03:00:00)"', enabled="false").enabled


@pytest.mark.parametrize("name", ['"web daily"', '"täglich"', '""', '"a/b"', "a" * 41])
def test_plan_name_must_fit_a_schedule_name(tmp_path: Path, name: str) -> None:
    text = plan_toml().replace("daily", name)
    assert problems_of(tmp_path, text) == [
        (
            "plans." + name.strip('"'),
            "a plan's name must have 1 to 40 letters, digits, - _ and . only",
        )
    ]


def test_plans_with_on_are_limited_by_the_function_policy(tmp_path: Path) -> None:
    triggered = plan_toml(schedule=None, on='{ source = ["ci"] }')
    text = "\n".join(triggered.replace("daily", f"p{number}") for number in range(16))
    assert problems_of(tmp_path, text) == [
        (
            "plans",
            "16 plans have on, at most 15 are allowed: join those that select the same, with $or in their pattern",
        )
    ]


def test_plans_are_limited_by_the_stack(tmp_path: Path) -> None:
    text = "\n".join(plan_toml().replace("daily", f"p{number}") for number in range(81))
    assert problems_of(tmp_path, text) == [("plans", "there are 81 plans, at most 80 are allowed: join similar ones")]


def test_copy_into_the_stack_region_is_rejected_when_it_is_known(tmp_path: Path) -> None:
    assert problems_of(tmp_path, plan_toml(copy_to='["eu-west-1"]'), region="eu-west-1") == [
        (
            "plans.daily.copy_to",
            "eu-west-1 is a Region of the plan itself: a copy has the same name, so it needs another Region; "
            "if its instances are elsewhere, set regions",
        )
    ]


def test_plan_needs_regions_when_the_stack_region_has_no_lightsail(tmp_path: Path) -> None:
    assert problems_of(tmp_path, plan_toml(), region="us-west-1") == [
        ("plans.daily", "needs regions: the stack is in us-west-1, which has no Lightsail")
    ]
    assert one_plan(tmp_path, region="us-west-1", regions='["us-west-2"]').regions == ("us-west-2",)


def test_time_zone_error_says_what_to_install_when_there_is_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    assert problems_of(tmp_path, plan_toml(timezone='"Europe/Berlin"')) == [
        (
            "plans.daily.timezone",
            "cannot be checked: this machine has no time zone database; install one with `pip install tzdata` "
            "or your system's package tzdata",
        )
    ]


def test_every_lightsail_region_of_botocore_is_accepted(tmp_path: Path) -> None:
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
def test_pattern_is_accepted_when_it_excludes_our_own_events(tmp_path: Path, pattern: str) -> None:
    assert one_plan(tmp_path, schedule=None, on=pattern).on


def test_earlier_name_is_of_no_other_plan(tmp_path: Path) -> None:
    table = 'schedule = "rate(1 day)"\nselect = { all = true }\nkeep = { last = 7 }\nwas = ["nightly", "hourly"]\n'
    text = f"[plans.daily]\n{table}\n[plans.weekly]\n{table}\n[plans.hourly]\n{table}".replace(', "hourly"]', "]", 1)
    assert problems_of(tmp_path, text) == [
        ("plans.weekly.was", "plan daily has nightly too: only one can take it over"),
        ("plans.weekly.was", "hourly is a plan of its own: its snapshots are its own"),
        ("plans.hourly.was", "plan daily has nightly too: only one can take it over"),
        ("plans.hourly.was", "hourly is a plan of its own: its snapshots are its own"),
    ]
