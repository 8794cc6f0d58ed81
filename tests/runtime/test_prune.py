"""The deployed `prune` function, by AWS's runtime client: one run that deletes one snapshot of two."""

import json
from datetime import UTC, datetime

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.naming import our_tags
from tests.runtime.aws import Aws
from tests.runtime.conftest import Log, Start
from tests.support.events import REQUEST_ID, requested

PRUNE = "lightsail_snapshots.prune.handler"
DAY = 24 * 60 * 60


def test_prune_deletes_and_announces_a_snapshot_that_no_rule_keeps(aws: Aws, start: Start, log: Log) -> None:
    clock = aws.lightsail.emulator.clock
    clock.set(datetime(2024, 6, 1, 3, 15, tzinfo=UTC))
    aws.make_instance("shop")
    for name in ("first", "second"):
        ours = our_tags(name, "shop", plan="daily", keep="last=1")
        tags = [{"key": key, "value": value} for key, value in ours.items()]
        aws.client.create_instance_snapshot(instanceSnapshotName=name, instanceName="shop", tags=tags)
        clock.advance(DAY)
    plan = {"name": "daily", "select": {"all": True}, "keep": {"last": 1}}
    detail = {"plans": [plan], "scheduledTime": "2024-06-03T12:00:00Z"}
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = requested(detail, time=time, source=SOURCE, **{"detail-type": "Prune Requested"})

    # Lambda gives it 15 minutes: with little time left, it deletes nothing.
    answer = start(aws.environment, PRUNE, timeout=900).invoke(event)

    assert answer.payload == {"deleted": {"us-east-1": 1}}
    assert aws.snapshots() == {"second": "available"}
    [published] = aws.events
    assert (published["DetailType"], json.loads(published["Detail"])["instanceSnapshotName"]) == (
        "Instance Snapshot Deleted",
        "first",
    )
    [line] = [line for line in log() if line.get("message") == "Pruned"]
    assert (line["correlation_id"], line["kept"]) == (REQUEST_ID, {"newest": 1})
    assert [line["SnapshotsDeleted"] for line in log() if "_aws" in line] == [[0, 1]]
