"""Reads plans.toml, the one file that a user edits, and checks it as a whole before anything is synthesized.

    plans = read_plans(Path("plans.toml"))

Everything that is wrong is reported at once, in one InvalidPlansError; `Plans.warnings` has suspicious values.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar, get_args
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from lightsail_snapshots.naming import MAX_PLAN_NAME, is_plan_name
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import InvalidValueError, suggestion
from lightsail_snapshots_plans.checks import lightsail_regions
from lightsail_snapshots_plans.file import KeyPath, PlanFile, Problem, as_toml
from lightsail_snapshots_plans.fleet_request import fleet_request
from lightsail_snapshots_plans.models import DEFAULT_CONCURRENCY, HAS_NO_EFFECT_WITHOUT, FileTable, PlanTable, Table
from lightsail_snapshots_plans.schedule_expression import parse_schedule
from lightsail_snapshots_plans.warnings import find_warnings, starting_minutes

MAX_PLANS = 80
"""Each may have three resources or more, and a stack has 500 (CloudFormation user guide, quotas). A test makes such a
stack."""
MAX_TRIGGERED = 8000
"""Characters of the request that a rule's target makes of an event; a template has 8192 (EventBridge API reference,
InputTransformer)."""
MAX_WITH_ON = 15
"""Plans with `on`: each has two rules, and each rule some 500 characters of the function's policy, which has 20 KB
(Lambda developer guide, "Lambda quotas"), and 140 of the queue's, which has 8 KB (SQS guide, "policy quotas")."""
_PREFERRED_MINUTES = (45, 50, 40, 55, 35, 5, 10, 20, 25)
_EXAMPLE_HEADER = "[plans.daily]"

T = TypeVar("T", bound=Table)


@dataclass(frozen=True, kw_only=True)
class Plans:
    """What plans.toml says, with its defaults."""

    plans: tuple[Plan, ...] = ()
    notify: tuple[str, ...] = ()
    heartbeat: str | None = None
    """The address, as CloudFormation takes it."""
    chat_parameter: str | None = None
    """The SSM parameter with the address of a chat's webhook."""
    allow_accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    """Empty: the Region of the stack, which is not known at synth."""
    unprotected: tuple[str, ...] = ()
    """Globs of the names of instances that are meant to be in no plan."""
    unprotected_tags: Mapping[str, str] = field(default_factory=dict)
    """Key to glob: their tags, one of which is enough."""
    prune_schedule: str
    audit_schedule: str
    report_schedule: str
    create_concurrency: int = DEFAULT_CONCURRENCY
    warnings: tuple[Problem, ...] = ()

    @property
    def audit_interval(self) -> timedelta:
        """The longest time between two audits; a day if that is not simple to say."""
        return parse_schedule(self.audit_schedule).longest_gap or timedelta(days=1)


def read_plans(path: Path, *, region: str | None = None, today: date | None = None) -> Plans:
    """Read the file; raise InvalidPlansError with everything that is wrong.

    `region` is the stack's if it is known at synth: it becomes the default of each plan's `regions`. `today`, in UTC by
    default, decides which schedules are in the past.
    """
    file = PlanFile(path)
    now = datetime.combine(today, time(), UTC) if today else datetime.now(UTC)
    today = now.date()
    head = _read_table(file, FileTable, {key: value for key, value in file.values.items() if key != "plans"})
    regions = head.regions or ((region,) if region else ())
    plans = tuple(_read_plan(file, name, values, regions) for name, values in _plan_tables(file))
    _check_number(file, plans)
    _check_last_runs(file, plans, now)
    _check_earlier_names(file, plans)
    file.check()
    taken = frozenset[int]().union(*(starting_minutes(plan, today.year) for plan in plans))
    prune = head.prune_schedule or _at_free_minute(taken, hour="5")
    prune_minutes = parse_schedule(prune).minutes
    audit = head.audit_schedule or _at_free_minute(taken | prune_minutes, hour=_audit_hours(plans))
    busy = taken | prune_minutes | parse_schedule(audit).minutes
    return Plans(
        plans=plans,
        notify=head.notify,
        heartbeat=head.heartbeat,
        chat_parameter=head.chat and head.chat.webhook_parameter,
        allow_accounts=head.allow_accounts,
        regions=regions,
        unprotected=head.unprotected,
        unprotected_tags=head.unprotected_tags,
        prune_schedule=prune,
        audit_schedule=audit,
        report_schedule=head.report_schedule or _at_free_minute(busy, hour="6"),
        create_concurrency=head.create_concurrency,
        warnings=tuple(find_warnings(file, head, plans, prune_minutes, today)),
    )


