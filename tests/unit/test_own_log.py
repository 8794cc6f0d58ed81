"""What prune reads of its own log."""

from datetime import UTC, datetime
from unittest.mock import patch

import boto3
import pytest
from botocore.stub import Stubber

from lightsail_snapshots.aws import own_log
from lightsail_snapshots.aws.errors import AwsError

SINCE = datetime(2026, 11, 23, 3, 30, tzinfo=UTC)
WANTED = {"logGroupName": "prune-logs", "filterPattern": '"prune-1"', "startTime": 1795404600000}


def read(stubber: Stubber) -> list[dict[str, object]]:
    with stubber, patch("boto3.client", return_value=stubber.client):
        return list(own_log.read_own_log("prune-logs", "us-east-1", "prune-1", SINCE))


@pytest.fixture
def logs() -> Stubber:
    return Stubber(boto3.client("logs", "us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"))


def test_own_log_has_the_structured_lines_of_all_pages(logs: Stubber) -> None:
    first = {"events": [{"message": '{"message": "one"}'}, {"message": "START RequestId: prune-1"}], "nextToken": "2"}
    logs.add_response("filter_log_events", first, WANTED)
    logs.add_response("filter_log_events", {"events": [], "nextToken": "3"}, WANTED | {"nextToken": "2"})
    last = {"events": [{"message": '{"message": "two"}'}]}
    logs.add_response("filter_log_events", last, WANTED | {"nextToken": "3"})
    assert [line["message"] for line in read(logs)] == ["one", "two"]
    logs.assert_no_pending_responses()


def test_own_log_ends_when_the_same_page_comes_again(logs: Stubber) -> None:
    logs.add_response("filter_log_events", {"events": [], "nextToken": "2"}, WANTED)
    logs.add_response("filter_log_events", {"events": [], "nextToken": "2"}, WANTED | {"nextToken": "2"})
    assert read(logs) == []


def test_own_log_that_cannot_be_read_is_an_error(logs: Stubber) -> None:
    logs.add_client_error("filter_log_events", "AccessDeniedException", "no", 400)
    with pytest.raises(AwsError, match="AccessDenied"):
        read(logs)
