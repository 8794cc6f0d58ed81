"""Checks of an instance that is made, runs and stops."""

from datetime import datetime
from functools import partial

from lightsail_snapshots.aws.clones import OpenPort
from lightsail_snapshots.snapshot import PENDING
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.doctor.attempt import Attempt, attempt, judge, persist
from lightsail_snapshots_cli.doctor.belief import AS_ASSUMED, HANDLED, NOT_CHECKED
from lightsail_snapshots_cli.doctor.calls import INSTANCE, SNAPSHOT, Calls, NotYetError, api_tags
from lightsail_snapshots_cli.doctor.walk import Walk
from lightsail_snapshots_cli.terminal import progress

SECONDS_TO_RUN = 600
SECONDS_TO_STOP = 300
SECONDS_TO_BE_HEALTHY = 600


def make_instance(walk: Walk) -> None:
    """Make the instance, and try at once what it may be too early for."""
    made = walk.home.create(
        INSTANCE,
        walk.instance,
        partial(
            walk.home.client.create_instances,
            instanceNames=[walk.instance],
            availabilityZone=walk.size.zone,
            blueprintId=walk.size.blueprint,
            bundleId=walk.size.bundle,
            tags=api_tags(),
        ),
    )
    if not made.is_accepted:
        raise NotYetError(f"the instance could not be made: {made}")
    walk.home.wait(partial(_is_visible, walk), SECONDS_TO_RUN, "the instance was not visible")
    _try_while(walk, "pending", "pending-instance")
    _close_ports_while_pending(walk)
    walk.home.wait(partial(_is, walk, "running"), SECONDS_TO_RUN, "the instance did not run")
    walk.is_running = True
    close_ports(walk.home, walk.instance)


def _is_visible(walk: Walk) -> bool:
    return walk.home.find_instance(walk.instance) is not None


def _try_while(walk: Walk, state: str, belief: str) -> None:
    """Take a snapshot of an instance in a passing state, which is read before and after."""
    name = walk.name(state)
    before = _state(walk)
    made = walk.home.create_snapshot(name, walk.instance)
    if before != state and _state(walk) != state:
        walk.settle(belief, NOT_CHECKED, f"the instance was {before} already")
    else:
        walk.settle(belief, judge(made, accepts=False), made)
    if made.is_accepted:
        walk.home.delete_snapshot(name)


def _close_ports_while_pending(walk: Walk) -> None:
    found = walk.home.find_instance(walk.instance)
    if found is None or found.state != "pending":
        walk.settle("pending-ports", NOT_CHECKED, "the instance ran already")
        return
    walk.settle("pending-ports", *_judged(close_ports(walk.home, walk.instance, first=True)))


def _judged(made: Attempt) -> tuple[str, Attempt]:
    return judge(made, accepts=True), made


def close_ports(calls: Calls, instance: str, *, first: bool = False) -> Attempt:
    """Close all ports that are open, so that nobody can reach the machine; `first`: try one, and do not persist."""
    ports = [OpenPort(22, 22, "tcp")] if first else open_ports(calls, instance)
    made = Attempt()
    for port in ports:
        call = partial(calls.client.close_instance_public_ports, instanceName=instance, portInfo=port.as_port_info())
        made = attempt(call) if first else persist(call, SECONDS_TO_RUN)
    return made


def open_ports(calls: Calls, instance: str) -> list[OpenPort]:
    found = calls.find_instance(instance)
    rules = found.raw.get("networking", {}).get("ports", []) if found else []
    return [OpenPort(each.get("fromPort", 0), each.get("toPort", 65535), each.get("protocol", "all")) for each in rules]


def check_health(walk: Walk) -> None:
    walk.need_instance()
    found = walk.home.find_instance(walk.instance)
    if found is None:
        raise NotYetError("the instance is gone")
    made_at: datetime = found.raw["createdAt"]
    what = "no data point of the status check came"
    walk.home.wait(lambda: bool(_data_points(walk, made_at)), SECONDS_TO_BE_HEALTHY, what)
    first = min(_data_points(walk, made_at))
    seconds = (first - made_at).total_seconds()
    walk.settle("status-check", AS_ASSUMED, f"the first data point is {seconds:.0f} seconds younger than the instance")


def _data_points(walk: Walk, made_at: datetime) -> list[datetime]:
    """Return the times of the data points."""
    answer = walk.home.read(
        partial(
            walk.home.client.get_instance_metric_data,
            instanceName=walk.instance,
            metricName="StatusCheckFailed",
            period=60,
            startTime=made_at,
            endTime=max(clock.now(), made_at),
            unit="Count",
            statistics=["Maximum"],
        )
    )
    return [each["timestamp"] for each in answer.get("metricData", [])]


def check_stopping(walk: Walk) -> None:
    """Stop the instance, and take snapshots on the way and at the end."""
    walk.need_instance()
    walk.home.wait(partial(_has_no_pending_snapshot, walk), SECONDS_TO_STOP, "other snapshots were not done")
    stopped = persist(partial(walk.home.client.stop_instance, instanceName=walk.instance), SECONDS_TO_STOP)
    if not stopped.is_accepted:
        raise NotYetError(f"the instance could not be stopped: {stopped}")
    _try_while(walk, "stopping", "stopping-instance")
    walk.home.wait(partial(_is, walk, "stopped"), SECONDS_TO_STOP, "the instance did not stop")
    name = walk.name("stopped")
    made = walk.home.create_snapshot(name, walk.instance, persist_seconds=SECONDS_TO_STOP)
    walk.settle("stopped-instance", AS_ASSUMED if made.is_accepted else HANDLED, made)
    if made.is_accepted:
        walk.home.delete_snapshot(name)


def _has_no_pending_snapshot(walk: Walk) -> bool:
    """Whether nothing else is a reason to reject a snapshot."""
    found = [walk.home.find(each) for each in walk.home.made if each.kind == SNAPSHOT]
    return not any(each and each.state == PENDING for each in found)


def _state(walk: Walk) -> str:
    found = walk.home.find_instance(walk.instance)
    return found.state if found else "not visible"


def _is(walk: Walk, state: str) -> bool:
    now = _state(walk)
    if now != state:
        progress(f"The instance is {now}.")
    return now == state