def _plan_tables(file: PlanFile) -> Iterator[tuple[str, Mapping[str, Any]]]:
    tables = file.values.get("plans", {})
    if not isinstance(tables, Mapping):
        file.report(("plans",), f"must be a table, such as {_EXAMPLE_HEADER}")
        return
    for name, values in tables.items():
        if isinstance(values, Mapping):
            yield name, values
        else:
            file.report(("plans", name), f"must be a table, such as {_EXAMPLE_HEADER}")


def _read_table(file: PlanFile, model: type[T], values: Mapping[str, Any], path: KeyPath = ()) -> T:
    """Read the values of one table; those that are wrong are reported, and read as if they were not set."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        wrong = {each["loc"][0] for each in error.errors()}
        for inner, text in _problems(error, model):
            file.report((*path, *inner), text)
        return model.model_validate({key: value for key, value in values.items() if key not in wrong})


def _problems(error: ValidationError, model: type[Table]) -> Iterator[tuple[KeyPath, str]]:
    """Yield pydantic's errors in our words: the path inside the table, without the indexes of lists, and a text."""
    for each in error.errors():
        path = _keys(each["loc"])
        match each["type"]:
            case "too_short":  # a list without a correct entry: the wrong ones are reported
                pass
            case "extra_forbidden":
                yield path, _unknown_key(path, each["input"], model)
            case "model_type" | "dict_type":
                example, *_ = model.model_fields[path[0]].examples or [{}]
                yield path, f"must be a table, such as {as_toml(example)}"
            case "missing":
                yield path, "is missing"
            case "string_type":
                yield path, "must be text in quotes"
            case _:
                cause = each.get("ctx", {}).get("error", each["msg"])
                problems = cause.problems if isinstance(cause, InvalidValueError) else [((), str(cause))]
                yield from ((path + _keys(inner), text) for inner, text in problems)


def _keys(path: tuple[str | int, ...]) -> KeyPath:
    return tuple(part for part in path if isinstance(part, str))


def _unknown_key(path: KeyPath, value: Any, model: type[Table]) -> str:
    *tables, key = path
    for each in tables:
        model = next(kind for kind in get_args(model.model_fields[each].annotation) if issubclass(kind, Table))
    if model is FileTable and key in PlanTable.model_fields:
        return f"belongs to a plan: below a header such as {_EXAMPLE_HEADER}"
    if model is PlanTable and key in FileTable.model_fields:
        return "belongs to the file: above the first table header"
    is_plan = model is FileTable and isinstance(value, Mapping)
    otherwise = f"the header of a plan is [plans.{key}]" if is_plan else ""
    return f"unknown key; {suggestion(key, model.model_fields, otherwise)}"


def _read_plan(file: PlanFile, name: str, values: Mapping[str, Any], default_regions: tuple[str, ...]) -> Plan:
    path = ("plans", name)
    plan = _read_table(file, PlanTable, values, path).as_plan(name, default_regions)
    if not is_plan_name(name):
        file.report(path, f"a plan's name must have 1 to {MAX_PLAN_NAME} letters, digits, - _ and . only")
    for keys, text in (*_missing_keys(values), *_conflicts(plan, values)):
        file.report((*path, *keys), text)
    return plan


