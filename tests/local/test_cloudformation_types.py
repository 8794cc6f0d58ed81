"""What the local AWS adds to MiniStack's CloudFormation."""

from typing import Any

import pytest
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]  # MiniStack has no types

from local.ministack import cloudformation_types

SCHEDULE = {"Name": "audit"}
ALARM = {
    "AlarmName": "audit-missing",
    "Namespace": "lightsail-snapshots",
    "MetricName": "AuditsCompleted",
    "ComparisonOperator": "LessThanThreshold",
    "EvaluationPeriods": 1,
    "Period": 3600,
    "Statistic": "Sum",
    "Threshold": 1,
}


@pytest.fixture(autouse=True)
def handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the types in copies of MiniStack's tables."""
    copies = {name: dict(handlers) for name, handlers in provisioners._RESOURCE_HANDLERS.items()}
    monkeypatch.setattr(provisioners, "_RESOURCE_HANDLERS", copies)
    cloudformation_types.register()


@pytest.mark.parametrize(
    ("kind", "properties"), [("AWS::Scheduler::Schedule", SCHEDULE), ("AWS::CloudWatch::Alarm", ALARM)]
)
def test_cloudformation_creates_no_second_resource_of_a_name(kind: str, properties: dict[str, Any]) -> None:
    create, delete = (provisioners._RESOURCE_HANDLERS[kind][action] for action in ("create", "delete"))
    name, _ = create("First", properties, "stack")
    with pytest.raises(ValueError, match="already exists"):
        create("Second", properties, "stack")
    delete(name, properties)
    name, _ = create("Second", properties, "stack")
    delete(name, properties)
