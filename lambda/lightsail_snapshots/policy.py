"""The part of a plan that retention acts upon, and how `Prune Requested` carries it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta, tzinfo
from zoneinfo import ZoneInfo

from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import (
    Fields,
    format_value,
    read_duration,
    read_flag,
    read_list,
    read_object,
    read_text,
    read_texts,
)
from lightsail_snapshots.retention import UNPLANNED
from lightsail_snapshots.selection import Select

_OF_OTHERS = ("schedule", "on", "regions", "select", "maxAge", "tags", "keepFor")
"""Fields of a plan that are not read here. All others are refused: a mistyped `copyTo` would be one interlock less."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What one plan says about the end of its snapshots."""

    plan: str
    time_zone: tzinfo = UTC
    """Whose hours, days, weeks, months and years are counted."""
    keep: Keep = field(default_factory=Keep)
    copy_to: tuple[str, ...] = ()
    """Regions in which a copy must be usable before a snapshot is deleted."""
    max_deletes: int | None = None
    """Deletions of one instance in one Region and one run; more stop them all. None: a quarter of what it has."""
    allow_deletes_until: date | None = None
    """The last day, in `time_zone`, on which more than `max_deletes` are allowed."""
    dry_run: bool = False
    """Deletions are decided and reported, and not done."""

    def as_plan(self) -> Plan:
        """Return the plan that `decide` takes: its instances and its triggers do not matter there."""
        return Plan(
            name=self.plan,
            select=Select(all_instances=True),
            timezone=str(self.time_zone),
            keep=self.keep or None,
            copy_to=self.copy_to,
            max_deletes=self.max_deletes,
            allow_deletes_until=self.allow_deletes_until,
            dry_run=self.dry_run,
        )


def parse_policies(detail: Mapping[str, object]) -> tuple[Policy, ...]:
    """Read `plans` from the detail of `Prune Requested`; raise InvalidRequestError with every problem at once.

    Shape of a plan, all but `plan` optional, together with what other functions read from it:

        {"plan": "daily", "timezone": "Europe/Berlin", "keep": {"last": 7, "weekly": 4, "within": "P2D"},
         "copyTo": ["eu-west-1"], "maxDeletes": 10, "allowDeletesUntil": "2026-12-01", "dryRun": true}
    """
    problems: list[str] = []
    plans = Fields(detail, "", problems).take("plans", read_list) or []
    policies = [policy for index, plan in enumerate(plans) if (policy := _policy(plan, f"plans[{index}]", problems))]
    names = Counter(policy.plan for policy in policies)
    problems += [f"plans: {format_value(name)} is there {count} times" for name, count in names.items() if count > 1]
    if problems:
        raise InvalidRequestError(problems)
    return tuple(policies)


def _policy(plan: object, where: str, problems: list[str]) -> Policy | None:
    if not isinstance(plan, Mapping):
        problems.append(f"{where}: must be a JSON object, not {format_value(plan)}")
        return None
    fields = Fields(plan, f"{where}.", problems)
    name = fields.take("plan", _read_plan)
    policy = Policy(
        plan=name or UNPLANNED,
        time_zone=fields.take("timezone", _read_zone, optional=True) or UTC,
        keep=_keep(fields.take("keep", read_object, optional=True), f"{where}.keep", problems),
        copy_to=fields.take("copyTo", read_texts, optional=True) or (),
        max_deletes=fields.take("maxDeletes", _read_count, optional=True),
        allow_deletes_until=fields.take("allowDeletesUntil", _read_date, optional=True),
        dry_run=fields.take("dryRun", read_flag, optional=True) or False,
    )
    fields.pass_over(_OF_OTHERS)
    fields.refuse_the_rest()
    return None if name is None else policy


def _keep(keep: Mapping[str, object] | None, where: str, problems: list[str]) -> Keep:
    if keep is None:
        return Keep()
    before = len(problems)
    fields = Fields(keep, f"{where}.", problems)

    def count(rule: str) -> int:
        return fields.take(rule, _read_count, optional=True) or 0

    rules = Keep(
        last=count("last"),
        hourly=count("hourly"),
        daily=count("daily"),
        weekly=count("weekly"),
        monthly=count("monthly"),
        yearly=count("yearly"),
        within=fields.take("within", read_duration, optional=True) or timedelta(0),
    )
    fields.refuse_the_rest()
    if not rules and len(problems) == before:
        problems.append(f"{where}: keeps nothing; leave it out where nothing is to be deleted")
    return rules


def _read_plan(value: object) -> str:
    return UNPLANNED if value == UNPLANNED else read_text(value)


def _read_count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f": must be a whole number of at least 0, not {format_value(value)}")
    return value


def _read_date(value: object) -> date:
    try:
        return date.fromisoformat(read_text(value))
    except ValueError:
        raise ValueError(f": must be a date such as 2026-12-01, not {format_value(value)}") from None


def _read_zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(read_text(value))
    except (KeyError, ValueError, OSError):  # unknown; not a relative path; a folder such as Europe
        raise ValueError(f": must be an IANA time zone such as Europe/Berlin, not {format_value(value)}") from None
