"""A month of nights with many faults, in fast time.

The emulator's clock starts in a past October, and each request says which night it is for. `remaining` states once
more, as plainly as possible, which snapshots must be left at the end.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lightsail_snapshots.events import SOURCE
from tests.e2e.deployment import Deployment, eventually, tags_of

NIGHTS = 30
BEGIN = datetime(2024, 10, 9, 3, 15, tzinfo=UTC)  # the clocks go back on the 27th
INSTANCES = ("blog", "shop")
KEEP = {"daily": 5, "weekly": 3}
ZONE = ZoneInfo("Europe/Berlin")
PLAN = {"name": "month", "select": {"all": True}, "timezone": "Europe/Berlin", "keep": KEEP}

CREATE, DELETE = "CreateInstanceSnapshot", "DeleteInstanceSnapshot"
LIST, READ = "GetInstanceSnapshots", "GetInstanceSnapshot"

RETRIED = ("ThrottlingException: ", "ConnectionClosedError: ")
"""How errors of `create` begin after which a request is tried again; MiniStack does not give their types."""
NO_RUN = {8, 21, 22}
"""Nights without any run."""
CREATE_FAULTS: dict[int, dict[str, Any]] = {
    3: {"fault": "snapshot-fails", "name": "shop"},
    9: {"fault": "throttle", "times": 1},
    11: {"fault": "lost-answer", "times": 1},
    14: {"fault": "snapshot-fails"},
    25: {"fault": "never-finish", "name": "blog"},
    29: {"fault": "snapshot-fails", "name": "blog"},
}
PRUNE_FAULTS: dict[int, dict[str, Any]] = {  # in nights with something to delete
    7: {"fault": "lost-answer", "operation": DELETE, "times": 1},
    11: {"fault": "throttle", "operation": DELETE, "times": 2},
    12: {"fault": "server-error", "operation": LIST, "times": 2},
    13: {"fault": "busy", "operation": DELETE, "times": 1},
    16: {"fault": "unreachable", "operation": READ, "times": 2},
    19: {"fault": "lost-answer", "operation": DELETE, "times": 2},
    24: {"fault": "access-denied", "operation": DELETE, "times": 1},
}


@dataclass
class Month:
    """The deployment, and every snapshot that was ever there."""

    stack: Deployment
    seen: dict[str, dict[str, Any]]
    """Every snapshot that was ever listed, by name, as it was last listed."""

    def night(self, number: int) -> None:
        """Run one night: requests, snapshots, and prune an hour later, which Lambda retries if it fails."""
        slot = BEGIN + timedelta(days=number)
        if number not in NO_RUN:
            self.take(slot, CREATE_FAULTS.get(number))
            if number in PRUNE_FAULTS:
                self.stack.aws.control("POST", "/_lightsail/faults", PRUNE_FAULTS[number])
            self.prune(slot + timedelta(hours=1))
            assert self.stack.faults_left() == [], number
        self.advance(slot + timedelta(days=1) - self.now())

    def take(self, slot: datetime, fault: dict[str, Any] | None) -> None:
        """Deliver the request for each instance to `create`, and again an hour later, when the snapshot is finished."""
        if fault:
            self.stack.aws.control("POST", "/_lightsail/faults", {"operation": CREATE, **fault})
        self.step(slot)
        self.stack.aws.control("DELETE", "/_lightsail/faults")
        self.advance(timedelta(hours=1))
        self.step(slot)
        self.list_snapshots()

    def step(self, slot: datetime) -> None:
        for name in INSTANCES:
            detail: dict[str, Any] = {"instanceName": name, "plan": PLAN["name"], "keep": KEEP}
            detail |= {"scheduledTime": f"{slot:%FT%TZ}", "lateAfter": "P36500D"}  # the functions have the real time
            event = {"id": f"{name}-{slot}", "time": f"{slot:%FT%TZ}", "source": SOURCE, "detail": detail}
            answer = self.stack.invoke("CreateFunction", event)
            # What the bus delivers is retried by SQS; a bare event fails, and comes again in an hour.
            error = answer.get("errorMessage", "")
            assert answer.get("state") in ("pending", "available", "failed") or error.startswith(RETRIED), answer

    def prune(self, scheduled_time: datetime) -> None:
        """Put the request on the bus, as its schedule does, and wait until every Region is pruned."""
        detail = {"plans": [PLAN], "scheduledTime": f"{scheduled_time:%FT%TZ}"}
        (request,) = self.stack.put("Prune Requested", detail, source=SOURCE)
        summary = eventually(lambda: self.stack.pruned(request), f"prune of {scheduled_time}")
        assert "rules_tightened" not in summary["kept"], scheduled_time

    def advance(self, time: timedelta) -> None:
        self.stack.aws.control("POST", "/_lightsail/clock", {"advance": time.total_seconds()})

    def now(self) -> datetime:
        return datetime.fromisoformat(self.stack.aws.control("GET", "/_lightsail/state")["time"])

    def list_snapshots(self) -> None:
        pages = self.stack.lightsail.get_paginator("get_instance_snapshots").paginate()
        self.seen |= {one["name"]: one for page in pages for one in page["instanceSnapshots"]}

    def names(self) -> list[str]:
        (account,) = self.stack.aws.control("GET", "/_lightsail/state")["accounts"].values()
        return list(account["us-east-1"]["instanceSnapshots"])


@pytest.fixture
def month(stack: Deployment) -> Iterator[Month]:
    """The deployment, in a Lightsail that has two instances only, and a clock that only the test advances."""
    settings = stack.aws.control("GET", "/_lightsail/settings")
    stack.restart_lightsail(BEGIN, speed=0, pageSize=4, snapshotSeconds=600)
    for name in INSTANCES:
        stack.aws.make_instance(name)
    yield Month(stack, {})
    stack.restart_lightsail(datetime.now(UTC), **settings)


def remaining(seen: Iterable[dict[str, Any]]) -> set[str]:
    """Return the names that must be left of all snapshots, without any code of retention."""
    kept = set()
    for name in INSTANCES:
        own = [one for one in seen if one["fromInstanceName"] == name]
        ours = [one for one in own if tags_of(one).get("managed-by") == "lightsail-snapshots"]
        usable = {local_date(one): one["name"] for one in ours if one["state"] == "available"}  # one a night
        weeks: dict[tuple[int, int], date] = {}
        for day in sorted(usable):
            weeks[day.isocalendar()[:2]] = day
        days = sorted(usable)[-KEEP["daily"] :] + [weeks[week] for week in sorted(weeks)[-KEEP["weekly"] :]]
        kept |= {usable[day] for day in days}
        kept |= {one["name"] for one in own if one not in ours or "snapshot-hold" in tags_of(one)}
        kept |= {one["name"] for one in ours if one["state"] == "pending"}
        kept |= {one["name"] for one in ours if one["state"] == "error" and local_date(one) > max(usable)}
    return kept


def local_date(snapshot: dict[str, Any]) -> date:
    created: datetime = snapshot["createdAt"]
    return created.astimezone(ZONE).date()


def test_exactly_the_snapshots_of_the_plan_are_left_after_a_month_with_faults(month: Month) -> None:
    for number in range(NIGHTS):
        month.night(number)
        if number == 2:
            month.stack.lightsail.create_instance_snapshot(instanceName="blog", instanceSnapshotName="by-hand")
            month.advance(timedelta(minutes=20))
        if number == 4:
            (held,) = [name for name in month.names() if name.startswith(f"shop-{BEGIN + timedelta(days=4):%Y%m%d}")]
            month.stack.lightsail.tag_resource(resourceName=held, tags=[{"key": "snapshot-hold"}])

    left = set(month.names())
    assert left == remaining(month.seen.values())
    assert len(month.seen) == 2 * (NIGHTS - len(NO_RUN)) + 1
    states = [month.seen[name]["state"] for name in left]
    assert {state: states.count(state) for state in states} == {"available": len(left) - 2, "pending": 1, "error": 1}
    deleted = [one for one in month.stack.announced("Instance Snapshot Deleted") if one["instanceName"] in INSTANCES]
    assert sorted(one["instanceSnapshotName"] for one in deleted) == sorted(month.seen.keys() - left)


def test_role_of_prune_can_delete_snapshots_of_ours_only(stack: Deployment) -> None:
    instance = stack.instance()
    owners = {"ours": "lightsail-snapshots", "theirs": "terraform"}
    for name, owner in owners.items():
        stack.lightsail.create_instance_snapshot(
            instanceName=instance,
            instanceSnapshotName=f"{instance}-{name}",
            tags=[{"key": "managed-by", "value": owner}],
        )
    stack.lightsail.create_instance_snapshot(instanceName=instance, instanceSnapshotName=f"{instance}-untagged")

    with stack.acting_as(stack.role_of("PruneFunction")) as client:
        lightsail = client("lightsail")
        for name in ("theirs", "untagged"):
            with pytest.raises(lightsail.exceptions.AccessDeniedException):
                lightsail.delete_instance_snapshot(instanceSnapshotName=f"{instance}-{name}")
        with pytest.raises(lightsail.exceptions.AccessDeniedException):
            lightsail.tag_resource(
                resourceName=f"{instance}-theirs", tags=[{"key": "managed-by", "value": "lightsail-snapshots"}]
            )
        with pytest.raises(lightsail.exceptions.AccessDeniedException):
            lightsail.delete_instance(instanceName=instance)
        lightsail.delete_instance_snapshot(instanceSnapshotName=f"{instance}-ours")

    left = {snapshot["name"] for snapshot in stack.snapshots_of(instance)}
    assert left == {f"{instance}-theirs", f"{instance}-untagged"}
