"""The deployed `audit` function, by AWS's runtime client: one audit that finds an instance without any snapshot."""

import json
from datetime import UTC, datetime, timedelta

from lightsail_snapshots.events import SOURCE
from tests.runtime.aws import Aws
from tests.runtime.conftest import Log, Start
from tests.support.events import REQUEST_ID, requested

AUDIT = "lightsail_snapshots.audit.handler"


def test_audit_reports_an_instance_without_a_snapshot(aws: Aws, start: Start, log: Log) -> None:
    plan = {"name": "daily", "select": {"all": True}, "maxAge": "PT26H"}
    when = datetime.now(UTC) + timedelta(hours=26, minutes=30)
    event = requested({"plans": [plan], "scheduledTime": when.isoformat()})
    function = start(aws.environment | {"RUNBOOK": "docs/operations.md"}, AUDIT)

    answer = function.invoke(event | {"detail-type": "Audit Requested", "source": SOURCE})

    assert answer.payload == {"state": "completed", "overdue": {"daily": 1}}
    overdue, completed = aws.events
    assert (overdue["DetailType"], completed["DetailType"]) == ("Recovery Point Overdue", "Audit Completed")
    assert [one["instanceName"] for one in json.loads(overdue["Detail"])["instances"]] == ["web-1"]
    assert json.loads(completed["Detail"])["plans"][0]["instancesOverdue"] == 1
    [line] = [line for line in log() if line.get("message") == "Overdue"]
    assert (line["correlation_id"], line["instance_name"]) == (REQUEST_ID, "web-1")
    assert [line["InstancesOverdue"] for line in log() if line.get("plan") == "daily" and "_aws" in line] == [[1]]
