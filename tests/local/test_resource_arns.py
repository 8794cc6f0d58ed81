"""The resources on which the IAM of the local AWS decides, as AWS does."""

import json
from typing import Any

import pytest

from local.ministack.resource_arns import resource_arn

HERE = "us-east-1:123456789012"


@pytest.mark.parametrize(
    ("service", "path", "target", "body", "query", "expected"),
    [
        (
            "scheduler",
            "/schedules/audit",
            "",
            {},
            {"groupName": ["lightsail-snapshots"]},
            f"arn:aws:scheduler:{HERE}:schedule/lightsail-snapshots/audit",
        ),
        ("scheduler", "/schedules/audit", "", {}, {}, f"arn:aws:scheduler:{HERE}:schedule/default/audit"),
        (
            "events",
            "/",
            "AWSEvents.RemoveTargets",
            {"Rule": "mine", "EventBusName": "lightsail-snapshots", "Ids": ["a"]},
            {},
            f"arn:aws:events:{HERE}:rule/lightsail-snapshots/mine",
        ),
        ("events", "/", "AWSEvents.ListTargetsByRule", {"Rule": "mine"}, {}, f"arn:aws:events:{HERE}:rule/mine"),
        (
            "logs",
            "/",
            "Logs_20140328.FilterLogEvents",
            {"logGroupName": "group"},
            {},
            f"arn:aws:logs:{HERE}:log-group:group:log-stream:",
        ),
        (
            "logs",
            "/",
            "Logs_20140328.DescribeLogStreams",
            {"logGroupName": "group"},
            {},
            f"arn:aws:logs:{HERE}:log-group:group",
        ),
    ],
)
def test_resource_of_a_call_is_that_of_aws(  # noqa: PLR0913, PLR0917
    service: str, path: str, target: str, body: dict[str, Any], query: dict[str, Any], expected: str
) -> None:
    region, account = HERE.split(":")
    headers = {"x-amz-target": target}
    found = resource_arn(service, "POST", path, headers, json.dumps(body).encode(), query, region, account)
    assert found == expected
