"""The deployed `drill` function, by AWS's runtime client: from a snapshot of `create` to its proof."""

import json

from lightsail_snapshots.events import SOURCE
from tests.runtime.aws import REGION, Aws, batch
from tests.runtime.conftest import Start
from tests.support.events import requested

DRILL = "lightsail_snapshots.drill.handler"


def test_snapshot_of_create_is_proven_and_the_clone_deleted(aws: Aws, start: Start) -> None:
    create, drill = start(aws.environment), start(aws.environment, DRILL)
    create.invoke(batch(delivery=1))
    aws.lightsail.emulator.clock.advance(600)
    [snapshot] = aws.snapshots()
    options = {"schedule": "rate(7 days)", "maxAge": "P35D"}
    detail = {"instanceName": "web-1", "instanceSnapshotName": snapshot, "region": REGION, "drill": options}
    event = requested(detail, source=SOURCE)

    states = [drill.invoke(event).payload["state"] for _ in range(3)]

    assert states == ["pending", "pending", "available"]
    [published] = aws.events
    assert published["DetailType"] == "Restore Drill Passed"
    assert json.loads(published["Detail"])["instanceSnapshotName"] == snapshot
    assert [each["name"] for each in aws.client.get_instances()["instances"]] == ["web-1"]
