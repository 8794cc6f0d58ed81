"""Values of plans.toml that are allowed, but probably a mistake."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from lightsail_snapshots.plan import Plan
from lightsail_snapshots_plans.file import PlanFile, Problem
from lightsail_snapshots_plans.schedule_expression import parse_schedule


def starting_minutes(plan: Plan, year: int) -> frozenset[int]:
    """Return the minutes of the hour at which a plan starts, in UTC."""
    return parse_schedule(plan.schedule).minutes_in_utc(plan.timezone, year) if plan.schedule else frozenset()


def find_warnings(
    file: PlanFile, plans: Iterable[Plan], prune_minutes: frozenset[int], today: date
) -> Iterator[Problem]:
    """Yield a problem for each suspicious value."""
    for plan in plans:
        for keys, text in _suspicious(plan, prune_minutes, today):
            yield file.problem(("plans", plan.name, *keys), text)


def _suspicious(plan: Plan, prune_minutes: frozenset[int], today: date) -> Iterator[tuple[tuple[str, ...], str]]:
    schedule = parse_schedule(plan.schedule) if plan.schedule else None
    if plan.max_age and schedule and schedule.longest_gap and plan.max_age <= schedule.longest_gap:
        hours = schedule.longest_gap / timedelta(hours=1)
        yield ("max_age",), f"runs are up to {hours:g} hours apart: instances will be overdue between them"
    if schedule and schedule.last_day and schedule.last_day < today:
        yield ("schedule",), "is in the past: the plan will not run again"
    if starting_minutes(plan, today.year) & prune_minutes:
        yield ("schedule",), "shares a minute of the hour with prune_schedule, in UTC: choose another one"
    if plan.allow_deletes_until and plan.allow_deletes_until < today:
        yield ("allow_deletes_until",), "is in the past and has no effect"
    if plan.keep is None and plan.keep_for is None:
        yield (), "its snapshots are never deleted: it has neither keep nor keep_for"
