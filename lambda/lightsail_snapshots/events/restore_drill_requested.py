"""`Restore Drill Requested`: our schedule asks for the drills of a plan, and each of them is a request of its own."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lightsail_snapshots.drill_options import Drill, read_drill
from lightsail_snapshots.drill_result import drill_key, drill_name
from lightsail_snapshots.events.envelope import Envelope, open_event
from lightsail_snapshots.events.instance_snapshot_requested import Subject
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.naming import format_utc
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import (
    format_duration,
    invalid,
    read_duration,
    read_instant,
    read_name,
    read_plan,
    read_region,
    read_regions,
)
from lightsail_snapshots.selection import Select, parse_select
from lightsail_snapshots.snapshot import Snapshot

RUN_NOW = "the schedule of a plan's drill puts this event, and nobody else"
WEEKLY = timedelta(days=7)
MAX_KEEP_FOR = timedelta(hours=12)
"""Half of the time that the function has for a request: the rest is for waiting, restoring and deleting."""


@dataclass(frozen=True, kw_only=True)
class DrillRun(Subject):
    """A valid request for the drills of one plan that are due."""

    slot: datetime
    drill: Drill
    select: Select
    regions: tuple[str, ...]
    copy_to: tuple[str, ...]
    every: timedelta
    """The time between two runs."""

    def for_snapshot(self, instance: Instance, snapshot: Snapshot) -> dict[str, Any]:
        """Build the detail of the request for one drill."""
        return drill_detail(self.plan or "", self.drill, self.slot, instance.name, snapshot)


@dataclass(frozen=True, kw_only=True)
class DrillRequest(Subject):
    """A valid request for one drill."""

    slot: datetime
    drill: Drill
    keep_for: timedelta
    """How long the clone stays after its verdict, so that a person can look at it."""

    @property
    def name(self) -> str:
        """The name of the clone."""
        return drill_name(self.instance_name, self.slot, self.region, self.plan or "", self.instance_snapshot_name)

    @property
    def key(self) -> str:
        return drill_key(self.name)

    @property
    def is_awaited(self) -> bool:
        """Each look measures how long a restore takes, and the clone costs money."""
        return True


class _Common(NamedTuple):
    plan: str | None
    drill: Drill
    slot: datetime


def parse_drill_request(
    event: object, *, default_region: str, regions: Collection[str], copy_regions: Collection[str]
) -> DrillRun | DrillRequest:
    """Read an EventBridge event; raise InvalidRequestError with every problem at once.

    One with `instanceName` is for one drill, any other for those of a plan.
    """
    envelope = open_event(event)
    envelope.require_own_source(RUN_NOW)
    envelope.reject_replay(RUN_NOW)
    detail = envelope.detail
    common = _Common(
        plan=detail.take("plan", read_plan),
        drill=detail.require("drill", read_drill) or Drill(schedule="", max_age=WEEKLY),
        slot=detail.take("scheduledTime", read_instant) or envelope.time,
    )
    instance_name = detail.take("instanceName", read_name)
    if instance_name is None and not detail.is_wrong("instanceName"):
        return _read_run(envelope, common, default_region, (*regions, *copy_regions))
    name = detail.require("instanceSnapshotName", read_name) or ""
    region = detail.require("region", read_region((*regions, *copy_regions))) or default_region
    keep_for = detail.take("keepFor", _read_keep_for) or timedelta()
    detail.reject_unknown()
    envelope.check()
    return DrillRequest(
        request_id=envelope.id,
        instance_name=instance_name or "",
        instance_snapshot_name=name,
        region=region,
        plan=common.plan,
        slot=common.slot,
        drill=common.drill,
        keep_for=keep_for,
    )


def _read_run(envelope: Envelope, common: _Common, default_region: str, known: Collection[str]) -> DrillRun:
    detail = envelope.detail
    select = detail.require("select", parse_select) or Select()
    own = detail.take("regions", read_regions(known)) or (default_region,)
    copy_to = detail.take("copyTo", read_regions(known)) or ()
    every = detail.take("every", read_duration) or WEEKLY
    detail.reject_unknown()
    envelope.check()
    return DrillRun(
        request_id=envelope.id,
        instance_name="",
        instance_snapshot_name="",
        region=own[0],
        plan=common.plan,
        slot=common.slot,
        drill=common.drill,
        select=select,
        regions=own,
        copy_to=copy_to,
        every=every,
    )


def drill_detail(plan: str, drill: Drill, slot: datetime, instance_name: str, snapshot: Snapshot) -> dict[str, Any]:
    """Build the detail of the request for one drill."""
    return {
        **({"plan": plan} if plan else {}),
        "instanceName": instance_name,
        "instanceSnapshotName": snapshot.name,
        "region": snapshot.region,
        "drill": drill.as_detail(),
        "scheduledTime": format_utc(slot),
    }


def _read_keep_for(value: object) -> timedelta:
    found = read_duration(value)
    if found > MAX_KEEP_FOR:
        raise invalid(f"must be at most {format_duration(MAX_KEEP_FOR)}, not {format_duration(found)}")
    return found


def run_detail(plan: Plan, every: timedelta) -> dict[str, Any]:
    """Build the detail that a plan's schedule puts; it adds `scheduledTime`."""
    detail = plan.as_detail()
    keys = ("select", "regions", "copyTo", "drill")
    return {"plan": plan.name, **{key: detail[key] for key in keys if key in detail}, "every": format_duration(every)}