def _missing_keys(values: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    if "select" not in values:
        yield (), 'selects nothing: set select, such as select = { tags = { backup = "daily" } }'
    if "schedule" not in values and "on" not in values:
        yield (), 'has no trigger: set schedule, such as schedule = "cron(15 3 * * ? *)", or on, an event pattern'
    for key, others in HAS_NO_EFFECT_WITHOUT.items():
        if key in values and values.keys().isdisjoint(others):
            yield (key,), f"has no effect without {' or '.join(others)}"


def _conflicts(plan: Plan, values: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield problems of several keys together."""
    if "keep" in values and "keep_for" in values:
        yield ("keep_for",), 'cannot be set with keep: to combine them, write keep = { within = "14d" }'
    if plan.on and len(json.dumps(fleet_request(plan))) > MAX_TRIGGERED:
        limit = f"at most {MAX_TRIGGERED} characters as JSON"
        yield (), f"is too long for a plan with on: select, tags and regions may have {limit}"
    for region in plan.regions if "regions" not in values else ():
        if region not in lightsail_regions():
            yield (), f"needs regions: the stack is in {region}, which has no Lightsail"
    hint = "" if "regions" in values else "; if its instances are elsewhere, set regions"
    for region in plan.copy_to:
        if region in plan.regions:
            why = "a copy has the same name, so it needs another Region"
            yield ("copy_to",), f"{region} is a Region of the plan itself: {why}{hint}"


def _check_number(file: PlanFile, plans: tuple[Plan, ...]) -> None:
    if len(plans) > MAX_PLANS:
        file.report(("plans",), f"there are {len(plans)} plans, at most {MAX_PLANS} are allowed: join similar ones")
    with_on = sum(plan.on is not None for plan in plans)
    if with_on > MAX_WITH_ON:
        several = "join those that select the same, with $or in their pattern"
        file.report(("plans",), f"{with_on} plans have on, at most {MAX_WITH_ON} are allowed: {several}")


def _check_last_runs(file: PlanFile, plans: tuple[Plan, ...], now: datetime) -> None:
    for plan in plans:
        last_run = parse_schedule(plan.schedule).last_run if plan.schedule and plan.enabled else None
        if last_run and last_run.replace(tzinfo=ZoneInfo(plan.timezone)) < now:
            remedy = "set another one, or enabled = false"
            file.report(
                ("plans", plan.name, "schedule"), f"is in the past, and EventBridge Scheduler would reject it: {remedy}"
            )


def _check_earlier_names(file: PlanFile, plans: tuple[Plan, ...]) -> None:
    owners = {plan.name: plan.name for plan in plans}
    for plan in plans:
        for name in plan.was:
            owner = owners.setdefault(name, plan.name)
            if owner == name:
                file.report(("plans", plan.name, "was"), f"{name} is a plan of its own: its snapshots are its own")
            elif owner != plan.name:
                file.report(("plans", plan.name, "was"), f"plan {owner} has {name} too: only one can take it over")


def _audit_hours(plans: tuple[Plan, ...]) -> str:
    """Return the hours of audits: 1 to 6 apart, and at most a quarter of the smallest `max_age`.

    So people hear of an overdue instance at most a quarter of `max_age` later, and of two audits that are missing after
    half of it. Six hours apart, they fall between the daily reports, which audit too.
    """
    smallest = min((plan.max_age for plan in plans if plan.max_age), default=timedelta.max)
    apart = next((each for each in (6, 4, 3, 2) if timedelta(hours=4 * each) <= smallest), 1)
    return f"{apart // 2}/{apart}" if apart > 1 else "*"


def _at_free_minute(taken: frozenset[int], hour: str) -> str:
    """Return a schedule at a minute that is not taken, if there is one."""
    minute = next((minute for minute in _PREFERRED_MINUTES if minute not in taken), _PREFERRED_MINUTES[0])
    return f"cron({minute} {hour} * * ? *)"
