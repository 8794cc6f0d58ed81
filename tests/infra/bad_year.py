"""A bad year: each cause of trouble in a deployment of its own, minute by minute, and what people hear of it.

`python -m tests.infra.bad_year` writes the table in docs/operations.md.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from lightsail_snapshots_plans.plans import read_plans
from local.lightsail.emulator import Call
from local.lightsail.resources import Instance
from tests.infra.synthesized import ROOT, Synthesized, synthesize
from tests.support.cloud import Cloud, Said, deployed

HOME, AWAY, ELSEWHERE = "eu-central-1", "eu-west-1", "us-east-1"
START = datetime(2027, 1, 4, 10, tzinfo=UTC)  # a Monday, just after an audit: the next one is at 15:50
DAY = timedelta(days=1)
HEARTBEAT = "https://heartbeat.example.com/1"
PLANS = f"""
notify = ["ops@example.com"]
heartbeat = "{HEARTBEAT}"

[plans.daily]
schedule = "cron(15 3 * * ? *)"
select   = {{ tags = {{ backup = "daily" }} }}
keep     = {{ last = 2 }}
max_age  = "26h"
regions  = ["{HOME}"]
copy_to  = ["{AWAY}"]

[plans.shops]
schedule = "cron(30 4 * * ? *)"
select   = {{ names = ["shop-*"] }}
keep     = {{ last = 7 }}
max_age  = "26h"
regions  = ["{HOME}"]
"""
SYNTHESIZED = (
    ("`notify` is not set", PLANS.replace('notify = ["ops@example.com"]', "")),
    (
        "A clock change skips a night",
        PLANS.replace('"cron(15 3 * * ? *)"', '"cron(30 2 * * ? *)"\ntimezone = "Europe/Berlin"'),
    ),
)
"""What the stack's synthesis warns of."""
OPERATIONS = ROOT / "docs" / "operations.md"
BEGIN, END = "<!-- python -m tests.infra.bad_year writes this table. -->", "<!-- The end of the table. -->"
NEVER = "never"
SILENCE = timedelta(hours=6 + 7)
"""After the last call of the heartbeat: the period and the grace that docs/operations.md says to set."""


@dataclass(frozen=True)
class Case:
    """One cause, and how it happens."""

    cause: str
    happens: Callable[[Cloud], object]
    lasts: timedelta = timedelta(hours=30)
    nights: int = 1
    """Good ones before it; it begins after them, or with the first deployment if there are none."""


@cache
def template(plans: str = PLANS) -> Synthesized:
    return synthesize(plans)


def make(cloud: Cloud, name: str, region: str = HOME, **tags: str) -> Instance:
    """Make an instance."""
    request = {
        "instanceNames": [name],
        "availabilityZone": f"{region}a",
        "blueprintId": "wordpress",
        "bundleId": "nano_3_0",
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }
    cloud.emulator.handle(Call("CreateInstances", request, region))
    return cloud.emulator.region(region).instance(name)


def retag(cloud: Cloud, **tags: str) -> None:
    cloud.emulator.region(HOME).instance("web-1").tags = dict(tags)


def fault(kind: str, **details: Any) -> Callable[[Cloud], None]:
    return lambda cloud: cloud.emulator.faults.add(kind, **details)


def requested(detail_type: str, **detail: Any) -> Callable[[Cloud], None]:
    return lambda cloud: cloud.put(detail_type, detail)


def rename_shop(cloud: Cloud) -> None:
    """Lightsail has no call that renames an instance: somebody makes another one."""
    region = cloud.emulator.region(HOME)
    region.remove(region.instance("shop-1"))
    make(cloud, "store-1", owner="sales")


def tighten_by_mistake(cloud: Cloud) -> None:
    cloud.deploy(template(PLANS.replace("last = 2", "last = 1")))


def crash_while_snapshots_fail(cloud: Cloud) -> None:
    cloud.crashing.add("notify")
    cloud.emulator.faults.add("access-denied", operation="CreateInstanceSnapshot")


def everything_stops(cloud: Cloud) -> None:
    cloud.crashing |= {"fan_out", "create", "copy", "prune", "audit", "notify"}
    cloud.stopped_schedules |= {"plan-daily", "plan-shops", "prune", "prune-report", "audit", "audit-report"}
    cloud.alarms.clear()


def old_instance(cloud: Cloud) -> None:
    make(cloud, "web-1", backup="daily").created_at -= 100 * DAY


