"""Values of plans.toml that are allowed, but probably a mistake."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from lightsail_snapshots.keep_rules import format_keep_tag
from lightsail_snapshots.plan import Plan
from lightsail_snapshots_plans.clock_changes import longest_wait
from lightsail_snapshots_plans.file import KeyPath, PlanFile, Problem
from lightsail_snapshots_plans.globs import glob_warnings
from lightsail_snapshots_plans.models import FileTable
from lightsail_snapshots_plans.schedule_expression import parse_schedule

Found = tuple[KeyPath, str]
"""A key, and what is suspicious about it."""


def starting_minutes(plan: Plan, year: int) -> frozenset[int]:
    """Return the minutes of the hour at which a plan starts, in UTC."""
    return parse_schedule(plan.schedule).minutes_in_utc(plan.timezone, year) if plan.schedule else frozenset()


def find_warnings(
    file: PlanFile, head: FileTable, plans: Iterable[Plan], prune_minutes: frozenset[int], today: date
) -> Iterator[Problem]:
    """Yield a problem for each suspicious value, or for one that is missing."""
    plans = tuple(plans)
    for keys, text in _suspicious_in_file(head, plans):
        yield file.problem(keys, text)
    for plan in plans:
        for keys, text in (
            *_max_age(plan, today),
            *_suspicious(plan, prune_minutes, today),
            *glob_warnings(plan.select),
        ):
            yield file.problem(("plans", plan.name, *keys), text)


def _suspicious_in_file(head: FileTable, plans: tuple[Plan, ...]) -> Iterator[Found]:
    if not head.notify:
        remedy = 'above the first table header, set notify = ["you@example.com"]'
        what = "if the chat fails" if head.chat else "of overdue instances and of failures"
        yield ("notify",), f"is not set, so nobody is notified {what}: {remedy}"
    ages = {plan.max_age: plan.name for plan in reversed(plans) if plan.max_age}
    if head.audit_schedule and ages:
        gap = parse_schedule(head.audit_schedule).longest_gap or timedelta(weeks=4)  # L, W and # are days of a month
        if gap > min(ages):
            yield (
                ("audit_schedule",),
                f"audits are up to {_hours(gap)} apart, and max_age of {ages[min(ages)]} is {_hours(min(ages))}: "
                "overdue instances are reported late",
            )


def _max_age(plan: Plan, today: date) -> Iterator[Found]:
    schedule = parse_schedule(plan.schedule) if plan.schedule else None
    gap = schedule.longest_gap if schedule else None
    if not plan.max_age:
        if plan.enabled and schedule and not schedule.last_run:
            than = f" to more than {_hours(gap)}" if gap else ""
            yield ("max_age",), f"is not set, so nobody is notified if the plan's snapshots stop: set it{than}"
    elif schedule is None:
        yield ("max_age",), "the plan has no schedule: instances will be overdue if no event triggers it in time"
    elif gap and plan.max_age <= gap:
        yield ("max_age",), f"runs are up to {_hours(gap)} apart: instances will be overdue between them"
    elif (wait := longest_wait(schedule, plan.timezone, today)) and plan.max_age <= wait.length:
        why = f", which skips the run at {wait.skipped:%H:%M}" if wait.skipped else ""
        yield (
            ("max_age",),
            f"runs are {_hours(wait.length)} apart at the clock change of {wait.day}{why}: instances will be overdue",
        )


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):g} hours"


def _suspicious(plan: Plan, prune_minutes: frozenset[int], today: date) -> Iterator[Found]:
    if starting_minutes(plan, today.year) & prune_minutes:
        yield ("schedule",), "shares a minute of the hour with prune_schedule, in UTC: choose another one"
    if plan.keep_confirmed and plan.keep_confirmed != plan.keep:
        yield ("keep_confirmed",), f"has no effect: keep has other rules ({format_keep_tag(plan.keep)})"
    if plan.drill:
        yield (
            ("drill",),
            "each clone does what its instance does on its own, such as cron jobs and mail: see docs/drill.md",
        )
        gap = parse_schedule(plan.drill.schedule).longest_gap
        if gap and plan.drill.max_age <= gap:
            yield ("drill", "max_age"), f"drills are up to {_hours(gap)} apart: proofs will be overdue between them"
    if plan.keep is None and plan.keep_for is None:
        yield (), "its snapshots are never deleted: it has neither keep nor keep_for"
