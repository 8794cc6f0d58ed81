"""`plans.toml`, the one file that a user edits: read and checked, as a whole, before anything is synthesized.

    plans = read_plans(Path("plans.toml"))

Everything that is wrong is reported at once, in one InvalidPlansError; `Plans.warnings` holds what is suspicious only.
The keys, their defaults and what they mean are in the fields of `Plans` and `Plan`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.naming import MAX_PLAN_NAME, is_plan_name
from lightsail_snapshots.retention import FARTHEST_ALLOWANCE
from lightsail_snapshots.selection import Select
from lightsail_snapshots_plans import values
from lightsail_snapshots_plans.file import PlanFile, Problem, Table
from lightsail_snapshots_plans.schedule_expression import Schedule, parse_schedule

MAX_PLANS = 80
"""Each may have an alarm, 16 stand beside them, and the dashboard shows all in one widget, which takes 100
(CloudWatch API reference, "Dashboard body structure")."""
MAX_TRIGGERED = 8000
"""Characters of the request that a rule's target makes of an event; a template has 8192 (EventBridge API reference,
InputTransformer)."""
MAX_WITH_ON = 15
"""Plans with `on`: each has two rules, and each rule some 500 characters of the function's policy, which has 20 KB
(Lambda developer guide, "Lambda quotas"), and 140 of the queue's, which has 8 KB (SQS guide, "policy quotas")."""
MIN_CONCURRENCY = 2
MAX_CONCURRENCY = 1000
"""Bounds of an SQS event source's MaximumConcurrency: Lambda API reference, ScalingConfig."""
_PREFERRED_MINUTES = (45, 50, 40, 55, 35, 5, 10, 20, 25)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One table `[plans.<name>]`."""

    name: str
    select: Select
    schedule: Schedule | None = None
    timezone: str = "UTC"
    """Of the schedule, and of the days, weeks and months of `keep`."""
    flexible_window: int | None = None
    """Minutes in which Scheduler may choose when to start."""
    on: Mapping[str, Any] | None = None
    """An event pattern: an event that matches triggers the plan, on the default bus and on ours."""
    regions: tuple[str, ...] = ()
    """Where instances are looked for; empty: the Region of the stack, which is not known at synth."""
    keep: Keep | None = None
    keep_for: timedelta | None = None
    """How long a snapshot lives, written into it when it is made. With neither this nor `keep`, it stays for ever."""
    max_age: timedelta | None = None
    """An instance without a usable snapshot younger than this is overdue."""
    copy_to: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    max_deletes: int | None = None
    """Of one instance in one run of prune; None: a quarter of its snapshots, at least 3."""
    allow_deletes_until: date | None = None
    """`max_deletes` does not hold up to and including this day."""
    dry_run: bool = False
    """Prune only says what it would delete."""


@dataclass(frozen=True, kw_only=True)
class Plans:
    """The whole file."""

    plans: tuple[Plan, ...] = ()
    notify: tuple[str, ...] = ()
    """E-mail addresses that get the alarms."""
    allow_accounts: tuple[str, ...] = ()
    """Other accounts that may put events on the bus."""
    regions: tuple[str, ...] = ()
    """Where custom events may ask for snapshots, and the default of each plan's `regions`; empty: the stack's."""
    prune_schedule: Schedule
    """In UTC; default: every hour, at a minute when no plan starts."""
    audit_schedule: Schedule
    """In UTC; default: every hour, likewise."""
    create_concurrency: int = MIN_CONCURRENCY
    """How many `create` functions run at once: Lightsail's request rate is not published, so start low."""
    warnings: tuple[Problem, ...] = ()


_PLAN_KEYS = tuple(each.name for each in fields(Plan) if each.name != "name")
_FILE_KEYS = tuple(each.name for each in fields(Plans) if each.name != "warnings")
_KEEP_KEYS = tuple(each.name for each in fields(Keep))
_NEEDS = {
    "timezone": ("schedule", "keep"),
    "flexible_window": ("schedule",),
    "max_deletes": ("keep", "keep_for"),
    "allow_deletes_until": ("keep", "keep_for"),
    "dry_run": ("keep", "keep_for"),
}
"""Keys that have no effect without one of these others."""


