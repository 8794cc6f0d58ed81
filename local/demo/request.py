"""Part 1 of the demo: an event requests a snapshot, and the function's log shows how it becomes usable."""

import json
from collections.abc import Mapping
from typing import Any

from local.aws import LocalAws
from local.demo.console import DemoFailedError, Screen
from local.log_tail import follow

INSTANCE = "web-1"


def request_snapshot(screen: Screen, aws: LocalAws, bus: str, function: str, timeout: float) -> None:
    """Create an instance, request a snapshot of it, and show the log and the snapshot; raises DemoFailedError."""
    _create_instance(screen, aws)
    request_id = _put_event(screen, aws, bus)
    _follow_log(screen, aws, function, request_id, timeout)
    _show_snapshot(screen, aws)


def _create_instance(screen: Screen, aws: LocalAws) -> None:
    command = ["aws", "lightsail", "create-instances", "--instance-names", INSTANCE]
    command += ["--availability-zone", "us-east-1a", "--blueprint-id", "wordpress", "--bundle-id", "small_3_0"]
    command += ["--tags", "key=env,value=prod", "key=team,value=web"]
    screen.say()
    screen.command(command)
    with screen.step(f"Create an instance, {INSTANCE}"):
        aws.run(command)


def _put_event(screen: Screen, aws: LocalAws, bus: str) -> str:
    """Put the event on the bus and return its id, which the function's log lines contain."""
    entry = {
        "EventBusName": bus,
        "Source": "my-deploy-script",
        "DetailType": "Instance Snapshot Requested",
        "Detail": json.dumps({"instanceName": INSTANCE, "tags": {"reason": "before-deploy"}}),
    }
    command = ["aws", "events", "put-events", "--entries", json.dumps([entry])]
    screen.say()
    screen.command(command)
    with screen.step("Request a snapshot, as any other system can"):
        answer = json.loads(aws.run(command))
    return str(answer["Entries"][0]["EventId"])


def _follow_log(screen: Screen, aws: LocalAws, function: str, request_id: str, timeout: float) -> None:
    screen.say("\nThe function's log, live:")
    done = False
    for line in follow(aws, function, timeout):
        screen.log(line)
        if done and line.level == "METRIC":
            return  # a function logs its metrics last
        state = line.fields.get("state") if line.request_id == request_id else None
        if state == "failed":
            raise DemoFailedError(f"The request failed: {line.message}")
        done = done or state == "available"
    raise DemoFailedError(f"The snapshot is not usable after {timeout:g} seconds. The function's log above says why.")


def _show_snapshot(screen: Screen, aws: LocalAws) -> None:
    command = ["aws", "lightsail", "get-instance-snapshots"]
    screen.say()
    screen.command(command)
    (snapshot,) = json.loads(aws.run(command))["instanceSnapshots"]
    screen.table("The snapshot, as Lightsail shows it", list(_rows(snapshot)))


def _rows(snapshot: Mapping[str, Any]) -> list[tuple[str, str]]:
    tags = sorted(f"{tag['key']} = {tag.get('value', '')}" for tag in snapshot["tags"])
    return [
        ("name", snapshot["name"]),
        ("state", snapshot["state"]),
        ("instance", snapshot["fromInstanceName"]),
        ("Region", snapshot["location"]["regionName"]),
        ("tags", "\n".join(tags)),
    ]
