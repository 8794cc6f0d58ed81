"""The deployed `copy` function, by AWS's runtime client: from the event that `create` put to the usable copy."""

import json

from lightsail_snapshots.events import SOURCE
from tests.runtime.aws import Aws, batch
from tests.runtime.conftest import Log, Start
from tests.support.events import REQUEST_ID, requested

COPY = "lightsail_snapshots.copy.handler"
THERE = "eu-west-1"


def test_event_of_create_becomes_a_tagged_copy(aws: Aws, start: Start, log: Log) -> None:
    environment = aws.environment | {"COPY_REGIONS": THERE}
    create, copy = start(environment), start(environment, COPY)
    create.invoke(batch(delivery=1, copyTo=[THERE]))
    aws.lightsail.emulator.clock.advance(600)
    create.invoke(batch(delivery=2, copyTo=[THERE]))
    message = {"destination": THERE, "event": requested(json.loads(aws.events.pop()["Detail"]), source=SOURCE)}

    assert copy.invoke(message).payload["state"] == "pending"
    assert aws.snapshots(THERE) == dict.fromkeys(aws.snapshots(), "pending")
    aws.lightsail.emulator.clock.advance(600)
    assert copy.invoke(message).payload["state"] == "available"

    [published] = aws.events
    assert published["DetailType"] == "Instance Snapshot Copied"
    assert "copy-of" in {tag["key"] for tag in json.loads(published["Detail"])["tags"]}
    [line] = [line for line in log() if line.get("message") == "Copy is usable"]
    assert (line["correlation_id"], line["destination"]) == (REQUEST_ID, THERE)