def read_plans(path: Path, *, region: str | None = None, today: date | None = None) -> Plans:
    """Read the file; raise InvalidPlansError with everything that is wrong.

    `region` is the stack's where it is known at synth: it becomes the default of each plan's `regions`. `today`, in
    UTC by default, limits `allow_deletes_until`.
    """
    file = PlanFile(path)
    top = Table(file, (), file.values)
    today = today or datetime.now(UTC).date()
    notify = top.take("notify", values.addresses, ())
    accounts = top.take("allow_accounts", values.accounts, ())
    regions = top.take("regions", values.regions, (region,) if region else ())
    prune = top.take("prune_schedule", values.recurring_schedule, None)
    audit = top.take("audit_schedule", values.recurring_schedule, None)
    concurrency = top.take("create_concurrency", values.whole_number(MIN_CONCURRENCY, MAX_CONCURRENCY), MIN_CONCURRENCY)
    plans = tuple(
        _plan(Table(file, ("plans", name), table, "[plans.daily]"), regions, today)
        for name, table in top.table("plans", "[plans.daily]").values.items()
    )
    if len(plans) > MAX_PLANS:
        top.report(
            f"there are {len(plans)} plans, and at most {MAX_PLANS} can be: join those that differ little", "plans"
        )
    with_on = [plan.name for plan in plans if plan.on]
    if len(with_on) > MAX_WITH_ON:
        several = "join those that select the same, with $or in their pattern"
        top.report(f"{len(with_on)} plans have on, and at most {MAX_WITH_ON} can: {several}", "plans")
    elsewhere = dict.fromkeys(_PLAN_KEYS, "belongs to a plan: below a header such as [plans.daily]")
    top.rest(_FILE_KEYS, elsewhere)
    file.check()
    taken = frozenset[int]().union(*(_minutes_in_utc(plan, today.year) for plan in plans))
    prune = prune or _hourly(taken)
    return Plans(
        plans=plans,
        notify=notify,
        allow_accounts=accounts,
        regions=regions,
        prune_schedule=prune,
        audit_schedule=audit or _hourly(taken | prune.minutes),
        create_concurrency=concurrency,
        warnings=tuple(_warnings(file, plans, prune, today)),
    )


def fleet_request(plan: Plan) -> dict[str, Any]:
    """Return the detail of the plan's `Fleet Snapshot Requested`; its schedule or rule adds `scheduledTime`."""
    return _given(
        plan=plan.name,
        select=plan.select.as_detail(),
        regions=list(plan.regions),
        tags=dict(plan.tags),
        copyTo=list(plan.copy_to),
        keepFor=_iso(plan.keep_for),
    )


def policy(plan: Plan) -> dict[str, Any]:
    """Return what `Prune Requested` and `Audit Requested` say of a plan."""
    keep = plan.keep and _given(
        **{each.name: getattr(plan.keep, each.name) for each in fields(Keep)} | {"within": _iso(plan.keep.within)}
    )
    return _given(
        name=plan.name,
        select=plan.select.as_detail(),
        timezone=plan.timezone,
        regions=list(plan.regions),
        copyTo=list(plan.copy_to),
        keep=keep,
        maxAge=_iso(plan.max_age),
        maxDeletes=plan.max_deletes,
        allowDeletesUntil=plan.allow_deletes_until and plan.allow_deletes_until.isoformat(),
        dryRun=plan.dry_run,
    )


def audit_interval(plans: Plans) -> timedelta:
    """Return how far apart audits are at the most; a day, where that is not simple to say."""
    return plans.audit_schedule.longest_gap or timedelta(days=1)


def audit_request(plans: Plans) -> dict[str, Any]:
    """Return the detail of `Audit Requested`; its schedule adds `scheduledTime`."""
    return {"plans": [policy(plan) for plan in plans.plans], "every": _iso(audit_interval(plans))}


def _given(**members: Any) -> dict[str, Any]:
    """Leave out what is not given: None, False, 0 and what is empty."""
    return {name: value for name, value in members.items() if value}


def _iso(duration: timedelta | None) -> str | None:
    """Write a duration of whole minutes as ISO 8601."""
    if not duration:
        return None
    minutes = duration // timedelta(minutes=1)
    if minutes % (24 * 60) == 0:
        return f"P{minutes // (24 * 60)}D"
    return f"PT{minutes // 60}H" if minutes % 60 == 0 else f"PT{minutes}M"


def _plan(table: Table, default_regions: tuple[str, ...], today: date) -> Plan:
    """Read one plan; what could not be read has its default, and is reported."""
    name = table.path[-1]
    if not is_plan_name(name):
        table.report(
            f"a plan's name becomes part of a schedule's: 1 to {MAX_PLAN_NAME} letters, digits, - _ and . only"
        )
    deletes_until = values.day_within(today, FARTHEST_ALLOWANCE.days)
    plan = Plan(
        name=name,
        select=table.take("select", values.select, Select()),
        schedule=table.take("schedule", values.schedule, None),
        timezone=table.take("timezone", values.timezone, "UTC"),
        flexible_window=table.take("flexible_window", values.whole_number(1, values.MAX_FLEXIBLE_WINDOW), None),
        on=table.take("on", values.event_pattern, None),
        regions=table.take("regions", values.regions, default_regions),
        keep=_keep(table.table("keep", "{ last = 7, weekly = 4 }")) if "keep" in table else None,
        keep_for=table.take("keep_for", values.duration, None),
        max_age=table.take("max_age", values.duration, None),
        copy_to=table.take("copy_to", values.regions, ()),
        tags=table.take("tags", values.tags, {}),
        max_deletes=table.take("max_deletes", values.whole_number(1), None),
        allow_deletes_until=table.take("allow_deletes_until", deletes_until, None),
        dry_run=table.take("dry_run", values.flag, False),
    )
    table.rest(_PLAN_KEYS, dict.fromkeys(_FILE_KEYS, "belongs to the file: above the first table header"))
    _together(table, plan)
    return plan


