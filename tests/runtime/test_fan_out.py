"""The deployed `fan_out` function, by AWS's runtime client: from one Fleet request to a request for each instance."""

import json
import re
from pathlib import Path

from lightsail_snapshots.events import SOURCE
from tests.runtime.aws import Aws
from tests.runtime.conftest import Start
from tests.support.events import requested

FAN_OUT = "lightsail_snapshots.fan_out.handler"


def test_fleet_request_becomes_a_request_per_selected_instance(aws: Aws, start: Start) -> None:
    for number in range(2, 26):
        aws.make_instance(f"web-{number}")
    aws.lightsail.emulator.settings.page_size = 10
    event = requested({"select": {"tags": {"env": "p*"}, "exclude": ["web-2*"]}, "plan": "daily"}, source=SOURCE)

    answer = start(aws.environment, FAN_OUT).invoke(event | {"detail-type": "Fleet Snapshot Requested"})

    assert answer.payload == {"selected": {"us-east-1": 18}}  # not web-2 and web-20 to web-25
    assert {entry["DetailType"] for entry in aws.events} == {"Instance Snapshot Requested"}
    details = [json.loads(entry["Detail"]) for entry in aws.events]
    assert {detail["instanceName"] for detail in details} == {f"web-{number}" for number in (1, *range(3, 20))}
    assert all(detail["tags"] == {"env": "prod"} and detail["plan"] == "daily" for detail in details)


def test_invocation_fails_and_is_retried_when_a_region_fails(aws: Aws, start: Start) -> None:
    aws.lightsail.emulator.faults.add("access-denied", operation="GetInstances", times=1)
    function = start(aws.environment, FAN_OUT)
    event = requested({"select": {"all": True}})
    assert "RegionsFailedError" in json.dumps(function.invoke(event).payload)
    assert function.invoke(event).payload == {"selected": {"us-east-1": 1}}


def test_error_is_logged_with_the_level_and_time_that_lambda_filters_by(aws: Aws, start: Start, tmp_path: Path) -> None:
    """Its guide, "Log-level filtering": without a time as RFC 3339 has it, Lambda takes any line for INFO."""
    aws.lightsail.emulator.faults.add("access-denied", operation="GetInstances", times=1)
    start(aws.environment, FAN_OUT).invoke(requested({"select": {"all": True}}))
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{")]
    errors = [line for line in lines if line.get("level") == "ERROR"]
    assert errors
    for line in errors:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", line["timestamp"])