CASES = (
    Case("The first deployment, beside an instance that is 100 days old", old_instance, nights=0),
    Case("The role may no longer create snapshots", fault("access-denied", operation="CreateInstanceSnapshot")),
    Case("A snapshot ends in the state `error`", fault("snapshot-fails", times=1)),
    Case("Lightsail cannot be reached", fault("unreachable")),
    Case("Lightsail rejects every copy", fault("error", operation="CopySnapshot"), 2 * DAY),
    Case("Somebody deletes the schedule of plan `daily`", lambda cloud: cloud.stopped_schedules.add("plan-daily")),
    Case("`web-1` gets the tag `backup = dayly`; `db-1` keeps `daily`", lambda cloud: retag(cloud, backup="dayly")),
    Case("The only instance of plan `shops` gets another name", rename_shop),
    Case("`web-2` runs in a Region of no plan", lambda cloud: make(cloud, "web-2", ELSEWHERE, backup="daily")),
    Case("`fan_out` crashes", lambda cloud: cloud.crashing.add("fan_out")),
    Case("`create` crashes", lambda cloud: cloud.crashing.add("create")),
    Case("`copy` crashes", lambda cloud: cloud.crashing.add("copy"), 2 * DAY),
    Case("`prune` crashes", lambda cloud: cloud.crashing.add("prune")),
    Case("`audit` crashes", lambda cloud: cloud.crashing.add("audit")),
    Case("`notify` crashes, and snapshots fail", crash_while_snapshots_fail),
    Case("Somebody turns off the trigger of `create`", lambda cloud: cloud.idle_queues.add("create")),
    Case("Somebody deletes the schedule of the audit", lambda cloud: cloud.stopped_schedules.add("audit")),
    Case("A deployment sets `last = 1` in place of 2", tighten_by_mistake, nights=2),
    Case(
        "The role may no longer delete snapshots", fault("access-denied", operation="DeleteInstanceSnapshot"), nights=2
    ),
    Case(
        "A request has the detail-type `Instance snapshot Requested`",
        requested("Instance snapshot Requested", instanceName="web-1"),
    ),
    Case("A request has the field `instancename`", requested("Instance Snapshot Requested", instancename="web-1")),
    Case("A request is nested 10,000 levels deep", lambda cloud: cloud.send("create", "[" * 10_000 + "]" * 10_000)),
    Case("A Fleet request selects nothing", requested("Fleet Snapshot Requested", select={})),
    Case("The whole account is silent", everything_stops),
)


def good_nights(cloud: Cloud, nights: int) -> None:
    """Make three instances, and let some nights pass."""
    make(cloud, "web-1", backup="daily")
    make(cloud, "db-1", backup="daily")
    make(cloud, "shop-1")
    cloud.run(nights * DAY)


def what_is_said(case: Case) -> tuple[datetime, list[Said]]:
    """Let it happen; return when it began, and all that was said from then on."""
    with deployed(template(), START) as cloud:
        if case.nights:
            good_nights(cloud, case.nights)
        began, before = cloud.now, len(cloud.said)
        case.happens(cloud)
        cloud.run(case.lasts)
        return began, cloud.said[before:]


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Return a row for each cause: when it was said first, what, and to whom."""
    for case in CASES:
        began, said = what_is_said(case)
        told = [each for each in said if each.kind in {"message", "alarm"}]
        if told:
            yield case.cause, _after(told[0].at - began), _listed(told, began), "`notify`"
        elif not any(each.kind == "heartbeat" for each in said):
            yield (
                case.cause,
                _after(SILENCE),
                "the call after an audit does not come",
                "the service of `heartbeat`, which notifies you",
            )
        else:
            yield case.cause, NEVER, "", "nobody"


def _listed(told: Sequence[Said], began: datetime) -> str:
    """List what was said, without what was said again, or of other instances and plans, by the time that passed."""
    first: dict[str, Said] = {}
    for each in told:
        first.setdefault(_kind(each), each)
    by_time: dict[str, list[str]] = {}
    for each in first.values():
        text = f'"{each.subject}"' if each.kind == "message" else f"alarm `{_alarm(each)}`"
        by_time.setdefault(_after(each.at - began), []).append(text)
    return "<br>".join(f"{after}: {', '.join(texts)}" for after, texts in by_time.items())


def _kind(said: Said) -> str:
    """Return the beginning of a message, or the section of an alarm."""
    return said.subject.partition(":")[0] if said.kind == "message" else said.text.rpartition("#")[2]


def _alarm(said: Said) -> str:
    return said.subject.removeprefix("lightsail-snapshots-")


def _after(length: timedelta) -> str:
    minutes = length // timedelta(minutes=1)
    return f"{minutes} min" if minutes < 60 else f"{round(minutes / 60)} h"


def warnings() -> Iterator[tuple[str, str, str, str]]:
    """Return a row for each cause that is said before it happens: when the stack is synthesized."""
    for cause, plans in SYNTHESIZED:
        path = Path(tempfile.mkdtemp(), "plans.toml")
        path.write_text(plans, encoding="utf-8")
        [warning] = read_plans(path, today=START.date()).warnings
        yield cause, "at once", f"warning: {warning.text}", "who runs `make deploy`"


def table() -> str:
    head = ("cause", "first said after", "what", "to whom")
    lines = [head, ("---",) * len(head), *warnings(), *rows()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_table(text: str, new: str) -> str:
    """Return docs/operations.md with another table."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{new}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    OPERATIONS.write_text(with_table(OPERATIONS.read_text(encoding="utf-8"), table()), encoding="utf-8")