def _keep(table: Table) -> Keep:
    count = values.whole_number(0)
    keep = Keep(
        last=table.take("last", count, 0),
        hourly=table.take("hourly", count, 0),
        daily=table.take("daily", count, 0),
        weekly=table.take("weekly", count, 0),
        monthly=table.take("monthly", count, 0),
        yearly=table.take("yearly", count, 0),
        within=table.take("within", values.duration, timedelta(0)),
    )
    table.rest(_KEEP_KEYS)
    if not keep and not table.failed:
        table.report(f"keeps nothing: give at least one of {', '.join(_KEEP_KEYS)}, above 0")
    return keep


def _together(table: Table, plan: Plan) -> None:
    """Report keys that are missing, or that do not go together."""
    if "select" not in table:
        table.report('selects nothing: give select, such as select = { tags = { backup = "daily" } }')
    if "schedule" not in table and "on" not in table:
        table.report('never starts: give schedule, such as schedule = "cron(15 3 * * ? *)", or on, an event pattern')
    if "keep" in table and "keep_for" in table:
        table.report(
            "cannot stand beside keep, which decides instead; for both, write keep = { within = ... }", "keep_for"
        )
    if plan.on and len(json.dumps(fleet_request(plan))) > MAX_TRIGGERED:
        table.report(
            f"is too long for a plan with on: select, tags and the Regions may have {MAX_TRIGGERED} characters as JSON"
        )
    for key, others in _NEEDS.items():
        if key in table and not any(other in table for other in others):
            table.report(f"has no effect without {' or '.join(others)}", key)
    _places(table, plan)


def _places(table: Table, plan: Plan) -> None:
    """Report Regions that do not go together."""
    for region in plan.regions if "regions" not in table else ():
        if region not in values.lightsail_regions():
            table.report(f"needs regions: Lightsail is not in {region}, the stack's own")
    hint = "" if "regions" in table else "; where the plan's instances are elsewhere, name it in regions"
    for region in plan.copy_to:
        if region in plan.regions:
            why = "a copy keeps its name, so it needs another Region"
            table.report(f"{region} is a Region of the plan itself: {why}{hint}", "copy_to")


def _hourly(taken: frozenset[int]) -> Schedule:
    """Run every hour, at a minute that is not taken where there is one."""
    minute = next((minute for minute in _PREFERRED_MINUTES if minute not in taken), _PREFERRED_MINUTES[0])
    return parse_schedule(f"cron({minute} * * * ? *)")


def _minutes_in_utc(plan: Plan, year: int) -> frozenset[int]:
    """Return the minutes of the hour at which a plan starts, in UTC: not all zones are whole hours from it."""
    zone = ZoneInfo(plan.timezone)
    offsets = [datetime(year, month, 1, tzinfo=zone).utcoffset() or timedelta(0) for month in (1, 7)]
    local = plan.schedule.minutes if plan.schedule else ()
    return frozenset((minute - offset // timedelta(minutes=1)) % 60 for minute in local for offset in offsets)


def _warnings(file: PlanFile, plans: Iterable[Plan], prune: Schedule, today: date) -> Iterator[Problem]:
    """Find what is allowed and yet hardly meant."""
    for plan in plans:
        path = ("plans", plan.name)
        gap = plan.schedule.longest_gap if plan.schedule else None
        if plan.max_age and gap and plan.max_age <= gap:
            yield file.problem(
                (*path, "max_age"),
                f"runs are up to {gap / timedelta(hours=1):g} hours apart: instances will be overdue between them",
            )
        if plan.schedule and plan.schedule.last_day and plan.schedule.last_day < today:
            yield file.problem((*path, "schedule"), "is past, and does not come again")
        if _minutes_in_utc(plan, today.year) & prune.minutes:
            yield file.problem(
                (*path, "schedule"), "has a minute of the hour that prune_schedule has, in UTC: better another one"
            )
        if plan.allow_deletes_until and plan.allow_deletes_until < today:
            yield file.problem((*path, "allow_deletes_until"), "is past, and has no effect any more")
        if plan.keep is None and plan.keep_for is None:
            yield file.problem(path, "its snapshots are never deleted: it has neither keep nor keep_for")
